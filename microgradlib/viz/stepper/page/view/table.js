// The table of gradients: a block of lines for each node, a line for each of its terms. The graph for keyboard and
// screen reader: one tab stop, ↑ and ↓ move between nodes, Enter shows a node's whole sum.

import { h, set } from "./dom.js";
import { clip } from "../model/words.js";
import { isQuiet, nodeState } from "../model/states.js";
import { paintCheck, paintGradient, paintTerm, paintValue, paintWrong, termCell } from "./table_cells.js";

const HEAD = 30; // pixels of the head, which stays while the table scrolls
const LONGEST_NAME = 20; // characters; the middle of longer ones is left out
const MANY = 6; // of so many terms the first line, with name and gradient, stays while they scroll

/** Build the table of the session's level: {element, paint(id), hover(id, e), show(id)}. */
export function buildTable(app) {
  const { level, settings } = app.session;
  const bug = settings.mode === "reverse" ? settings.bug : "";
  const terms = termsInOrder(app.session);
  const titles = columns(app, bug);
  const heads = titles.map(([text, name]) => h("th", { class: name, scope: "col", text }));
  const longest = Math.max(...level.nodes.map(node => Math.min(LONGEST_NAME, node.full.length)));
  heads[0].style.width = `${Math.max(56, 24 + longest * 8)}px`;
  const table = h("table", { "aria-label": app.say("table") }, h("thead", {}, h("tr", {}, ...heads)));
  const blocks = new Map();
  for (const { title, nodes } of sections(level, app.say("other_nodes"))) {
    if (title) table.append(sectionTitle(title, titles.length));
    for (const node of nodes) {
      const block = buildBlock(app, node, bug, terms[node.id]);
      blocks.set(node.id, block);
      table.append(block.body);
    }
  }
  const element = h("div", { class: "tablebox" }, table);
  const names = [...table.querySelectorAll("tbody th button")];
  if (names.length) names[0].tabIndex = 0;
  element.onkeydown = event => walk(event, element.getRootNode(), names);
  return {
    element,
    paint: id => blocks.has(id) && paintBlock(app, blocks.get(id)),
    hover(id, e) {
      for (const [key, block] of blocks) {
        block.body.classList.toggle("hov", key === id);
        for (const line of block.lines) line.row.classList.toggle("hov", e !== null && line.edge === e);
      }
    },
    /** Scroll a node's lines into view, or of many the one in which something happens. */
    show(id) {
      const block = blocks.get(id);
      const height = element.clientHeight;
      if (!block || !height) return;
      const lit = block.lines.find(line => line.cell.classList.contains("lit"));
      const lines = lit && block.lines.length > MANY ? lit.row : block.body;
      const [top, bottom] = [lines.offsetTop - HEAD, lines.offsetTop + lines.offsetHeight];
      const { scrollTop } = element;
      if (top < scrollTop || bottom > scrollTop + height) element.scrollTop = top - (height - HEAD) / 2 + HEAD;
    },
  };
}

/** For each node the edges out of it, in the order in which their terms arrive. */
function termsInOrder(session) {
  const uses = session.level.nodes.map(() => []);
  for (const row of session.reverse.rows) if (row) uses[row.to].push(row.edge);
  return uses;
}

/** Titles and classes of the columns. */
function columns(app, bug) {
  const { say } = app;
  const forward = app.session.settings.mode === "forward";
  const other = [[say(bug === "order" ? "right_number" : "with_bug"), "cg"]];
  return [
    [say("name"), "cn"], [say("value"), "cv"], [say(forward ? "tangent_chain" : "chain"), "ct"],
    [say(forward ? "tangent" : "gradient"), "cg"], ...(bug ? other : []),
    [forward ? `${say("gradient")}, ${say("check")}` : say("check"), forward ? "cc two wide" : "cc wide"],
  ];
}

function sectionTitle(text, colspan) {
  const title = h("th", { colspan: colspan - 1, scope: "rowgroup", text });
  return h("tbody", { class: "grp" }, h("tr", {}, title, h("td", { class: "wide" }))); // that of the check, which may hide
}

/** Inputs first, then the groups in order, then what stands alone. */
function sections(level, others) {
  const listed = level.nodes.filter(n => !isQuiet(n));
  if (!level.groups.length) return [{ title: "", nodes: listed }];
  const titles = new Map(level.groups.map(g => [g.id, g.name]));
  const groups = new Map();
  for (const node of listed.filter(n => n.group.length)) {
    const title = node.group.map(id => titles.get(id) ?? id).join(" › ");
    const key = node.group.join(" ");
    if (!groups.has(key)) groups.set(key, { title, nodes: [] });
    groups.get(key).nodes.push(node);
  }
  const alone = listed.filter(n => !n.group.length);
  const [inputs, rest] = [alone.filter(n => !n.op), alone.filter(n => n.op)];
  const last = { title: groups.size && rest.length ? others : "", nodes: rest };
  return [{ title: "", nodes: inputs }, ...groups.values(), last];
}

/** The lines of a node: its name, value, gradient and check beside all of its terms. */
function buildBlock(app, node, bug, terms) {
  const edges = app.session.settings.mode === "forward" ? node.in ?? [] : terms;
  const rowspan = Math.max(1, edges.length);
  const cell = name => h("td", { class: name, rowspan });
  const onclick = () => app.select(node.id);
  const named = { text: clip(node.full, LONGEST_NAME), title: node.full };
  const button = h("button", { type: "button", "data-k": `n${node.id}`, tabindex: -1, ...named, onclick });
  const cells = { value: cell("num"), gradient: cell("num g"), check: cell("num wide") };
  const body = h("tbody", { class: rowspan > MANY ? "many" : "" });
  const block = { node, body, lines: [], ...cells, wrong: bug ? cell("num g") : null };
  for (let k = 0; k < rowspan; k += 1) {
    const term = termCell();
    const row = h("tr");
    if (!k) row.append(h("th", { scope: "row", rowspan }, button), block.value);
    row.append(term.cell);
    if (!k) row.append(block.gradient, ...(bug ? [block.wrong] : []), block.check);
    const line = { row, edge: edges[k] ?? null, ...term };
    if (line.edge !== null) connect(app, node, line);
    block.lines.push(line);
    block.body.append(row);
  }
  block.body.onpointerenter = () => app.hover(node.id, null);
  block.body.onpointerleave = () => app.hover(null, null);
  return block;
}

/** Hovering a line marks its edge, clicking it goes to the frame of its term. */
function connect(app, node, { row, cell, edge }) {
  row.onpointerenter = event => {
    event.stopPropagation();
    app.hover(null, edge);
  };
  row.onpointerleave = () => app.hover(node.id, null);
  cell.onclick = () => {
    const frames = app.session.pass.moved[edge];
    if (frames.length) app.player.go(frames[frames.length - 1]);
  };
}

function paintBlock(app, block) {
  const { body, node } = block;
  const state = nodeState(app.session, node.id);
  const hovered = body.classList.contains("hov");
  const many = block.lines.length > MANY;
  const names = [many && "many", state.role && "hot", app.selected === node.id && "sel", hovered && "hov"];
  set(body, "class", names.filter(Boolean).join(" "));
  paintValue(block.value, state);
  paintGradient(app, block.gradient, state);
  if (block.wrong) paintWrong(block.wrong, state);
  for (const line of block.lines) paintTerm(app, node, line);
  paintCheck(app, block.check, node, state);
}

/** ↑ and ↓ move between the names of nodes. */
function walk(event, root, names) {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  event.preventDefault();
  event.stopPropagation();
  const next = names[names.indexOf(root.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  for (const name of names) name.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
