// The graph as SVG: frames around groups, edges with their local derivatives, cards. Built once, then painted in parts.

import { card } from "./cards.js";
import { h, s, set, toggle } from "./dom.js";
import { buildEdge, marks } from "./edges.js";
import { circlesOf, edgeState, nodeState } from "../model/states.js";

/** Build the graph of the session's level. */
export function buildGraph(app) {
  const { level } = app.session;
  const layer = s("g");
  const svg = s("svg", { role: "group", "aria-label": app.say("graph", { n: level.nodes.length }) }, layer);
  layer.append(...level.groups.filter(group => group.box).map(group => frame(app, group)));
  const edges = level.edges.map((edge, e) => buildEdge(app, edge, e));
  layer.append(...edges.map(edge => edge.group));
  const nodes = buildNodes(app, layer);
  const token = s("g", { class: "tok", visibility: "hidden" });
  token.append(s("rect", { rx: 11, height: 22, y: -11 }), s("text", { class: "m", "text-anchor": "middle", y: 5 }));
  layer.append(token);
  const mark = (name, nodeTest, edgeTest) => {
    nodes.forEach((node, id) => node?.group.classList.toggle(name, nodeTest(id)));
    edges.forEach((edge, e) => edge.group.classList.toggle(name, edgeTest(e)));
  };
  return {
    element: h("div", { class: "graph" }, svg), svg, edges, token,
    paintNode: id => nodes[id]?.paint(),
    paintEdge: e => edges[e].paint(),
    /** Show only the given ways, {nodes, edges}, or everything. */
    dim(ways) {
      set(layer, "class", ways ? "dim" : "");
      mark("way", id => Boolean(ways?.nodes.has(id)), e => Boolean(ways?.edges.has(e)));
    },
    /** Mark the edges of one way, or none. */
    mark: way => mark("one", () => false, e => way.has(e)),
    hover: (id, e) => mark("hov", k => k === id, k => k === e),
  };
}

/** A frame around an open group, with its name and, where it can be closed, a button. */
function frame(app, group) {
  const [x, y, width, height] = group.box;
  const title = s("text", { class: "hullt", x: x + width - 8, y: y + 14, "text-anchor": "end", text: group.name });
  if (group.formula) title.append(s("tspan", { class: "formula", text: `  ${group.formula}` }));
  const parts = [s("rect", { class: "hull", x, y, width, height, rx: 10 }), title];
  if (group.closable && app.levels.canClose(group.id)) {
    const label = app.say("close_group", { name: group.name });
    parts.push(toggle("close", label, x + 6, y + 3, () => app.levels.toggle(group.id)));
  }
  return s("g", { class: "fr" }, ...parts);
}

/** The cards; rows come after the cards that hold them, since SVG has no other order than that of its elements. */
function buildNodes(app, layer) {
  const { level } = app.session;
  const uses = level.nodes.map(() => 0);
  for (const edge of level.edges) if (!edge.quiet) uses[edge.tail] += 1;
  const folded = new Map(level.edges.flatMap((edge, e) => (edge.folded ? [[edge.tail, e]] : [])));
  const rows = s("g");
  const build = node => buildNode(app, named(level, node), uses[node.id], folded.get(node.id));
  const nodes = level.nodes.map(node => (node.box ? build(node) : null));
  nodes.forEach((built, id) => built && (level.nodes[id].row_of ? rows : layer).append(built.group));
  layer.append(rows);
  return nodes;
}

/** A node as its card shows it: rows of a closed group have their full names where the short ones occur twice. */
function named(level, node) {
  if (!node.row_of) return node;
  const names = level.nodes[node.row_of[0]].rows.map(id => level.nodes[id].name);
  return new Set(names).size < names.length ? { ...node, name: node.full } : node;
}

function buildNode(app, node, uses, own) {
  const { level, settings } = app.session;
  const path = node.role === "parameter" && node.path !== node.full ? `${node.full}: ${node.path}` : node.full;
  const group = s("g", { class: `nd ${node.role}` }, s("title", { text: path }));
  const paint = card(node, group, {
    uses, tall: level.card === "tall", gradientName: settings.mode === "forward" ? app.say("tangent") : "grad",
    hiddenLabel: node.hidden ? app.say("hidden", { n: node.hidden }) : "",
    openLabel: node.closed ? app.say("open_group", { name: node.full }) : "",
    open: () => app.levels.toggle(node.closed),
  });
  group.onpointerenter = () => app.hover(node.id, null);
  group.onpointerleave = () => app.hover(null, null);
  group.onclick = () => app.select(node.id);
  group.ondblclick = () => app.player.jump(node.id);
  return { group, paint: () => paintNode(app, node, group, paint, uses, own) };
}

function paintNode(app, node, group, paint, uses, own) {
  const { session } = app;
  const state = nodeState(session, node.id);
  const kind = [node.role, node.row_of && "row", node.closed && "closed"];
  const names = [...kind, !state.known && "wait", state.role, app.selected === node.id && "sel"];
  set(group, "class", ["nd", ...names, ...marks(group)].filter(Boolean).join(" "));
  if (node.row_of) {
    const edge = edgeState(session, own);
    const value = session.numbers.local[own] ?? 0;
    state.slope = edge.on ? { value, lit: edge.lit, hidden: edge.hidden } : null;
  } else state.circles = circlesOf(session, node.id, uses);
  paint(state);
}
