// The sentence of a frame, as data: {parts, why, speech}. It says one step with its numbers, and why it is next.
//
// A part is {is: "name", text} (what is computed), {is: "sign", text}, {is: "number", tone, symbol, text, caption},
// {is: "ask"} (here the form of a prediction stands) or {is: "line", items} (one of several steps at once).
// A tone is a colour: "value", "grad", "local", "term" or "bad". `why` is a list of {text, tone}.

import { bracketed, pieces, placed } from "./formulas.js";
import { arrived } from "./frames.js";
import { format } from "./numbers.js";
import { agrees } from "./numerics.js";
import { mistakeOf, slopeText, upstream, valueOf } from "./states.js";
import { layers } from "./stops.js";
import { some } from "./words.js";

const MOST_INPUTS = 6;
const MOST_LINES = 4;

const name = text => ({ is: "name", text });
const sign = text => ({ is: "sign", text });
const number = (tone, symbol, text, caption = "") => ({ is: "number", tone, symbol, text, caption });
const line = (...items) => ({ is: "line", items });
const plain = (text, tone = "") => ({ text, tone });

/** What stands at the present frame: {parts, why, speech}. */
export function sentence(session, say) {
  const frame = session.pass.frames[session.i];
  const tell = { start, value, after, seed, term, tangent, sweep, again, update, done }[frame.do];
  const told = tell(session, say, frame);
  const story = bugStory(session, say);
  if (story.length) told.why = [...story, ...(session.now.rows.length ? [] : told.why)];
  told.why = told.why.map(line => ({ ...line, text: ended(line.text) }));
  const words = told.parts.flatMap(part => (part.is === "line" ? part.items : [part])).map(part => part.speech ?? part.text ?? "");
  told.speech = [ended(words.join(" ").trim()), ...told.why.map(w => w.text)].join(" ");
  return told;
}

/** A text with the mark that ends a sentence. */
const ended = text => (/[.!?。！？]$/.test(text) ? text : text + (/[\u4e00-\u9fff]/.test(text) ? "。" : "."));

function start(session, say) {
  return { parts: [name(say("start"))], why: [plain(say("start_why"))] };
}

// ---- the forward pass

function value(session, say, frame) {
  const made = [...session.now.fresh];
  if (made.length > 1) {
    const lines = made.slice(-MOST_LINES).map(id => line(name(session.level.nodes[id].full), sign("="), ...arithmetic(session, id, "plain")));
    return { parts: lines, why: [plain(say("values_why", { n: made.length, nodes: some(made.map(id => session.level.nodes[id].full)) }))] };
  }
  const node = session.level.nodes[frame.node];
  const inputs = node.in.map(e => session.level.nodes[session.level.edges[e].tail].full);
  const slopes = node.in.map(e => slopeText(session, e)).map(s => `${s.symbol} = ${s.formula ? `${s.formula} = ` : ""}${s.number}`);
  const why = say("value_why", { node: node.full, inputs: some(inputs), n: new Set(inputs).size, derivatives: some(slopes, 3) });
  return { parts: [name(node.full), sign("="), ...arithmetic(session, node.id)], why: [plain(why), ...kinkNote(node, say)] };
}

const kinkNote = (node, say) => (node.kink ? [plain(say("on_kink", { note: node.kink }), "bad")] : []);

/** The formula of a node with the numbers of its inputs, each under its name, and the result. */
function arithmetic(session, id, style = "columns") {
  const { level, numbers } = session;
  const node = level.nodes[id];
  const tails = node.in.map(e => level.edges[e].tail);
  const result = number("value", style === "columns" ? node.full : "", format(valueOf(session, id)));
  const list = pieces(node.text || `${node.sign}(${tails.map((_, k) => `{${k}}`).join(", ")})`);
  const places = list.flatMap((piece, index) => (piece.place === undefined ? [] : [index]));
  const cut = places.length > MOST_INPUTS ? [places[3], places[places.length - 1]] : [list.length, list.length];
  const parts = list.flatMap((piece, index) => {
    if (index >= cut[0] && index < cut[1]) return index === cut[0] ? [sign("… + ")] : [];
    if (typeof piece === "string") return [sign(piece)];
    const tail = tails[piece.place];
    return [number("value", style === "columns" ? level.nodes[tail].full : "", placed(list, index, format(numbers.value[tail])))];
  });
  return [...parts, sign("="), result];
}

function after(session, say, frame) {
  const { before, after: then } = session.training;
  const why = [plain(say("after_why", { before: format(before), after: format(then) }))];
  if (then > before) why.push(plain(say("loss_rose", { rate: format(session.rate) }), "bad"));
  return { parts: lossParts(session, say, frame.node), why };
}

function lossParts(session, say, id) {
  const { before, after: then } = session.training;
  const texts = [number("value", say("loss_before"), format(before)), sign("→"), number("value", say("loss_after"), format(then))];
  return [name(session.level.nodes[id].full), ...texts];
}

// ---- the backward pass

function seed(session, say, frame) {
  const { full } = session.level.nodes[frame.node];
  return { parts: [name(`${full}.grad`), sign("="), number("grad", `∂${full}/∂${full}`, format(session.level.seed), say("gradient"))], why: [plain(say("seed_why", { node: full }))] };
}

/** Name of the number that flows: the gradient of a node, or in forward mode its tangent, ∂node/∂(the swept input). */
export function flowing(session, id) {
  const { full } = session.level.nodes[id];
  if (session.settings.mode !== "forward") return `${full}.grad`;
  const at = session.pass.frames[session.start];
  return at?.node === undefined ? `∂${full}` : `∂${full}/∂${session.level.nodes[at.node].full}`;
}

function term(session, say) {
  const { rows } = session.now;
  if (session.settings.by === "layer" && rows.length > 1) return layer(session, say);
  const row = rows[rows.length - 1];
  const walls = rows.length > 1 && rows.every(r => r.wall);
  if (rows.length > 1 && !walls) return several(session, say);
  return { parts: oneTerm(session, say, row, walls ? rows : [row]), why: whyTerm(session, say, rows) };
}

const tangent = term;

function oneTerm(session, say, row, rows) {
  const { level } = session;
  const forward = session.settings.mode === "forward";
  const target = flowing(session, row.to);
  const hidden = what => (session.hides(what) ? "?" : null);
  const slope = slopeText(session, row.edge);
  const off = row.up === null; // nothing comes from upstream: whatever the local derivative is
  const up = number("grad", flowing(session, row.from), hidden("upstream") ?? bracketed(format(upstream(session, row))), say(forward ? "tangent" : "upstream"));
  const symbol = rows.length > 1 ? "…" : slope.symbol + (slope.formula && !hidden("local") ? ` = ${slope.formula}` : "");
  const local = number("local", symbol, hidden("local") ?? (rows.length > 1 && off ? "…" : bracketed(slope.number)), say("local"));
  const titles = rows.length > 1 ? some(rows.map(r => level.nodes[r.to].full), 3) : target;
  const parts = [name(titles), sign("+="), ...(forward ? [local, sign("·"), up] : [up, sign("·"), local]), sign("=")];
  if (session.question) return [...parts, { is: "ask" }];
  parts.push(number("term", rows.length > 1 ? "" : say("term_of", { k: row.k, n: row.of }), format(row.add), say("is_added")));
  if (rows.length > 1) return parts;
  const last = row.k === row.of;
  const sum = row.of > 1 || session.wrong ? `${format(row.before ?? 0)} + ${bracketed(format(row.add))} = ` : "";
  const caption = last ? (forward ? "tangent" : "gradient") : "sum_so_far";
  return [...parts, sign("→"), number(last ? "grad" : "term", target, sum + format(row.after ?? 0), say(caption))];
}

/** Several terms at once, a line for each. */
function several(session, say) {
  const { rows } = session.now;
  const forward = session.settings.mode === "forward";
  const lines = rows.slice(-MOST_LINES).map(row => {
    const up = number("grad", "", bracketed(format(upstream(session, row))));
    const local = number("local", "", bracketed(format(row.local ?? 0)));
    const factors = forward ? [local, sign("·"), up] : [up, sign("·"), local];
    return line(name(flowing(session, row.to)), sign("+="), ...factors, sign("="), number("term", "", format(row.add)));
  });
  const first = rows.length > MOST_LINES ? [sign(say("more_before", { n: rows.length - MOST_LINES }))] : [];
  return { parts: [...first, ...lines], why: [...whyTerm(session, say, rows), plain(say("at_once", { n: rows.length }))] };
}

/** A layer at once: δ, the gradients of the net inputs of its units, as a row vector. */
function layer(session, say) {
  const from = session.now.from;
  const group = layers(session.level).find(g => g.delta.some(id => from.has(id))) ?? layers(session.level).find(g => g.delta.some(id => session.now.to.has(id)));
  if (!group) return several(session, say);
  return { parts: delta(session, group, say), why: [plain(say("delta", { layer: group.name })), plain(say("at_once", { n: session.now.rows.length }))] };
}

/** δ of a layer as a row vector: δ⁽¹⁾ = [ 3.812  0  — ]. */
export function delta(session, group, say) {
  const texts = group.delta.map(id => {
    const last = arrived(session.pass, id, session.i);
    return format(last && last.k === last.of ? last.after ?? 0 : null);
  });
  const shown = texts.length > 12 ? [...texts.slice(0, 11), "…"] : texts;
  return [name(group.symbol || `δ(${group.name})`), sign("="), number("grad", "", `[ ${shown.join("   ")} ]`, say("gradient"))];
}

/** The nodes that use a node and report to it. */
const consumers = (session, id) => session.level.edges.filter(e => e.tail === id && !e.quiet).map(e => session.level.nodes[e.head].full);

function whyTerm(session, say, rows) {
  const { nodes } = session.level;
  const row = rows[rows.length - 1];
  const [from, to] = [nodes[row.from].full, nodes[row.to].full];
  if (session.settings.mode === "forward") return [plain(say("tangent_why", { node: to })), ...(row.wall ? [plain(wallWhy(session, say, row, rows))] : [])];
  const before = session.pass.rows[rows[0].i - 1];
  const users = consumers(session, row.from);
  const first = users.length ? say("turn", { node: from, users: some(users, 5) }) : say("turn_output", { node: from });
  const turn = before?.from === row.from ? say("still", { node: from }) : first;
  const told = session.settings.bug === "order" ? [] : [plain(turn)];
  if (session.question) return told;
  if (row.wall) return [...told, plain(wallWhy(session, say, row, rows))];
  return [...told, plain(row.k === row.of ? say("complete", { node: to }) : say("waits", { node: to, n: row.of - row.k }))];
}

function wallWhy(session, say, row, rows) {
  const { nodes, edges } = session.level;
  const others = some(rows.map(r => nodes[r.to].full));
  if (row.up === null && session.settings.mode === "forward") return say("no_tangent", { node: others, input: nodes[row.from].full });
  if (row.up === null) return say("nothing_upstream", { node: nodes[row.from].full, input: others });
  const { head, tail } = edges[row.edge];
  return say("wall", { node: nodes[head].full, input: rows.length > 1 ? others : nodes[tail].full });
}

function again(session, say) {
  const stale = session.settings.bug === "stale";
  return { parts: [name(say("second_pass"))], why: [plain(say(stale ? "again_stale" : "again"), stale ? "bad" : "")] };
}

// ---- forward mode

function sweep(session, say, frame) {
  const { full } = session.level.nodes[frame.node];
  return {
    parts: [name(say("sweep", { k: frame.sweep + 1, n: frame.of })), number("grad", `∂${full}/∂${full}`, "1", say("tangent"))],
    why: [plain(say("sweep_why", { node: full, k: frame.sweep + 1, n: frame.of }))],
  };
}

// ---- the update

function update(session, say) {
  const frames = session.pass.frames.slice(session.now.first, session.i + 1).filter(f => f.do === "update");
  if (frames.length > 1) {
    const lines = frames.slice(-MOST_LINES).map(f => line(...step(session, say, f.node, true)));
    return { parts: lines, why: [plain(say("at_once", { n: frames.length }))] };
  }
  const [{ node }] = frames;
  const why = say("update_why", { node: session.level.nodes[node].full, rate: format(session.rate) });
  return { parts: step(session, say, node, false), why: [plain(why)] };
}

function step(session, say, id, short) {
  const { full } = session.level.nodes[id];
  const label = text => (short ? "" : text);
  return [
    name(full), sign("←"), number("value", label(full), format(session.numbers.value[id])), sign("−"),
    number("value", label("η"), format(session.rate), label(say("rate"))), sign("·"),
    number("grad", label(`${full}.grad`), bracketed(format(session.finals[id] ?? 0)), label(say("gradient"))), sign("="),
    number("value", label(say("new_value")), format(session.training.parameters.get(id))),
  ];
}

// ---- the end

function done(session, say) {
  const { level, pass } = session;
  const out = level.nodes[level.output].full;
  if (session.training) return { parts: lossParts(session, say, level.output), why: [plain(say("training_done"))] };
  const forward = session.settings.mode === "forward";
  const gradient = id => (forward ? pass.answers.get(id)?.value ?? 0 : arrived(pass, id, session.i)?.after ?? 0);
  const swept = new Set(pass.frames.filter(f => f.do === "sweep").map(f => f.node));
  const inputs = level.inputs.filter(id => !forward || swept.has(id));
  const numbers = inputs.slice(0, 5).map(id => number("grad", `∂${out}/∂${level.nodes[id].full}`, format(gradient(id))));
  const uses = pass.rows.filter(Boolean).length;
  const terms = level.passes.reverse.filter(f => f.do === "term").length;
  const summary = forward
    ? say(swept.size < level.inputs.length ? "done_forward_some" : "done_forward", { sweeps: swept.size, inputs: level.inputs.length, n: uses, m: terms })
    : say("done", { n: uses, m: level.inputs.length });
  return { parts: [...numbers, ...(inputs.length > 5 ? [sign("…")] : [])], why: [plain(summary), ...(session.settings.bug ? [] : checked(session, say, inputs, gradient))] };
}

/** What the numeric derivatives say about the gradients: which were checked, which differ, which are at kinks. */
function checked(session, say, inputs, gradient) {
  const found = inputs.slice(0, 24).map(id => [id, session.check(id)]).filter(([, check]) => check);
  const names = list => some(list.map(([id]) => session.level.nodes[id].full), 6);
  const kinks = found.filter(([, check]) => check.kink);
  const smooth = found.filter(([, check]) => !check.kink);
  const wrong = smooth.filter(([id, check]) => !agrees(check, gradient(id)));
  if (wrong.length) return [plain(say("disagree", { nodes: names(wrong) }), "bad")];
  const told = kinks.length ? [plain(say("at_kink", { nodes: names(kinks) }), "bad")] : [];
  if (!smooth.length) return kinks.length ? told : [plain(say("none_checked"))];
  if (smooth.length === inputs.length) return [plain(say("all_agree", { n: inputs.length }))];
  return [...told, plain(say("some_agree", { n: smooth.length, m: inputs.length }))];
}

// ---- bugs

function bugStory(session, say) {
  const { bug, mode } = session.settings;
  if (mode !== "reverse" || !bug || session.i < session.backward) return [];
  const wrong = session.level.nodes.filter(n => mistakeOf(session, n.id)).length;
  const tally = plain(wrong ? say("differs", { n: wrong }) : say("no_difference"), wrong ? "bad" : "");
  const general = bug === "order" && session.level.order_kind === "unreversed" ? "unreversed_why" : `${bug}_why`;
  const target = session.now.rows.length ? session.now.rows[0].to : session.level.output;
  return [plain(happened(session, say, bug) ?? say(general, { node: session.level.nodes[target].full }), "bad"), tally];
}

/** What the bug does to the number of this very frame. */
function happened(session, say, bug) {
  const row = session.pass.rows[session.i];
  if (!row) return null;
  const { full } = session.level.nodes[row.to];
  if (bug === "order") {
    const from = session.level.nodes[row.from];
    const last = arrived(session.pass, row.from, session.i);
    const due = consumers(session, row.from).length || 1;
    const here = last ? last.k : 0;
    if (here >= due) return null;
    if (!last) return say("too_early_nothing", { node: from.full, m: due });
    return say("too_early", { node: from.full, n: due - here, m: due, upstream: format(last?.after ?? null) });
  }
  const other = session.wrong.rows[session.i];
  if ((other.before ?? 0) === 0 || Object.is(other.after, row.after)) return null;
  return say(bug === "assign" ? "lost" : "kept", { node: full, before: format(other.before), after: format(other.after ?? 0) });
}
