// Sentences of the forward pass: the arithmetic of a node written out.

import { pieces, placed } from "../model/formulas.js";
import { format } from "../model/numbers.js";
import { line, MOST_LINES, name, numberPart, plain, sign } from "./parts.js";
import { slopeText, valueOf } from "../model/states.js";
import { some } from "../model/words.js";

const MOST_INPUTS = 6; // of longer sums the first and the last terms are shown
const SHOWN_FIRST = 3;
const MOST_SLOPES = 3;

export function start(session, say) {
  return { parts: [name(say("start"))], why: [plain(say("start_why")), plain(say("keys"), "keys")] };
}

export function value(session, say, frame) {
  const { nodes } = session.level;
  const made = [...session.now.fresh];
  if (made.length < 2) return one(session, say, nodes[frame.node]);
  const full = made.map(id => nodes[id].full);
  const short = id => line(name(nodes[id].full), sign("="), ...arithmetic(session, id, true));
  const lines = made.slice(-MOST_LINES).map(short);
  return { parts: lines, why: [plain(say("values_why", { n: made.length, nodes: some(full) }))] };
}

function one(session, say, node) {
  const inputs = node.in.map(e => session.level.nodes[session.level.edges[e].tail].full);
  const slopes = node.in.map(e => slopeText(session, e));
  const derivatives = some(slopes.map(s => [s.symbol, s.formula, s.number].filter(Boolean).join(" = ")), MOST_SLOPES);
  const n = new Set(inputs).size;
  const why = [plain(say("value_why", { node: node.full, inputs: some(inputs), n, derivatives }))];
  if (node.kink) why.push(plain(say("on_kink", { note: node.kink }), "bad"));
  return { parts: [name(node.full), sign("="), ...arithmetic(session, node.id)], why };
}

/**
 * The formula of a node with the numbers of its inputs, each under its name unless `bare`, and the result; of a closed
 * group only its own formula and the result.
 */
function arithmetic(session, id, bare = false) {
  const { level, numbers } = session;
  const node = level.nodes[id];
  const number = format(valueOf(session, id));
  const near = number.startsWith("≈"); // the sign of nearness takes the place of =
  const shown = numberPart("value", bare ? "" : node.full, near ? number.slice(1) : number);
  const result = [sign(near ? "≈" : "="), shown];
  if (node.closed && !node.text) return [sign(node.sign), ...result];
  const tails = node.in.map(e => level.edges[e].tail);
  const symbol = tail => (bare ? "" : level.nodes[tail].full);
  const list = pieces(node.text || `${node.sign}(${tails.map((_, k) => `{${k}}`).join(", ")})`);
  const [from, to] = leftOut(list);
  const parts = list.flatMap((piece, index) => {
    if (index >= from && index < to) return index === from ? [sign("… + ")] : [];
    if (typeof piece === "string") return [sign(piece)];
    const tail = tails[piece.place];
    return [numberPart("value", symbol(tail), placed(list, index, format(numbers.value[tail])))];
  });
  return [...parts, ...result];
}

/** The range of pieces of a long formula that are left out. */
function leftOut(list) {
  const places = list.flatMap((piece, index) => (piece.place === undefined ? [] : [index]));
  return places.length > MOST_INPUTS ? [places[SHOWN_FIRST], places[places.length - 1]] : [list.length, list.length];
}
