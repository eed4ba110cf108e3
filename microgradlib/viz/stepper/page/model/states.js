// What a node, an edge and a term of the table look like at the present frame: look-ups, without a document.

import { arrived, lastUpTo, moved } from "./frames.js";
import { fill } from "./formulas.js";
import { format } from "./numbers.js";

/** Whether two numbers are the same but for rounding. */
const same = (a, b) => Object.is(a, b) || Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));

const isLeaf = node => !node.op;
export const isQuiet = node => node.role === "constant" || node.role === "target";

/** Whether the value of a node is there at frame i, as far as the frames of the pass say. */
function isKnown(session, id, i = session.i) {
  return isLeaf(session.level.nodes[id]) || (i > 0 && i >= session.pass.known[id]);
}

/** The value of a node at the present frame: after the update of a training step, the new one. */
export function valueOf(session, id, i = session.i) {
  const { training } = session;
  if (!isKnown(session, id, i)) return null;
  if (training) {
    if (session.after >= 0 && i >= session.after && !isLeaf(session.level.nodes[id])) {
      if (id === session.level.output) return training.after;
      return training.values ? training.values[id] : null;
    }
    if (session.updated.has(id) && i >= session.updated.get(id)) return training.parameters.get(id);
  }
  return session.numbers.value[id];
}

/**
 * What is known of a gradient (a tangent, in forward mode):
 *   {kind: "none"}                    nothing has arrived
 *   {kind: "hidden", k, of}           asked for in a prediction
 *   {kind: "part", value, k, of}      a running sum
 *   {kind: "full", value}             final
 *   {kind: "wall", value: null}       final: everything that could have arrived was stopped
 */
export function gradientOf(session, id, i = session.i) {
  const last = arrived(session.pass, id, i);
  if (!last) return { kind: "none", value: null };
  const { k, of } = last;
  const asked = session.question !== null && i === session.i && session.question.row.to === id;
  if (asked) return { kind: "hidden", value: null, k, of };
  if (last.stale) return { kind: "part", value: last.after, k: 0, of: 0 };
  if (k < of) return { kind: "part", value: last.after, k, of };
  return last.live ? { kind: "full", value: last.after, k, of } : { kind: "wall", value: null, k, of };
}

/**
 * The number with the bug and the right one, where they differ (yet), else null: {wrong, right, shown}; `shown` says
 * which of them the pass has: of a wrong order it is the wrong one.
 */
export function mistakeOf(session, id, i = session.i) {
  const here = arrived(session.pass, id, i);
  if (session.settings.mode !== "reverse" || !session.settings.bug) return null;
  if (session.wrong) {
    const there = arrived(session.wrong, id, i);
    const [wrong, right] = [there?.after ?? null, here?.after ?? null];
    return there && !same(wrong ?? 0, right ?? 0) ? { wrong, right, shown: "right" } : null;
  }
  const end = i === session.pass.frames.length - 1;
  if (!end && (!here || here.k < here.of)) return null;
  const [wrong, right] = [here?.after ?? 0, session.finals[id] ?? 0];
  return same(wrong, right) ? null : { wrong, right, shown: "wrong" };
}

/** The frame in which the last term of a node arrives in a pass; 0 if none does. */
export const lastArrival = (pass, id) => pass.arrivals[id].filter(a => a.k > 0).at(-1)?.i ?? 0;

/** The circles of a card: for each use "" (waited for), "on", "now" (arrives at this stop) or "off" (stopped). */
export function circlesOf(session, id, uses) {
  if (session.settings.mode === "forward") return [];
  const list = session.pass.arrivals[id].filter(a => a.k > 0 && a.i >= session.start && a.i <= session.i);
  return Array.from({ length: uses }, (_, k) => {
    const arrival = list[k];
    if (!arrival) return "";
    if (session.pass.rows[arrival.i]?.wall) return "off";
    return arrival.i >= session.now.first && !session.question ? "now" : "on";
  });
}

/** The term of a row of the trace as it is written: — where a wall lets nothing pass. */
export const termText = row => format(row.wall ? null : row.add);

/** All that a card or a table row of a node shows. */
export function nodeState(session, id) {
  const { now, ghost } = session;
  const value = valueOf(session, id);
  const gradient = gradientOf(session, id);
  const role = now.from.has(id) ? "from" : now.to.has(id) ? "to" : now.fresh.has(id) ? "new" : "";
  const old = (was, is) => (was !== null && is !== null && !Object.is(was, is) ? was : null);
  return {
    known: isKnown(session, id), value, gradient, role, mistake: mistakeOf(session, id),
    oldValue: ghost ? old(ghost.value[id], value) : null,
    oldGradient: ghost ? old(ghost.gradient[id], gradient.value) : null,
  };
}

/** All that an edge shows: {on: its local derivative is there, hidden, used: "", "used" or "wall", lit}. */
export function edgeState(session, e) {
  const { head } = session.level.edges[e];
  const row = moved(session.pass, e, session.i);
  const asked = session.question !== null && session.question.row.edge === e && session.hides("local");
  const used = row ? (row.wall ? "wall" : "used") : "";
  return { on: isKnown(session, head), hidden: asked, used, lit: session.now.edges.has(e) };
}

/** The local derivative of an edge: {symbol: "∂t/∂w", formula: "x", number: "3"}; formula "" where it says no more. */
export function slopeText(session, e) {
  const { level, numbers } = session;
  const edge = level.edges[e];
  const head = level.nodes[edge.head];
  const names = head.in.map(k => level.nodes[level.edges[k].tail].full);
  const number = format(numbers.local[e] ?? 0);
  const formula = edge.text ? fill(edge.text, names, head.full) : "";
  const symbol = `∂${head.full}/∂${level.nodes[edge.tail].full}`;
  return { symbol, formula: formula === number ? "" : formula, number };
}

/** The term of an edge as the table shows it: the row of the trace, or null where it has not moved in this pass. */
export function termOf(session, e) {
  const row = moved(session.pass, e, session.i);
  if (!row) return null;
  const asked = session.question !== null && session.question.row.i === row.i;
  return { ...row, here: row.i >= session.now.first, hidden: asked };
}

/**
 * What may look different at frame j than at frame i, to be painted anew: {nodes, edges}, or null for everything.
 * `before` and `after` are the two moments' session.now.
 */
export function changes(session, i, before, j, after) {
  const { frames, starts } = session.pass;
  const [low, high] = [Math.min(i, j), Math.max(i, j)];
  const clears = k => ["sweep", "again", "after", "start"].includes(frames[k].do);
  const nodes = new Set();
  const edges = new Set();
  for (const now of [before, after]) {
    for (const set of [now.from, now.to, now.fresh]) for (const id of set) nodes.add(id);
    for (const e of now.edges) edges.add(e);
  }
  for (let k = Math.min(low + 1, before.first, after.first); k <= high; k += 1) {
    if (clears(k)) return null;
    touch(session.level, frames[k], nodes, edges);
  }
  for (const [id, answer] of session.pass.answers) if (answer.i > low && answer.i <= high) nodes.add(id);
  const clearing = lastUpTo(starts, high);
  if (clearing >= 0 && starts[clearing] > low && frames[starts[clearing]].do !== "seed") return null;
  if (frames[high].do === "done" && session.settings.bug === "order") return null;
  return { nodes, edges };
}

function touch(level, frame, nodes, edges) {
  if (frame.edge !== undefined) {
    const edge = level.edges[frame.edge];
    nodes.add(edge.head).add(edge.tail);
    edges.add(frame.edge);
  } else if (frame.node !== undefined) {
    nodes.add(frame.node);
    if (frame.do !== "value") return;
    for (const e of level.nodes[frame.node].in ?? []) {
      edges.add(e);
      if (level.nodes[level.edges[e].tail].row_of) nodes.add(level.edges[e].tail);
    }
  }
}
