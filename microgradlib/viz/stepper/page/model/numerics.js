// Values and local derivatives at any position of the sliders, and derivatives by differences to check gradients.

import { decode } from "./numbers.js";

/**
 * The functions that compute the ops of a level: {"mul/2": inputs => [value, [local derivatives]]}.
 * null if the level has none, or if the page around forbids programs made from text; sliders are then off.
 */
export function compile(level) {
  if (!level.program) return null;
  try {
    return new Function(level.program)();
  } catch {
    return null;
  }
}

/**
 * Values and local derivatives: {value, local}, lists over nodes and edges; a local derivative null is the structural
 * zero. `leaves` maps nodes to new numbers. Where nothing has moved the numbers are Python's own.
 */
export function evaluate(level, operations, leaves) {
  const value = level.nodes.map(n => decode(n.value));
  const local = level.edges.map(e => decode(e.local));
  if (!leaves.size) return { value, local };
  const moved = new Array(level.nodes.length).fill(false);
  for (const [node, x] of leaves) {
    value[node] = x;
    moved[node] = true;
  }
  for (const node of level.nodes) {
    if (!node.op || !node.in.some(e => moved[level.edges[e].tail])) continue;
    const [result, slopes] = operations[node.op](node.in.map(e => value[level.edges[e].tail]));
    moved[node.id] = true;
    value[node.id] = result;
    node.in.forEach((e, place) => { local[e] = slopes[place]; });
  }
  return { value, local };
}

/**
 * The derivative of the output with respect to one leaf, by differences, as Python's check of a tape:
 * {value, error, left, right, kink}; kink: the two sides disagree.
 */
export function numericDerivative(level, operations, leaves, leaf) {
  const x = leaves.get(leaf) ?? decode(level.nodes[leaf].value);
  const at = h => evaluate(level, operations, new Map(leaves).set(leaf, x + h)).value[level.output];
  const here = at(0);
  const scale = Math.max(1, Math.abs(x));
  const central = h => (at(h) - at(-h)) / (2 * h);
  const [right, left] = [1e-5, -1e-5].map(h => (at(h * scale) - here) / (h * scale));
  const [coarse, fine] = [central(2e-3 * scale), central(1e-3 * scale)];
  const value = fine + (fine - coarse) / 3; // Richardson: the errors of order h² cancel
  const error = Math.abs(value - fine) / 10 + (1e-12 * Math.max(1, Math.abs(here))) / scale;
  const kink = Math.abs(right - left) > 1e-2 * Math.max(1e-3, Math.abs(right), Math.abs(left));
  return { value, error, left, right, kink };
}

/** Whether a check says anything: where the output is nan or infinite nearby, differences do not. */
export const says = check => Number.isFinite(decode(check.value)) && Number.isFinite(decode(check.error));

/** Whether a gradient agrees with its numeric derivative. */
export function agrees(check, gradient) {
  const [value, error] = [decode(check.value), decode(check.error)];
  if (Object.is(value, gradient) || value === gradient) return true;
  return Math.abs(gradient - value) <= 50 * error + 1e-6 * Math.max(1, Math.abs(gradient));
}
