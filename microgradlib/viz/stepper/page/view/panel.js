// The panel beside the table: its tabs, and how far the pass has come.

import { h } from "./dom.js";
import { buildNodePanel } from "./node_panel.js";
import { buildSliders } from "./sliders.js";

/** Build the panel: {element, paint(), rebuild()}. */
export function buildPanel(app) {
  const element = h("div", { class: "lower" });
  const work = h("span", { class: "work" });
  let content = null;
  function tab(key) {
    const { selected, say } = app;
    const named = key === "node" && selected !== null;
    return h("button", {
      type: "button", role: "tab", "data-k": `tab${key}`, "aria-selected": String(app.tab === key),
      text: named ? `${say("node")} ${app.session.level.nodes[selected].full}` : say(key),
      onclick: () => app.openTab(app.tab === key ? "" : key),
    });
  }
  function rebuild() {
    content = { node: buildNodePanel, inputs: buildSliders }[app.tab]?.(app) ?? null;
    element.classList.toggle("shut", !content);
    const tabs = h("div", { class: "tabs", role: "tablist" }, tab("inputs"), tab("node"), work);
    element.replaceChildren(tabs, ...(content ? [content.element] : []));
  }
  rebuild();
  return {
    element, rebuild,
    paint() {
      work.textContent = progress(app);
      content?.paint();
    },
  };
}

/** "arrows used 8 of 27 · gradients known 3 of 15", of the pass that is going on; in forward mode of all sweeps. */
function progress(app) {
  const { pass, i, level, start, settings } = app.session;
  const forward = settings.mode === "forward";
  const begun = forward ? 0 : Math.max(0, start);
  const terms = pass.rows.filter(row => row && row.i >= begun);
  const final = id => pass.arrivals[id].some(a => a.i >= begun && a.i <= i && a.k > 0 && a.k === a.of);
  const known = forward ? [...pass.answers.values()].filter(a => a.i <= i) : level.inputs.filter(final);
  const used = terms.filter(row => row.i <= i).length;
  return app.say("work", { k: used, n: terms.length, j: known.length, m: level.inputs.length });
}
