// Where the step buttons stop: after every term, node or layer.

/** The node that is busy in a frame: a term flows out of the head of its edge; null in frames without one. */
export function busy(level, frame) {
  if (frame.edge !== undefined) return level.edges[frame.edge].head;
  return frame.node ?? null;
}

/** Groups whose gradients are shown as a row, outermost first by place in the level: the layers of the network. */
export const layers = level => level.groups.filter(g => g.row);

/** A function from node to the layer that it belongs to: its group's id, or an id of its own. */
function layerOf(level) {
  const ids = new Set(layers(level).map(g => g.id));
  return node => level.nodes[node].group.find(id => ids.has(id)) ?? level.nodes[node].closed ?? `node ${node}`;
}

/**
 * The frames at which the step buttons stop. Each stop shows what happened since the one before.
 * `by`: "term", "node" or "layer". Terms that carry nothing, one after another out of one node, are one stop.
 */
export function stops(level, pass, by) {
  const { frames, rows } = pass;
  const layer = layerOf(level);
  const flows = frame => frame.edge !== undefined;
  const together = (i, frame, next) => {
    if (frame.do !== next.do || frame.do === "start" || frame.do === "sweep" || frame.do === "again") return false;
    const [here, there] = [busy(level, frame), busy(level, next)];
    if (by === "layer") return frame.do === "update" || layer(here) === layer(there);
    if (frame.do === "update") return by === "node";
    if (!flows(frame) || here !== there) return false;
    return by === "node" || (rows[i].wall && rows[i + 1].wall);
  };
  const last = frames.length - 1;
  return frames.map((_, i) => i).filter(i => i === last || !together(i, frames[i], frames[i + 1]));
}

/** The first and last frame of the stop that frame i belongs to, as far as i: what is shown as happening now. */
export function span(stopList, i) {
  const next = stopList.findIndex(stop => stop >= i);
  return [(next > 0 ? stopList[next - 1] : -1) + 1, i];
}
