// One node: its gradient as one sum over its uses and as a sum over all paths; δ of each layer.

import { h } from "./dom.js";
import { bracketed } from "../model/formulas.js";
import { format } from "../model/numbers.js";
import { paths } from "../model/paths.js";
import { aboutRow, layerRow } from "../sentences/terms.js";
import { isQuiet, lastArrival, termText } from "../model/states.js";
import { layers } from "../model/stops.js";

const MOST_USES = 12;
const MOST_SUMMANDS = 6;
const MOST_ON_A_PATH = 8;

/** Build the panel of the selected node: {element, paint()}. */
export function buildNodePanel(app) {
  const box = h("div", { class: "insp", role: "tabpanel" });
  let shown = null;
  return {
    element: box,
    paint() {
      const { session } = app;
      const follows = layers(session.level).length ? session.i : 0; // δ fills as the pass goes on
      const key = [app.selected, session.numbers, session.pass, follows];
      if (shown?.every((x, k) => x === key[k])) return;
      shown = key;
      box.replaceChildren(...contents(app));
    },
  };
}

const equation = (...parts) => h("div", { class: "eqn num" }, ...parts);
const tone = (name, text) => h("span", { class: name, text });

function contents(app) {
  const { session, say, selected } = app;
  if (selected === null) return [h("p", { class: "why", text: say("pick") }), ...layerRows(app)];
  const node = session.level.nodes[selected];
  const about = [goButtons(app, node)];
  if (node.role === "parameter" && node.path !== node.full) about.push(h("p", { class: "q mono", text: node.path }));
  if (node.closed) about.push(h("p", { class: "why", text: closedText(app, node) }));
  if (node.kink) about.push(h("p", { class: "b", text: say("on_kink", { note: node.kink }) }));
  if (isQuiet(node)) return [...about, h("p", { text: `${node.full}: ${say(node.role)}` })];
  if (node.id === session.level.output) return [...about, h("p", { text: say("output_itself") }), ...layerRows(app)];
  return [...about, ...overUses(app, node), ...overPaths(app, node), ...layerRows(app)];
}

function closedText(app, node) {
  const parameters = app.session.level.nodes.filter(n => n.row_of?.[0] === node.id).length;
  return app.say("closed_group", { n: node.count ?? 0, m: parameters });
}

/** Buttons to the frames in which the node gets its value and its gradient. */
function goButtons(app, node) {
  const { pass } = app.session;
  const frames = { go_value: node.op ? pass.known[node.id] : 0, go_gradient: lastArrival(pass, node.id) };
  const wanted = Object.entries(frames).filter(([, i]) => i > 0);
  const buttons = wanted.map(([key, i]) => h("button", {
    type: "button", "data-k": key, text: app.say(key), onclick: () => app.player.go(i),
  }));
  return h("div", { class: "row" }, ...buttons);
}

// ---- the sum over uses

function overUses(app, node) {
  const { session, say } = app;
  const rows = session.reverse.rows.filter(row => row && row.to === node.id);
  const lines = rows.slice(0, MOST_USES).map(row => useLine(app, node, row));
  const more = rows.length > MOST_USES ? [tone("q", say("more", { n: rows.length - MOST_USES }))] : [];
  const passing = rows.filter(row => !row.wall);
  const sum = rows.length > 1 ? [sumLine(passing, session.finals[node.id])] : [];
  return [h("h3", { text: say("over_uses", { n: rows.length }) }), ...lines, ...more, ...sum];
}

/** upstream · local = term, and the same in symbols. */
function useLine(app, node, row) {
  const from = app.session.level.nodes[row.from].full;
  const symbols = tone("q sans", `${from}.grad · ∂${from}/∂${node.full}`);
  const [up, local] = [row.up, row.local ?? 0].map(x => bracketed(format(x)));
  const line = equation(tone("u", up), " · ", tone("l", local), " = ", tone("a", termText(row)), " ", symbols);
  line.onpointerenter = () => app.hover(null, row.edge);
  line.onpointerleave = () => app.hover(null, null);
  return line;
}

function sumLine(rows, total) {
  const summand = (x, k) => (k ? (x < 0 ? `− ${format(-x)}` : `+ ${format(x)}`) : format(x));
  const terms = rows.slice(0, MOST_SUMMANDS).map((row, k) => summand(row.add, k)).join(" ") || "Σ";
  return equation(terms, rows.length > MOST_SUMMANDS ? " …" : "", " = ", tone("u", format(total)));
}

// ---- the sum over paths

function overPaths(app, node) {
  const { session, say } = app;
  const ways = paths(session.level, session.numbers.local, node.id);
  const rest = ways.count - BigInt(ways.found.length);
  const lines = ways.found.map(way => wayLine(app, node, way));
  const end = [];
  if (rest > 0n) end.push(tone("q", say("more", { n: String(rest) })));
  else if (lines.length > 1) {
    const open = ways.found.filter(way => way.product !== null);
    const total = open.length ? open.reduce((sum, way) => sum + way.product, 0) : null;
    end.push(equation("Σ = ", tone("u", format(total)), " ", tone("q sans", say("same"))));
  }
  return [h("h3", { text: say("over_paths", { n: String(ways.count) }) }), ...lines, ...end];
}

/** One path to the output: its nodes and the product of its local derivatives. */
function wayLine(app, node, way) {
  const { level, numbers } = app.session;
  const heads = way.edges.map(e => level.nodes[level.edges[e].head].full);
  const names = tone("sans", `${shortened([node.full, ...heads]).join(" → ")}: `);
  const factor = (e, k) => [...(k ? [" · "] : []), tone("l", bracketed(format(numbers.local[e] ?? 0)))];
  const factors = way.edges.length > MOST_ON_A_PATH ? ["…"] : way.edges.flatMap(factor);
  const line = equation(names, ...factors, " = ", tone("a", format(way.product)));
  line.tabIndex = 0;
  line.onpointerenter = line.onfocus = () => app.graph.mark(new Set(way.edges));
  line.onpointerleave = line.onblur = () => app.graph.mark(new Set());
  return line;
}

const shortened = names => (names.length > MOST_ON_A_PATH ? [...names.slice(0, 4), "…", ...names.slice(-3)] : names);

// ---- layers

/** δ of each layer as a row, the later ones first: as the backward pass finds them. */
function layerRows(app) {
  const { session, say } = app;
  const list = [...layers(session.level)].reverse();
  if (!list.length || session.settings.mode === "forward") return [];
  const lines = list.map(group => {
    const [symbol, , row] = layerRow(session, group);
    const line = equation(tone("sans", symbol.text), " = ", tone("u", row.text), " ", tone("q sans", group.name));
    line.title = aboutRow(say, group);
    return line;
  });
  return [h("h3", { text: say("layers") }), ...lines];
}
