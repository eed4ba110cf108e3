// Edges: a line, its arrowhead, and on it the local derivative; and the number that travels along it.

import { put, s, set } from "./dom.js";
import { format } from "../model/numbers.js";
import { edgeState, slopeText } from "../model/states.js";
import { textColumns } from "../model/words.js";

const TIP = 8; // length of an arrowhead
const LONGEST_FORMULA = 15; // characters; a longer one is in the tooltip alone
const TALL = { width: 8.45, height: 18, size: 14 }; // of the characters in small graphs, and in large ones
const FLAT = { width: 7.55, height: 15, size: 12.5 };

/** The place and angle of the arrowhead: beyond the end of a path of M, L, H, V and C, in its last direction. */
function arrowhead(d) {
  let [x, y, fromX, fromY] = [0, 0, 0, 0];
  for (const [, command, list] of d.matchAll(/([MLHVC])([^MLHVC]*)/g)) {
    const numbers = list.match(/-?[\d.]+(?:e-?\d+)?/g).map(Number);
    const end = { H: [numbers[0], y], V: [x, numbers[0]] }[command] ?? numbers.slice(-2);
    [fromX, fromY] = command === "C" ? numbers.slice(2, 4) : [x, y];
    [x, y] = end;
  }
  const angle = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI;
  return `translate(${x} ${y}) rotate(${angle.toFixed(1)})`;
}

const MARKS = ["way", "one", "hov"];

/** The classes that pointing and looking at a node have set, which painting keeps. */
export const marks = group => MARKS.filter(name => group.classList.contains(name));

/** Build an edge: {group, path, paint()}. One between a row and its own card has no line. */
export function buildEdge(app, edge, e) {
  const group = s("g", { class: "ed" });
  if (edge.folded || !edge.path) return { group, path: null, paint() {} };
  const label = buildLabel(edge, app.session.level.card === "tall");
  const path = s("path", { class: "w", d: edge.path });
  const tip = s("path", { class: "tip", d: `M${TIP} 0L0 -4.5V4.5z`, transform: arrowhead(edge.path) });
  const title = s("title");
  group.append(path, tip, s("path", { class: "hit", d: edge.path }), ...label.elements, title);
  group.onpointerenter = () => app.hover(null, e);
  group.onpointerleave = () => app.hover(null, null);
  return {
    group, path,
    paint() {
      const state = edgeState(app.session, e);
      const slope = slopeText(app.session, e);
      const names = ["ed", state.on && "on", state.used, state.lit && "lit", edge.quiet && "quiet", ...marks(group)];
      set(group, "class", names.filter(Boolean).join(" "));
      label.paint(state, slope, app.session.numbers.local[e] ?? 0);
      const written = [slope.symbol, ...(state.hidden ? [] : [slope.formula, slope.number])];
      put(title, written.filter(Boolean).join(" = "));
    },
  };
}

/** The local derivative on a patch of paper, so that no line is taken for its own ("x = 3"); and the bar of a wall. */
function buildLabel(edge, tall) {
  const [x, y] = edge.at;
  const { width, height, size } = tall ? TALL : FLAT;
  const bar = s("line", { class: "bar", y1: y - 10, y2: y + 10 });
  const patch = s("rect", { class: "lbg", rx: 5, height, y: y - height / 2 });
  const [formula, number] = [s("tspan", { class: "fx" }), s("tspan")];
  const place = { x: x - 6, y: y + 5, "text-anchor": "end", "font-size": size };
  const text = s("text", { class: "lv m", ...place }, formula, number);
  return {
    elements: edge.shown ? [patch, bar, text] : [patch, bar],
    paint(state, slope, value) {
      const short = tall && !state.hidden && slope.formula && slope.formula.length <= LONGEST_FORMULA;
      const [before, shown] = [short ? `${slope.formula} = ` : "", state.hidden ? "?" : format(value)];
      put(formula, before);
      put(number, shown);
      const long = edge.shown && state.on ? textColumns(before + shown) * width + 11 : 0;
      set(patch, "x", (x - long).toFixed(1));
      set(patch, "width", long.toFixed(1));
      for (const end of ["x1", "x2"]) set(bar, end, (x - long - 5).toFixed(1));
    },
  };
}

/** Let a number travel along an edge: it leaves as the upstream number and arrives as the term. */
export function fly(graph, row, backward, duration) {
  const { token } = graph;
  const { path } = graph.edges[row.edge];
  const [back, label] = token.children;
  cancelAnimationFrame(graph.flight ?? 0);
  set(token, "visibility", "hidden");
  if (row.wall || !path) return;
  const show = number => {
    put(label, format(number));
    const width = label.textContent.length * 8.6 + 14;
    set(back, "width", width);
    set(back, "x", -width / 2);
  };
  const length = path.getTotalLength();
  const begun = performance.now();
  const move = time => {
    const part = Math.min(1, Math.max(0, (time - begun) / duration));
    const eased = part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) ** 2;
    const at = path.getPointAtLength(length * (backward ? 1 - eased : eased));
    show(part > 0.35 ? row.add : row.up);
    token.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
    set(token, "visibility", part < 1 ? "visible" : "hidden");
    if (part < 1) graph.flight = requestAnimationFrame(move);
  };
  graph.flight = requestAnimationFrame(move);
}
