// Frames and what happens in them: a frame says that a term flows along an edge, the trace says which numbers flow.

/** The frames of forward mode for one input: its sweep, then a tangent for each edge that leads on from it. */
export function sweepFrames(level, input, sweep = 0, of = 1) {
  const reached = new Set([input]);
  const frames = [{ do: "sweep", node: input, sweep, of }];
  for (const node of level.nodes) {
    const useful = (node.in ?? []).filter(e => reached.has(level.edges[e].tail));
    useful.forEach((edge, k) => frames.push({ do: "tangent", edge, k: k + 1, of: useful.length, sweep }));
    if (useful.length) reached.add(node.id);
  }
  return frames;
}

/** The frames of a mode: a pass of the level; for forward mode of one chosen input the page makes them itself. */
export function framesOf(level, mode, input = null) {
  if (mode !== "forward" || input === null) return level.passes[mode];
  const values = level.passes.forward.filter(f => f.do === "start" || f.do === "value");
  return [...values, ...sweepFrames(level, input), { do: "done" }];
}

/**
 * Run a pass once. Afterwards the state at any frame is a look-up, so going back is exact.
 *
 * `numbers` are the values and local derivatives (see numerics.js), `bug` is "" or "assign" (= for +=) or "stale" (the
 * inputs keep the gradients of the first pass in the second). The result:
 *   rows      for each frame null, or the term: {i, from, to, edge, up, local, add, before, after, wall, k, of}
 *   known     for each node the frame in which its value appears (leaves: 0)
 *   arrivals  for each node what has arrived, in the order of frames: {i, after, k, of, live}; after null: none
 *   moved     for each edge the frames in which a number moves along it
 *   answers   for each swept input {i, value}: the derivative of the output
 *   starts    the frames at which gradients or tangents are cleared: seed, again, sweep
 */
export function trace(level, numbers, frames, bug = "") {
  const count = level.nodes.length;
  const run = new Array(count).fill(null);
  const live = new Array(count).fill(0);
  const result = {
    frames, rows: frames.map(() => null), known: new Array(count).fill(0), arrivals: level.nodes.map(() => []),
    moved: level.edges.map(() => []), answers: new Map(), starts: [],
  };
  let touched = new Set();
  let swept = null;
  const arrive = (node, arrival) => {
    result.arrivals[node].push(arrival);
    run[node] = arrival.after;
    touched.add(node);
  };
  const clear = (i, kept) => {
    result.starts.push(i);
    const before = touched;
    touched = new Set();
    for (const node of before) {
      live[node] = 0;
      arrive(node, { i, after: kept(node) ? run[node] : null, k: 0, of: 0, live: 0, stale: kept(node) });
    }
  };
  const term = (i, frame) => {
    const edge = level.edges[frame.edge];
    const [from, to] = frame.do === "term" ? [edge.head, edge.tail] : [edge.tail, edge.head];
    const [up, local, before] = [run[from], numbers.local[frame.edge], run[to]];
    const wall = up === null || local === null;
    const add = wall ? 0 : up * local;
    const sum = wall ? before : (before ?? 0) + add;
    const after = bug === "assign" ? add : sum;
    if (!wall) live[to] += 1;
    result.rows[i] = { i, from, to, edge: frame.edge, up, local, add, before, after, wall, k: frame.k, of: frame.of };
    result.moved[frame.edge].push(i);
    arrive(to, { i, after, k: frame.k, of: frame.of, live: live[to] });
    const complete = to === level.output && frame.k === frame.of;
    if (frame.do === "tangent" && complete) result.answers.set(swept, { i, value: after });
  };
  const leaf = node => !level.nodes[node].op;
  frames.forEach((frame, i) => {
    if (frame.do === "value") result.known[frame.node] = i;
    else if (frame.do === "again") clear(i, node => bug === "stale" && leaf(node));
    else if (frame.do === "seed") {
      if (!result.starts.length) result.starts.push(i);
      arrive(frame.node, { i, after: level.seed, k: 1, of: 1, live: 1 });
    } else if (frame.do === "sweep") {
      clear(i, () => false);
      swept = frame.node;
      arrive(frame.node, { i, after: 1, k: 1, of: 1, live: 1 });
      if (swept === level.output) result.answers.set(swept, { i, value: 1 });
    } else if (frame.do === "term" || frame.do === "tangent") term(i, frame);
  });
  return result;
}

/** The place in an ordered list of the last item with key(item) ≤ i; −1 if there is none. */
export function lastUpTo(list, i, key = x => x) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) <= i) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What has arrived at a node by frame i: the latest arrival, or null. */
export function arrived(pass, node, i) {
  const place = lastUpTo(pass.arrivals[node], i, x => x.i);
  const last = place < 0 ? null : pass.arrivals[node][place];
  return last && (last.k > 0 || last.after !== null) ? last : null;
}

/** The frame at which the gradients seen at frame i began: of the latest seed, second pass or sweep; −1 before. */
export const beginning = (pass, i) => {
  const place = lastUpTo(pass.starts, i);
  return place < 0 ? -1 : pass.starts[place];
};

/** The term that moved along an edge most recently, in the sweep or pass of frame i; null if none has. */
export function moved(pass, edge, i) {
  const place = lastUpTo(pass.moved[edge], i);
  if (place < 0) return null;
  const at = pass.moved[edge][place];
  return at >= beginning(pass, i) ? pass.rows[at] : null;
}

/** The final gradient of every node in a pass of reverse mode; null where nothing arrives. */
export const finals = (level, pass) => level.nodes.map((_, node) => {
  const last = arrived(pass, node, Infinity);
  return last && last.live ? last.after : null;
});
