// The panel beside the table: a slider for each input, or the whole sum of one node and its paths.

import { h, icon } from "./dom.js";
import { bracketed } from "./formulas.js";
import { format } from "./numbers.js";
import { paths } from "./paths.js";
import { delta } from "./sentence.js";
import { isQuiet } from "./states.js";
import { layers } from "./stops.js";

const MOST_SLIDERS = 60;

/** Build the panel: {element, paint(), rebuild()}. */
export function buildPanel(app) {
  const element = h("div", { class: "lower" });
  const work = h("span", { class: "work" });
  let content = null;
  function rebuild() {
    const tab = app.tab;
    const tabs = ["inputs", "node"].map(key => h("button", {
      type: "button", role: "tab", "data-k": `tab${key}`, "aria-selected": String(tab === key),
      text: key === "node" && app.selected !== null ? `${app.say("node")} ${app.session.level.nodes[app.selected].full}` : app.say(key),
      onclick: () => app.openTab(tab === key ? "" : key),
    }));
    content = tab === "node" ? nodePanel(app) : tab === "inputs" ? sliders(app) : null;
    element.classList.toggle("shut", !content);
    element.replaceChildren(h("div", { class: "tabs", role: "tablist" }, ...tabs, work), ...(content ? [content.element] : []));
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

/** "arrows used 8 of 27 · gradients known 3 of 15". */
function progress(app) {
  const { session, say } = app;
  const { pass, i, level } = session;
  const begun = session.start < 0 ? Infinity : session.settings.mode === "forward" ? 0 : session.start;
  const terms = pass.rows.filter(row => row && row.i >= (begun === Infinity ? 0 : begun));
  const final = id => pass.arrivals[id].some(a => a.i <= i && a.i >= begun && a.k > 0 && a.k === a.of);
  const known = session.settings.mode === "forward" ? [...pass.answers.values()].filter(a => a.i <= i).length : level.inputs.filter(final).length;
  return say("work", { k: terms.filter(row => row.i <= i).length, n: terms.length, j: known, m: level.inputs.length });
}

// ---- sliders

function sliders(app) {
  const { session, say } = app;
  const box = h("div", { class: "sliders", role: "tabpanel" });
  if (!session.operations && !app.live) {
    box.append(h("p", { class: "why", text: say("no_slider", { reason: session.level.no_program || say("reason_policy") }) }));
    return { element: box, paint() {} };
  }
  const rows = inOrder(session.level).slice(0, MOST_SLIDERS).map(id => slider(app, id));
  const reset = h("button", { type: "button", class: "reset", text: say("reset"), onclick: () => app.resetLeaves() });
  if (session.training && session.level.training.rate) rows.unshift(rateSlider(app));
  box.append(...rows.map(row => row.element), reset);
  return {
    element: box,
    paint() {
      for (const row of rows) row.paint();
      reset.hidden = !session.leaves.size;
    },
  };
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
  const reach = Number.isFinite(own) ? Math.max(2, 2 * Math.abs(own)) : 2;
  const middle = Number.isFinite(own) ? own : 0;
  const range = h("input", { type: "range", min: middle - reach, max: middle + reach, step: reach / 200, "aria-label": node.full, "data-k": `s${id}` });
  const number = h("input", { type: "text", inputmode: "decimal", "aria-label": node.full, "data-k": `v${id}` });
  const mark = h("i", { title: `${say("was")} ${format(own)}` });
  let held = false;
  range.oninput = () => {
    if (!held) session.remember();
    held = true;
    app.moveLeaf(id, Number(range.value));
  };
  range.onchange = () => { held = false; };
  number.onchange = () => {
    session.remember();
    app.typeLeaf(id, number.value);
  };
  const row = h("div", { class: "slide" }, h("b", { text: node.full }), h("div", { class: "bar" }, range, mark), number);
  return {
    element: row,
    paint() {
      const x = session.numbers.value[id];
      if (!held) range.value = x;
      const text = String(Number(x.toPrecision(5)));
      if (number.value !== text && number.getRootNode().activeElement !== number) number.value = text;
      row.classList.toggle("moved", session.leaves.has(node.of));
    },
  };
}

/** The learning rate of a training step, on a logarithmic scale. */
function rateSlider(app) {
  const { session, say } = app;
  const own = session.level.training.rate;
  const range = h("input", { type: "range", min: -2, max: 2, step: 0.02, "aria-label": say("rate"), "data-k": "rate" });
  const number = h("output", { class: "num" });
  range.oninput = () => app.setRate(Number((own * 10 ** Number(range.value)).toPrecision(3)));
  return {
    element: h("div", { class: "slide" }, h("b", { text: "η", title: say("rate") }), h("div", { class: "bar" }, range, h("i")), number),
    paint() {
      range.value = Math.log10(session.rate / own);
      number.textContent = format(session.rate);
    },
  };
}

// ---- one node: its whole sum, and all paths

function nodePanel(app) {
  const box = h("div", { class: "insp", role: "tabpanel" });
  let shown = "";
  return {
    element: box,
    paint() {
      const key = `${app.selected} ${app.session.settings.mode} ${app.session.numbers.value.join()} ${layers(app.session.level).length ? app.session.i : ""}`;
      if (key === shown) return;
      shown = key;
      box.replaceChildren(...nodeContents(app));
    },
  };
}

const equation = (app, attributes, ...parts) => h("div", { class: "eqn num", ...attributes }, ...parts);
const tone = (name, text) => h("span", { class: name, text });

function nodeContents(app) {
  const { session, say } = app;
  const { level, numbers } = session;
  if (app.selected === null) return [h("p", { class: "why", text: say("pick") }), ...deltas(app)];
  const node = level.nodes[app.selected];
  const out = [goButtons(app, node)];
  if (node.closed) out.push(h("p", { class: "why", text: say("closed_group", { n: node.count ?? 0, m: node.rows?.length ?? 0 }) }));
  if (node.kink) out.push(h("p", { class: "b", text: say("on_kink", { note: node.kink }) }));
  if (isQuiet(node)) return out;
  if (node.id === level.output) return [...out, h("p", { text: say("output_itself") }), ...deltas(app)];
  const rows = session.reverse.rows.filter(row => row && row.to === node.id);
  const total = session.finals[node.id] ?? 0;
  out.push(h("h3", { text: say("over_uses", { n: rows.length }) }), ...rows.slice(0, 12).map(row => useLine(app, node, row)));
  if (rows.length > 12) out.push(h("div", { class: "q", text: say("more", { n: rows.length - 12 }) }));
  if (rows.length > 1) out.push(equation(app, {}, rows.slice(0, 6).map((row, k) => joined(row.add, k)).join(" "), rows.length > 6 ? " …" : "", " = ", tone("u", format(total))));
  const ways = paths(level, numbers.local, node.id);
  out.push(h("h3", { text: say("over_paths", { n: String(ways.count) }) }), ...ways.found.map(way => wayLine(app, node, way)));
  const rest = ways.count - BigInt(ways.found.length);
  if (rest > 0n) out.push(h("div", { class: "q", text: say("more", { n: String(rest) }) }));
  else if (ways.found.length > 1) out.push(equation(app, {}, "Σ = ", tone("u", format(ways.found.reduce((sum, way) => sum + (way.product ?? 0), 0))), " ", tone("q sans", say("same"))));
  return [...out, ...deltas(app)];
}

const joined = (x, k) => (k ? (x < 0 ? `− ${format(-x)}` : `+ ${format(x)}`) : format(x));

function goButtons(app, node) {
  const { session, say } = app;
  const frames = [
    ["go_value", node.op ? session.pass.known[node.id] : -1],
    ["go_gradient", session.pass.arrivals[node.id].filter(a => a.k > 0).at(-1)?.i ?? -1],
  ];
  const buttons = frames.filter(([, i]) => i > 0).map(([key, i]) => h("button", { type: "button", "data-k": key, text: say(key), onclick: () => app.go(i) }));
  return h("div", { class: "row" }, ...buttons);
}

/** One use of a node: upstream · local = term, and the same in symbols. */
function useLine(app, node, row) {
  const from = app.session.level.nodes[row.from].full;
  const line = equation(app, {}, tone("u", bracketed(format(row.up ?? 0))), " · ", tone("l", bracketed(format(row.local ?? 0))), " = ", tone("a", format(row.add)), " ", tone("q sans", `${from}.grad · ∂${from}/∂${node.full}`));
  line.onpointerenter = () => app.hover(null, row.edge);
  line.onpointerleave = () => app.hover(null, null);
  return line;
}

/** One path to the output: its nodes and the product of its local derivatives. */
function wayLine(app, node, way) {
  const { level, numbers } = app.session;
  const names = [node.full, ...way.edges.map(e => level.nodes[level.edges[e].head].full)];
  const factors = way.edges.flatMap((e, k) => [...(k ? [" · "] : []), tone("l", bracketed(format(numbers.local[e] ?? 0)))]);
  const line = equation(app, { tabindex: 0 }, tone("sans", `${shortened(names).join(" → ")}: `), ...(way.edges.length > 8 ? ["…"] : factors), " = ", tone("a", format(way.product ?? 0)));
  line.onpointerenter = () => app.markWay(new Set(way.edges));
  line.onpointerleave = () => app.markWay(new Set());
  line.onfocus = line.onpointerenter;
  line.onblur = line.onpointerleave;
  return line;
}

const shortened = names => (names.length > 8 ? [...names.slice(0, 4), "…", ...names.slice(-3)] : names);

/** δ of each layer, the later ones first: as the backward pass finds them. */
function deltas(app) {
  const { session, say } = app;
  const list = layers(session.level);
  if (!list.length || session.settings.mode === "forward") return [];
  const lines = [...list].reverse().map(group => {
    const [symbol, , row] = delta(session, group, say);
    return h("div", { class: "eqn num", title: say("delta", { layer: group.name }) }, tone("sans", `${symbol.text} `), tone("q sans", `${group.name} `), " = ", tone("u", row.text));
  });
  return [h("h3", { text: "δ" }), ...lines];
}

/** A button that offers the score of predictions as a file. */
export function saveButton(app) {
  const button = h("button", { type: "button", "data-k": "save", title: app.say("save_score"), "aria-label": app.say("save_score"), onclick: () => app.saveScore() });
  button.append(icon("save"));
  return button;
}
