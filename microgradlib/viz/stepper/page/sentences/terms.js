// Sentences of the backward pass and of sweeps: the term that moves along an edge.

import { bracketed } from "../model/formulas.js";
import { arrived } from "../model/frames.js";
import { format } from "../model/numbers.js";
import { line, MOST_LINES, name, numberPart, plain, sign } from "./parts.js";
import { slopeText, termText } from "../model/states.js";
import { layers } from "../model/stops.js";
import { some } from "../model/words.js";

const MOST_IN_ROW = 12; // numbers of δ

const isForward = session => session.settings.mode === "forward";

export function seed(session, say, frame) {
  const { full } = session.level.nodes[frame.node];
  const number = numberPart("grad", `∂${full}/∂${full}`, format(session.level.seed), say("gradient"));
  return { parts: [name(`${full}.grad`), sign("="), number], why: [plain(say("seed_why", { node: full }))] };
}

export function again(session, say) {
  const stale = session.settings.bug === "stale";
  const why = plain(say(stale ? "again_stale" : "again"), stale ? "bad" : "");
  return { parts: [name(say("second_pass"))], why: [why] };
}

/** Name of the number that flows: a node's gradient, or in forward mode its tangent, ∂node/∂(the swept input). */
export function flowing(session, id) {
  const { full } = session.level.nodes[id];
  if (!isForward(session)) return `${full}.grad`;
  const swept = session.pass.frames[session.start]?.node;
  return swept === undefined ? `∂${full}` : `∂${full}/∂${session.level.nodes[swept].full}`;
}

/** The nodes that use a node and report to it. */
export function users(session, id) {
  return session.level.edges.filter(e => e.tail === id && !e.quiet).map(e => session.level.nodes[e.head].full);
}

export function term(session, say) {
  const { rows } = session.now;
  if (session.settings.by === "layer" && rows.length > 1) return layer(session, say);
  if (rows.length === 1) return { parts: single(session, say, rows[0]), why: whyTerm(session, say) };
  if (rows.every(row => row.wall)) return { parts: nothing(session, say), why: whyTerm(session, say) };
  return several(session, say);
}

/** upstream · local in reverse mode, local · tangent in forward mode. */
const product = (session, up, local) => (isForward(session) ? [local, sign("·"), up] : [up, sign("·"), local]);

function single(session, say, row) {
  const hidden = what => (session.hides(what) ? "?" : null);
  const slope = slopeText(session, row.edge);
  const formula = slope.formula && !hidden("local") ? ` = ${slope.formula}` : "";
  const up = numberPart(
    "grad", flowing(session, row.from), hidden("upstream") ?? bracketed(format(row.up)),
    say(isForward(session) ? "tangent" : "upstream"),
  );
  const local = numberPart("local", slope.symbol + formula, hidden("local") ?? bracketed(slope.number), say("local"));
  const begin = [name(flowing(session, row.to)), sign("+="), ...product(session, up, local), sign("=")];
  return [...begin, ...(session.question ? [{ is: "ask" }] : outcome(session, say, row))];
}

/** The term, and the sum that it makes. */
function outcome(session, say, row) {
  const last = row.k === row.of;
  const count = say("term_of", { k: row.k, n: row.of });
  const sum = !row.wall && (row.of > 1 || session.wrong) ? `${format(row.before ?? 0)} + ${bracketed(format(row.add))} = ` : "";
  const caption = last ? (isForward(session) ? "tangent" : "gradient") : "sum_so_far";
  const total = sum + format(row.after);
  return [
    numberPart("term", count, termText(row), say("is_added")), sign("→"),
    numberPart(last ? "grad" : "term", flowing(session, row.to), total, say(caption)),
  ];
}

/** Several terms that are stopped, out of one node. */
function nothing(session, say) {
  const { rows } = session.now;
  const targets = some(rows.map(row => session.level.nodes[row.to].full), 3);
  const [row] = rows;
  const up = numberPart("grad", flowing(session, row.from), bracketed(format(row.up)), say("upstream"));
  const local = numberPart("local", "…", row.up === null ? "…" : "0", say("local"));
  const none = numberPart("term", "", format(null), say("is_added"));
  return [name(targets), sign("+="), ...product(session, up, local), sign("="), none];
}

/** Several terms at once, a line for each. */
function several(session, say) {
  const { rows } = session.now;
  const lines = rows.slice(-MOST_LINES).map(row => {
    const up = numberPart("grad", "", bracketed(format(row.up)));
    const local = numberPart("local", "", bracketed(format(row.local ?? 0)));
    const factors = product(session, up, local);
    const result = numberPart("term", "", termText(row));
    return line(name(flowing(session, row.to)), sign("+="), ...factors, sign("="), result);
  });
  const more = rows.length - MOST_LINES;
  const first = more > 0 ? [line(sign(say("more_before", { n: more })))] : [];
  return { parts: [...first, ...lines], why: [...whyTerm(session, say), plain(say("at_once", { n: rows.length }))] };
}

// ---- a layer at once: δ

function layer(session, say) {
  const { from, to, rows } = session.now;
  const list = layers(session.level);
  const group = list.find(g => g.row.some(id => from.has(id))) ?? list.find(g => g.row.some(id => to.has(id)));
  if (!group || isForward(session)) return several(session, say);
  const why = [plain(aboutRow(say, group)), plain(say("at_once", { n: rows.length }))];
  return { parts: layerRow(session, group, say("gradient")), why };
}

/** What the row of a layer is: δ, the gradients of its net inputs, or where these are closed those of its results. */
export function aboutRow(say, group) {
  return say(group.symbol.startsWith("δ") ? "delta" : "results", { layer: group.name });
}

/** The gradients of the units of a layer as a row vector: δ⁽¹⁾ = [ 3.812  0  — ]. */
export function layerRow(session, group, caption = "") {
  const texts = group.row.map(id => {
    const last = arrived(session.pass, id, session.i);
    return format(last && last.k === last.of ? last.after : null);
  });
  const shown = texts.length > MOST_IN_ROW ? [...texts.slice(0, MOST_IN_ROW - 1), "…"] : texts;
  const row = numberPart("grad", "", `[ ${shown.join("   ")} ]`, caption);
  return [name(group.symbol), sign("="), row];
}

// ---- why

function whyTerm(session, say) {
  const { nodes } = session.level;
  const { rows } = session.now;
  const row = rows[rows.length - 1];
  const to = nodes[row.to].full;
  const wall = row.wall ? [plain(wallWhy(session, say))] : [];
  if (isForward(session)) return [plain(say("tangent_why", { node: to })), ...wall];
  const turn = session.settings.bug === "order" ? [] : [plain(turnWhy(session, say, rows[0]))];
  if (session.question) return turn;
  const waits = row.of - row.k;
  const state = waits ? say("waits", { node: to, n: waits }) : say("complete", { node: to });
  const zero = row.up === 0 ? [plain(say("zero_upstream", { node: nodes[row.from].full }))] : [];
  return [...turn, ...(row.wall ? wall : [...zero, plain(state)])];
}

/** Why this node passes on now. */
function turnWhy(session, say, row) {
  const node = session.level.nodes[row.from].full;
  if (session.pass.rows[row.i - 1]?.from === row.from) return say("still", { node });
  const by = users(session, row.from);
  return by.length ? say("turn", { node, users: some(by, 5) }) : say("turn_output", { node });
}

/** Why nothing passes. */
function wallWhy(session, say) {
  const { nodes, edges } = session.level;
  const { rows } = session.now;
  const row = rows[rows.length - 1];
  const targets = some(rows.map(r => nodes[r.to].full));
  const from = nodes[row.from].full;
  if (row.up === null && isForward(session)) return say("no_tangent", { node: targets, input: from });
  if (row.up === null) return say("nothing_upstream", { node: from, input: targets });
  const { head, tail } = edges[row.edge];
  return say("wall", { node: nodes[head].full, input: rows.length > 1 ? targets : nodes[tail].full });
}
