// A slider and a field for each input, and for the learning rate of a training step.

import { h, s } from "./dom.js";
import { format } from "../model/numbers.js";

const MOST = 60; // sliders at first
const LEAST_REACH = 2; // to both sides

/** Build the sliders of the level: {element, paint()}. */
export function buildSliders(app) {
  const { session, say } = app;
  const box = h("div", { class: "sliders", role: "tabpanel" });
  if (!session.operations && !app.live) {
    const op = session.level.no_program;
    const reason = op ? say("reason_op", { op }) : say("reason_policy");
    box.append(h("p", { class: "why", text: say("no_slider", { reason }) }));
    return { element: box, paint() {} };
  }
  const inputs = inOrder(session.level);
  const rows = inputs.slice(0, MOST).map(id => slider(app, id));
  if (session.training) rows.unshift(lossCurve(app), rateSlider(app));
  const reset = h("button", { type: "button", "data-k": "reset", class: "reset", text: say("reset") });
  reset.onclick = () => app.leaves.reset();
  box.append(reset, ...rows.map(row => row.element));
  let shown = null; // the numbers for which the sliders stand
  const paint = () => {
    reset.hidden = !session.leaves.size && session.rate === (session.level.training?.rate ?? null);
    if (shown === session.numbers) return;
    shown = session.numbers;
    for (const row of rows) row.paint();
  };
  const rest = inputs.slice(MOST);
  if (rest.length) {
    const more = h("button", { type: "button", class: "reset", text: say("all_sliders", { n: inputs.length }) });
    more.onclick = () => {
      const added = rest.map(id => slider(app, id));
      for (const row of added) row.paint();
      rows.push(...added);
      more.replaceWith(...added.map(row => row.element));
    };
    box.append(more);
  }
  return { element: box, paint };
}

/** Inputs of the whole graph first, then the parameters group by group. */
function inOrder(level) {
  const key = id => level.nodes[id].group.join(" ");
  const groups = [...new Set(level.inputs.map(key))].sort((a, b) => (a ? 1 : 0) - (b ? 1 : 0));
  return groups.flatMap(group => level.inputs.filter(id => key(id) === group));
}

function slider(app, id) {
  const { session, say } = app;
  const node = session.level.nodes[id];
  const own = session.originals.get(node.of);
  const middle = Number.isFinite(own) ? own : 0;
  const reach = Math.max(LEAST_REACH, 2 * Math.abs(middle));
  const ends = { min: middle - reach, max: middle + reach, step: reach / 200 };
  const range = h("input", { type: "range", ...ends, "aria-label": node.full, "data-k": `s${id}` });
  const field = h("input", { type: "text", inputmode: "decimal", "aria-label": node.full, "data-k": `v${id}` });
  const mark = h("i", { title: `${say("was")} ${format(own)}` });
  let held = false;
  range.oninput = () => {
    if (!held) session.remember();
    held = true;
    app.leaves.move(id, Number(range.value));
  };
  range.onchange = () => { held = false; };
  field.onchange = () => {
    session.remember();
    app.leaves.type(id, field.value);
  };
  const bar = h("div", { class: "bar" }, range, mark);
  const element = h("div", { class: "slide" }, h("b", { text: node.full }), bar, field);
  return {
    element,
    paint() {
      const x = session.leaves.get(node.of) ?? own;
      if (!held) range.value = x;
      if (field.getRootNode().activeElement !== field) field.value = String(Number(x.toPrecision(5)));
      element.classList.toggle("moved", session.leaves.has(node.of));
    },
  };
}

/** The learning rate on a logarithmic scale, a hundredth to a hundred times its own. */
function rateSlider(app) {
  const { session, say } = app;
  const own = session.level.training.rate;
  const range = h("input", { type: "range", min: -2, max: 2, step: 0.02, "aria-label": say("rate"), "data-k": "rate" });
  const shown = h("output", { class: "num" });
  range.oninput = () => app.leaves.setRate(Number((own * 10 ** Number(range.value)).toPrecision(3)));
  const bar = h("div", { class: "bar" }, range, h("i"));
  return {
    element: h("div", { class: "slide" }, h("b", { text: "η", title: say("rate") }), bar, shown),
    paint() {
      range.value = Math.log10(session.rate / own);
      shown.textContent = format(session.rate);
    },
  };
}

/** The loss before each training step that was made, and before the present one, as numbers and as a line. */
function lossCurve(app) {
  const line = s("polyline", { class: "curve" });
  const chart = s("svg", { viewBox: "-4 -4 208 40", preserveAspectRatio: "none", "aria-hidden": "true" }, line);
  const text = h("span", { class: "num" });
  const element = h("div", { class: "losses" }, h("span", { class: "q", text: app.say("loss_history") }), chart, text);
  return {
    element,
    paint() {
      const list = [...app.leaves.losses, app.session.training.before, app.session.training.after];
      element.hidden = list.length < 3;
      const finite = list.filter(Number.isFinite);
      const [low, high] = [Math.min(...finite), Math.max(...finite)];
      const place = (x, k) => [(200 * k) / (list.length - 1), 32 - (32 * (x - low)) / (high - low || 1)];
      const points = list.map(place).filter(([, y]) => Number.isFinite(y));
      line.setAttribute("points", points.map(point => point.map(x => x.toFixed(1)).join(",")).join(" "));
      text.textContent = list.slice(-4).map(x => format(x, 3)).join(" → ");
    },
  };
}
