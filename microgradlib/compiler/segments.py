"""Reductions of segments: rows of terms of different lengths, one after another, each to one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import array_functions, numpy

if TYPE_CHECKING:
    from microgradlib.compiler.kernels import Applied, Step

__all__ = ["Segments"]


class Segments:
    """Where the segments begin, how long they are, and which one each term belongs to."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        np = numpy()
        self.counts = np.array(counts)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        self.owners = np.repeat(np.arange(len(counts)), self.counts)

    def forward_steps(self, applied: Applied) -> list[Step]:
        """Return the steps that write the op of each segment of the inputs, (1, terms, batch), into z."""
        np = numpy()
        op, inputs, z, scratch, *_ = applied
        terms = inputs[0][0]
        steps: list[Step] = []
        if op.name == "dot":
            products = scratch("part", (len(self.owners), z.shape[2]))
            steps.append((np.multiply, (terms, inputs[1][0], products)))
            terms = products
        ufunc = {"maximum": np.maximum, "minimum": np.minimum}.get(op.name, np.add)
        steps.append((ufunc.reduceat, (terms, self.starts, 0, None, z[0])))
        if op.name == "mean":
            steps.append((np.divide, (z[0], self.counts[:, None].astype(z.dtype), z[0])))
        return steps + [(np.add, (z, bias, z)) for bias in inputs[2:]]

    def adjoint_steps(self, applied: Applied, index: int, out: Any) -> list[Step]:
        """Return the steps that write the gradient of each term of input `index` into `out`, (1, terms, batch)."""
        np = numpy()
        op, inputs, z, _, g, _ = applied
        if op.name in {"maximum", "minimum"}:
            return [(self._write_by_length, (applied, index, out[0]))]
        steps: list[Step] = [(g[0].take, (self.owners, 0, out[0], "clip"))]
        if op.name == "dot":
            steps.append((np.multiply, (out, inputs[1 - index], out)))
        elif op.name == "mean":
            steps.append((np.divide, (out[0], self.counts[self.owners][:, None].astype(z.dtype), out[0])))
        return steps

    def _write_by_length(self, applied: Applied, index: int, out: Any) -> None:
        """Write what the table's rule gives, for all segments of one length at a time."""
        np, xp = numpy(), array_functions()
        op, inputs, z, _, g, _ = applied
        for length in sorted(set(self.counts.tolist())):
            members = np.flatnonzero(self.counts == length)
            places = self.starts[members][:, None] + np.arange(length)
            terms = [x[0][places[:, i]] for x in inputs[:2] for i in range(length)]
            derivatives = op.differentiate(xp, z[0][members], *terms)
            for i in range(length):
                out[places[:, i]] = derivatives[index * length + i] * g[0][members]
