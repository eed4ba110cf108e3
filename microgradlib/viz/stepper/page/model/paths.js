// Ways from a node to the output: the gradient is the sum over them of the products of local derivatives.

/** For each node the edges that use it. */
function usesOf(level) {
  const uses = level.nodes.map(() => []);
  level.edges.forEach((edge, e) => uses[edge.tail].push(e));
  return uses;
}

/** How many ways lead from each node to the output; a BigInt each, since they multiply. */
function counts(level, uses) {
  const count = level.nodes.map(() => 0n);
  count[level.output] = 1n;
  for (let node = level.output - 1; node >= 0; node -= 1) {
    for (const e of uses[node]) count[node] += count[level.edges[e].head];
  }
  return count;
}

/**
 * The ways from a node to the output: {count, found, edges, nodes}. `found` holds up to `most` of them, each with its
 * edges and its product (null if a wall stops it); `edges` and `nodes` are the sets of all that lie on any way.
 */
export function paths(level, local, start, most = 8) {
  const uses = usesOf(level);
  const count = counts(level, uses);
  const leads = e => count[level.edges[e].head] > 0n;
  const found = [];
  const open = [{ node: start, edges: [], product: 1 }];
  while (open.length && found.length < most) {
    const way = open.pop();
    if (way.node === level.output) found.push({ edges: way.edges, product: way.product });
    else {
      for (const e of uses[way.node].filter(leads).reverse()) {
        const wall = way.product === null || local[e] === null;
        const product = wall ? null : way.product * local[e];
        open.push({ node: level.edges[e].head, edges: [...way.edges, e], product });
      }
    }
  }
  const edges = new Set();
  const nodes = new Set([start]);
  for (const node of nodes) {
    for (const e of uses[node].filter(leads)) {
      edges.add(e);
      nodes.add(level.edges[e].head);
    }
  }
  return { count: count[start], found, edges, nodes };
}
