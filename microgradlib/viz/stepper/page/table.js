// The table of gradients: a block of lines for each node, a line for each of its terms. The graph for keyboard and
// screen reader: one tab stop, ↑ and ↓ move between nodes, Enter shows a node's whole sum.

import { h, put, set } from "./dom.js";
import { bracketed } from "./formulas.js";
import { format } from "./numbers.js";
import { agrees } from "./numerics.js";
import { isQuiet, nodeState, slopeText, termOf, upstream } from "./states.js";
import { flowing } from "./sentence.js";

/** Build the table of the session's level: {element, paint(id), hover(id, e), show(id)}. */
export function buildTable(app) {
  const { level, settings } = app.session;
  const terms = termsInOrder(app.session);
  const bug = settings.mode === "reverse" ? settings.bug : "";
  const table = h("table", { "aria-label": app.say("table") });
  table.append(h("thead", {}, head(app, bug)));
  const blocks = new Map();
  for (const { title, nodes } of sections(level)) {
    if (title) table.append(h("tbody", { class: "grp" }, h("tr", {}, h("th", { colspan: bug ? 6 : 5, scope: "rowgroup", text: title }))));
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
    paint: id => paintBlock(app, blocks.get(id)),
    checkable: () => [...blocks.keys()],
    hover(id, e) {
      for (const [key, block] of blocks) {
        block.body.classList.toggle("hov", key === id);
        for (const line of block.lines) line.row.classList.toggle("hov", e !== null && line.edge === e);
      }
    },
    /** Scroll a node's lines into view. */
    show(id) {
      const body = blocks.get(id)?.body;
      if (!body || !element.clientHeight) return;
      const [top, bottom] = [body.offsetTop - 30, body.offsetTop + body.offsetHeight + 4];
      if (top < element.scrollTop || bottom > element.scrollTop + element.clientHeight) element.scrollTop = top - element.clientHeight / 2 + 40;
    },
  };
}

/** For each node the edges out of it, in the order in which their terms arrive. */
function termsInOrder(session) {
  const uses = session.level.nodes.map(() => []);
  for (const row of session.reverse.rows) if (row) uses[row.to].push(row.edge);
  return uses;
}

function head(app, bug) {
  const { say } = app;
  const forward = app.session.settings.mode === "forward";
  const titles = [
    [say("name"), "cn"], [say("value"), "cv"], [say(forward ? "tangent_chain" : "chain"), "wide"],
    [say(forward ? "tangent" : "gradient"), "cg"], ...(bug ? [[say(bug === "order" ? "right_number" : "with_bug"), "cg"]] : []),
    [say("check"), "cc wide"],
  ];
  return h("tr", {}, ...titles.map(([text, className]) => h("th", { class: className, scope: "col", text })));
}

/** Inputs first, then the groups in order, then what stands alone. */
function sections(level) {
  const listed = level.nodes.filter(n => !isQuiet(n));
  if (!level.groups.length) return [{ title: "", nodes: listed }];
  const names = new Map(level.groups.map(g => [g.id, g.name]));
  const key = node => node.group.join(" ");
  const groups = new Map();
  const inputs = listed.filter(n => !n.op && !n.group.length);
  for (const node of listed.filter(n => n.group.length)) groups.set(key(node), [...(groups.get(key(node)) ?? []), node]);
  const rest = listed.filter(n => n.op && !n.group.length);
  const titled = [...groups.values()].map(nodes => ({ title: nodes[0].group.map(id => names.get(id) ?? id).join(" › "), nodes }));
  return [{ title: "", nodes: inputs }, ...titled, { title: titled.length && rest.length ? "—" : "", nodes: rest }].filter(x => x.nodes.length);
}

function buildBlock(app, node, bug, terms) {
  const forward = app.session.settings.mode === "forward";
  const edges = forward ? node.in ?? [] : terms;
  const button = h("button", { type: "button", "data-k": `n${node.id}`, tabindex: -1, text: node.full, onclick: () => app.select(node.id) });
  const count = Math.max(1, edges.length);
  const span = { rowspan: count };
  const block = {
    node, body: h("tbody"), lines: [], value: h("td", { class: "num", ...span }), gradient: h("td", { class: "num g", ...span }),
    check: h("td", { class: "num wide", ...span }), wrong: bug ? h("td", { class: "num g", ...span }) : null,
  };
  for (let k = 0; k < count; k += 1) {
    const cell = h("td", { class: "t num wide" });
    const row = h("tr");
    if (!k) row.append(h("th", { scope: "row", ...span }, button), block.value);
    row.append(cell);
    if (!k) row.append(block.gradient, ...(bug ? [block.wrong] : []), block.check);
    block.lines.push({ row, edge: edges[k] ?? null, cell, ...termCell(cell) });
    wire(app, node, row, edges[k] ?? null);
    block.body.append(row);
  }
  block.body.onpointerenter = () => app.hover(node.id, null);
  block.body.onpointerleave = () => app.hover(null, null);
  return block;
}

/** Hovering a line marks its edge, clicking it goes to the frame of its term. */
function wire(app, node, row, edge) {
  if (edge === null) return;
  row.onpointerenter = event => {
    event.stopPropagation();
    app.hover(null, edge);
  };
  row.onpointerleave = () => app.hover(node.id, null);
  row.lastChild.onclick = null;
  const cell = row.querySelector("td.t");
  cell.onclick = () => {
    const frames = app.session.pass.moved[edge];
    if (frames.length) app.go(frames[frames.length - 1]);
  };
}

/** The pieces of a term, so that painting sets texts alone: from whom, upstream · local = term, or the same in symbols. */
function termCell(cell) {
  const [who, first, second, result, symbols] = ["q who", "", "", "a", "q sy"].map(name => h("span", { class: name }));
  const numbers = h("span", {}, first, " · ", second, " = ", result);
  cell.append(who, numbers, symbols);
  return { who, first, second, result, symbols, numbers };
}

function paintBlock(app, block) {
  if (!block) return;
  const { session } = app;
  const { node } = block;
  const state = nodeState(session, node.id);
  const hovered = block.body.classList.contains("hov");
  set(block.body, "class", [state.role ? "hot" : "", app.selected === node.id ? "sel" : "", hovered ? "hov" : ""].filter(Boolean).join(" "));
  withOld(block.value, state.oldValue, state.known ? format(state.value) : "?");
  paintGradient(app, block.gradient, state);
  if (block.wrong) paintWrong(app, block.wrong, state);
  for (const line of block.lines) paintTerm(app, node, line);
  paintCheck(app, block.check, node, state);
}

const shown = new WeakMap(); // what stands in a cell of several parts

/** A number, with the one before a slider moved struck through beside it. */
function withOld(cell, old, text, className = "") {
  const parts = old === null ? [text] : [h("span", { class: "was", text: format(old) }), text];
  const key = `${old}|${text}|${className}`;
  if (shown.get(cell) === key) return;
  shown.set(cell, key);
  cell.replaceChildren(...parts.map(part => (typeof part === "string" ? h("span", { class: className, text: part }) : part)));
}

function paintGradient(app, cell, state) {
  const { kind, value, k, of } = state.gradient;
  const mark = kind === "part" && of > 1 ? ` ${k}/${of}` : kind === "wall" ? " ⊣" : "";
  const text = kind === "hidden" ? "?" : format(kind === "none" ? null : value);
  const tones = { full: "u", part: "a part", hidden: "a part", wall: "q", none: "q" };
  const bad = state.mistake && app.session.settings.bug === "order" ? "b" : tones[kind];
  withOld(cell, state.oldGradient, text + mark, bad);
  set(cell, "title", kind === "wall" ? app.say("never_reached") : kind === "part" && of > 1 ? app.say("terms_arrived", { k, n: of }) : "");
}

/** The number with the bug; for a wrong order, where the shown run is the wrong one, the right number. */
function paintWrong(app, cell, state) {
  const order = app.session.settings.bug === "order";
  const { mistake, gradient } = state;
  const text = mistake ? (order ? format(mistake.right) : `✗ ${format(mistake.wrong)}`) : gradient.kind === "none" ? "—" : "=";
  put(cell, text);
  set(cell, "class", `num g ${mistake ? (order ? "u" : "b") : "q"}`);
}

function paintTerm(app, node, line) {
  const { session } = app;
  const { level } = session;
  const forward = session.settings.mode === "forward";
  if (line.edge === null) {
    line.numbers.hidden = true;
    put(line.symbols, node.id === level.output && !forward ? "∂/∂ = 1" : "");
    return;
  }
  const term = termOf(session, line.edge);
  const edge = level.edges[line.edge];
  line.numbers.hidden = !term;
  line.symbols.hidden = Boolean(term);
  set(line.cell, "class", `t num wide${term?.here ? " lit" : ""}`);
  if (!term) {
    for (const piece of [line.who, line.first, line.second, line.result]) put(piece, "");
    for (const piece of [line.first, line.second]) set(piece, "class", "");
    const slope = slopeText(session, line.edge).symbol;
    put(line.symbols, forward ? `${slope} · ${flowing(session, edge.tail)}` : `${level.nodes[edge.head].full}.grad · ${slope}`);
    return;
  }
  put(line.symbols, "");
  const hidden = what => term.hidden && session.hides(what);
  const up = [hidden("upstream") ? "?" : bracketed(format(upstream(session, term))), "u"];
  const local = [hidden("local") ? "?" : bracketed(format(term.local ?? 0)), "l"];
  const [first, second] = forward ? [local, up] : [up, local];
  put(line.who, level.nodes[term.from].full);
  put(line.first, first[0]);
  set(line.first, "class", first[1]);
  put(line.second, second[0]);
  set(line.second, "class", second[1]);
  put(line.result, term.hidden ? "?" : format(term.add));
}

/** The numeric derivative beside a final gradient: agreement, disagreement, or a kink. */
function paintCheck(app, cell, node, state) {
  const { session } = app;
  const forward = session.settings.mode === "forward";
  const answer = session.pass.answers.get(node.id);
  const gradient = forward ? (answer && answer.i <= session.i ? answer.value ?? 0 : null) : ["full", "wall"].includes(state.gradient.kind) ? state.gradient.value : null;
  const wanted = gradient !== null && session.level.inputs.includes(node.id) && !session.settings.bug && session.settings.mode !== "training";
  const check = wanted ? session.check(node.id, app.mayCheck()) : null;
  if (!check) {
    put(cell, wanted && app.session.operations ? "…" : "");
    set(cell, "class", "num wide");
    set(cell, "title", "");
    if (wanted) app.checkLater(node.id);
    return;
  }
  const numbers = { value: format(Number(check.value)), error: Number(check.error).toExponential(0), left: side(check.left), right: side(check.right) };
  const right = agrees(check, gradient);
  put(cell, check.kink ? `⚠ ${numbers.left} | ${numbers.right}` : `${forward ? `${format(gradient)} · ` : ""}${rounded(check.value)} ${right ? "✓" : "✗"}`);
  set(cell, "class", `num wide ${check.kink || !right ? "b" : "q"}`);
  set(cell, "title", app.say(check.kink ? "kink_title" : "check_title", numbers));
}

/** A number found by differences: what lies below their error is not shown. */
const rounded = x => {
  const value = Number(x);
  return format(Math.abs(value) < 1e-9 ? 0 : Number(value.toPrecision(5)));
};

/** The derivative from one side, which is only as good as its step. */
const side = x => format(Math.abs(Number(x)) < 1e-4 ? 0 : Number(Number(x).toPrecision(3)));

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
