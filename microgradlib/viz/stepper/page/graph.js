// The graph as SVG: frames around groups, edges with their local derivatives, cards. Built once, then painted in parts.

import { card } from "./cards.js";
import { h, put, s, set, toggle } from "./dom.js";
import { format } from "./numbers.js";
import { circlesOf, edgeState, nodeState, slopeText } from "./states.js";

/** Build the graph of the session's level. Returns {element, svg, layer, paintNode, paintEdge, dim, hover, edges}. */
export function buildGraph(app) {
  const { level } = app.session;
  const layer = s("g");
  const label = app.say("graph", { n: level.nodes.length });
  const svg = s("svg", { role: "img", "aria-label": label }, layer);
  for (const group of level.groups) if (group.box) layer.append(frame(app, group));
  const edges = level.edges.map((edge, e) => buildEdge(app, edge, e, layer));
  const nodes = buildNodes(app, layer);
  const token = s("g", { class: "tok", visibility: "hidden" }, s("rect", { rx: 11, height: 22, y: -11 }), s("text", { class: "m", "text-anchor": "middle", y: 5, "font-size": 14 }));
  layer.append(token);
  const element = h("div", { class: "graph" }, svg);
  return {
    element, svg, layer, edges, token,
    paintNode: id => nodes[id]?.paint(),
    paintEdge: e => edges[e].paint(),
    /** Show only the given ways: {nodes, edges}, or null for everything. */
    dim(ways) {
      set(layer, "class", ways ? "dim" : "");
      nodes.forEach((node, id) => node?.group.classList.toggle("way", Boolean(ways?.nodes.has(id))));
      edges.forEach((edge, e) => edge.group.classList.toggle("way", Boolean(ways?.edges.has(e))));
    },
    /** Mark the edges of one way, or none. */
    mark: way => edges.forEach((edge, e) => edge.group.classList.toggle("one", way.has(e))),
    hover(id, e) {
      nodes.forEach((node, k) => node?.group.classList.toggle("hov", k === id));
      edges.forEach((edge, k) => edge.group.classList.toggle("hov", k === e));
    },
  };
}

/** A frame around an open group, with its name and a button that closes it. */
function frame(app, group) {
  const [x, y, width, height] = group.box;
  const title = s("text", { class: "hullt", x: x + width - 8, y: y + 14, "text-anchor": "end", text: group.name });
  if (group.formula) title.append(s("tspan", { class: "formula", text: `  ${group.formula}` }));
  const parts = [s("rect", { class: "hull", x, y, width, height, rx: 10 }), title];
  if (app.canClose(group.id)) parts.push(toggle("close", app.say("close_group", { name: group.name }), x + 6, y + 3, () => app.toggleGroup(group.id)));
  return s("g", { class: "fr" }, ...parts);
}

// ---- cards

function buildNodes(app, layer) {
  const { level, settings } = app.session;
  const counts = level.nodes.map(() => 0);
  for (const edge of level.edges) if (!edge.quiet) counts[edge.tail] += 1;
  const folded = new Map(level.edges.flatMap((edge, e) => (edge.folded ? [[edge.tail, e]] : [])));
  const rows = s("g"); // above the cards that hold them, since SVG has no other order than that of its elements
  const nodes = level.nodes.map(node => {
    if (!node.box) return null;
    const group = s("g", { class: `nd ${node.role}` });
    const paint = card(node, group, {
      count: counts[node.id], tall: level.card === "tall", direction: level.direction,
      gradientName: settings.mode === "forward" ? app.say("tangent") : "grad",
      openLabel: node.closed ? app.say("open_group", { name: node.full }) : "",
      open: () => app.toggleGroup(node.closed),
    });
    group.onpointerenter = () => app.hover(node.id, null);
    group.onpointerleave = () => app.hover(null, null);
    group.onclick = () => app.select(node.id);
    (node.row_of ? rows : layer).append(group);
    return { group, paint: () => paintNode(app, node, group, paint, counts[node.id], folded.get(node.id)) };
  });
  layer.append(rows);
  return nodes;
}

function paintNode(app, node, group, paint, count, own) {
  const { session } = app;
  const state = nodeState(session, node.id);
  const kept = [...group.classList].filter(c => c === "way" || c === "hov");
  const names = ["nd", node.role, node.row_of ? "row" : "", node.closed ? "closed" : "", state.known ? "" : "wait", state.role, app.selected === node.id ? "sel" : "", ...kept];
  set(group, "class", names.filter(Boolean).join(" "));
  if (node.row_of) {
    const edge = edgeState(session, own);
    state.slope = edge.on ? { value: session.numbers.local[own] ?? 0, lit: edge.lit, hidden: edge.hidden } : null;
  } else state.circles = circlesOf(session, node.id, count);
  paint(state);
}

// ---- edges

const HEAD = 8;

/** The place and angle of the arrowhead: beyond the end of a path, in its last direction. The path has M, L, H, V and C. */
export function arrowhead(d) {
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

function buildEdge(app, edge, e, layer) {
  const group = s("g", { class: "ed" });
  layer.append(group);
  if (edge.folded || !edge.path) return { group, paint: () => {} };
  const tall = app.session.level.card === "tall";
  const [x, y] = edge.at;
  const path = s("path", { class: "w", d: edge.path });
  const tip = s("path", { class: "tip", d: `M${HEAD} 0L0 -4.5V4.5z`, transform: arrowhead(edge.path) });
  const bar = s("line", { class: "bar", y1: y - 10, y2: y + 10 });
  const patch = s("rect", { class: "lbg", rx: 5, height: tall ? 18 : 15, y: y - (tall ? 9 : 7.5) });
  const formula = s("tspan", { class: "fx" });
  const number = s("tspan");
  const label = s("text", { class: "lv m", x: x - 6, y: y + 5, "text-anchor": "end", "font-size": tall ? 14 : 12.5 }, formula, number);
  const tooltip = s("title");
  group.append(path, tip, s("path", { class: "hit", d: edge.path }), patch, bar, ...(edge.shown ? [label] : []), tooltip);
  group.onpointerenter = () => app.hover(null, e);
  group.onpointerleave = () => app.hover(null, null);
  const charWidth = tall ? 8.45 : 7.55;
  const place = characters => {
    const width = characters ? characters * charWidth + 11 : 0;
    set(patch, "x", (x - width).toFixed(1));
    set(patch, "width", width.toFixed(1));
    set(bar, "x1", (x - width - 5).toFixed(1));
    set(bar, "x2", (x - width - 5).toFixed(1));
  };
  return {
    group, path,
    paint() {
      const state = edgeState(app.session, e);
      const kept = [...group.classList].filter(c => c === "way" || c === "one" || c === "hov");
      set(group, "class", ["ed", state.on ? "on" : "", state.used, state.lit ? "lit" : "", edge.quiet ? "quiet" : "", ...kept].filter(Boolean).join(" "));
      const slope = slopeText(app.session, e);
      const written = tall && slope.formula && slope.formula.length <= 15 && !state.hidden ? `${slope.formula} = ` : "";
      const shown = state.hidden ? "?" : format(app.session.numbers.local[e] ?? 0);
      put(formula, written);
      put(number, shown);
      put(tooltip, state.hidden ? slope.symbol : [slope.symbol, slope.formula, slope.number].filter(Boolean).join(" = "));
      place(edge.shown && state.on ? written.length + shown.length : 0);
    },
  };
}

/** Let a number travel along an edge as its term is computed; nothing where less movement is asked for. */
export function fly(graph, row, reverse, duration) {
  const { token } = graph;
  const path = graph.edges[row.edge].path;
  const [back, label] = token.children;
  const show = number => {
    put(label, format(number));
    const width = label.textContent.length * 8.6 + 14;
    set(back, "width", width);
    set(back, "x", -width / 2);
  };
  cancelAnimationFrame(graph.flight ?? 0);
  set(token, "visibility", "hidden");
  if (row.wall || !path) return;
  const length = path.getTotalLength();
  const begun = performance.now();
  const move = time => {
    const part = Math.min(1, (time - begun) / duration);
    const eased = part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) ** 2;
    const at = path.getPointAtLength(length * (reverse ? 1 - eased : eased));
    show(part > 0.35 ? row.add : row.up);
    token.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
    set(token, "visibility", part < 1 ? "visible" : "hidden");
    if (part < 1) graph.flight = requestAnimationFrame(move);
  };
  graph.flight = requestAnimationFrame(move);
}
