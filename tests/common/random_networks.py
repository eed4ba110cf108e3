"""Random networks over small matrices, whose layers share parameters in many ways."""

import random

import microgradlib as mg
from microgradlib.core.value import Value

IDENTITY = mg.ops.TABLE["identity"]
UNARY = {
    "neg": lambda v, c: -v,
    "exp": lambda v, c: mg.exp(0.2 * v) if c > 0 else mg.exp(-abs(v)),
    "relu": lambda v, c: mg.relu(v + 0.013),
    "times": lambda v, c: v * c,
    "over": lambda v, c: v / (1.7 + c),
    "root": lambda v, c: mg.sqrt(v * v + 0.5),
    "tanh": lambda v, c: mg.tanh(v),
    "square": lambda v, c: mg.tanh(v) ** 2,
    "under": lambda v, c: 1.0 / (2.0 + mg.sigmoid(v)),
    "from": lambda v, c: c - v,
    "twice": lambda v, c: v + v,
    "again": lambda v, c: IDENTITY(v),
    "behind": lambda v, c: v * mg.exp(-abs(v)).detach(),
}
LAYERS = ("linear", "linear", "chain", "chain", "residual", "residual", "attention", "matrix", "turned", "conv", "sums",
          "softmax", "part", "shuffled")  # fmt: skip
BIASES = ("none", "row", "row", "one for all", "layer's", "weight", "each its own", "result", "column")


def dot(a, b, bias=None, *, swapped=False):
    """Return Σ aᵢ bᵢ, or Σ bᵢ aᵢ if `swapped`, plus the bias; for one number each, their product."""
    a, b = (b, a) if swapped else (a, b)
    if bias is not None:
        return mg.dot(a, b, bias)
    return mg.dot(a, b) if len(a) > 1 else a[0] * b[0]


class Network:
    """A function of one to three matrices, each (rows, width), that returns a number, and its `parameters`."""

    def __init__(self, seed, layers=LAYERS, depth=6):
        rng = random.Random(seed)
        self.rows, self.width, self.arguments = rng.randint(1, 4), rng.randint(1, 4), rng.choice([1, 1, 2, 3])
        self.plan = [(rng.choice(layers), rng.randrange(1 << 30)) for _ in range(rng.randint(1, depth))]
        self.seed, self.known = rng.randrange(1 << 30), {}
        self.shapes = [(self.rows, self.width)] * self.arguments
        self(*[[[Value(0.5)] * self.width] * self.rows] * self.arguments)  # creates the parameters
        self.parameters = rng.sample([*self.known.values()], len(self.known))

    def parameter(self, *key):
        return self.known.setdefault(key, Value(random.Random(repr(key)).uniform(-0.8, 0.8)))

    def __call__(self, *arguments):
        rng = random.Random(self.seed)
        past = [[list(row) for row in argument] for argument in arguments]
        x = past[-1]
        for name, seed in self.plan:
            x = getattr(self, name)(x, random.Random(seed), past)
            past.append(x)
        last, early = ([v for row in m for v in row] for m in (x, rng.choice(past)))
        ends = [mg.tanh(v) * (1.0 + 0.3 * i) for i, v in enumerate(last)]
        return mg.sum([*ends, *rng.choice([[], last, [v * v for v in early]])])

    def like(self, x, rng, past):
        return rng.choice([m for m in past if len(m) == len(x) and len(m[0]) == len(x[0])] or [x])

    def linear(self, x, rng, past, key=None):
        """Apply W x + b to each row; W may be shared with layers of the same size, b with many other parameters."""
        n, width, bias = rng.choice([1, 2, 3, len(x[0])]), len(x[0]), rng.choice(BIASES)
        key = (key or rng.choice("ab"), n, width)
        order = rng.sample(range(width), width) if rng.random() < 0.3 else range(width)
        weights = [[self.parameter(*key, i, j) for j in range(width)] for i in range(n)]

        def biased(i, t):
            return {
                "none": None, "row": (*key, "b", i), "one for all": ("b",), "layer's": ("b", i), "column": ("c", t),
                "each its own": (*key, "b", i, t),
            }.get(bias, (*key, i, 0))  # fmt: skip

        result = []
        for t, row in enumerate(x):
            biases = [None if bias == "none" else self.parameter(*biased(i, t)) for i in range(n)]
            biases = [x[0][0]] * n if bias == "result" else biases
            result.append([dot([w[j] for j in order], [row[j] for j in order], b) for w, b in zip(weights, biases)])
        return [[mg.tanh(v) for v in row] for row in result] if rng.random() < 0.5 else result

    def conv(self, x, rng, past):
        width, bias = min(len(x[0]), rng.choice([1, 2])), rng.random() < 0.7
        kernels = [[self.parameter("k", c, j) for j in range(width)] for c in range(rng.randint(1, 3))]
        windows = [[row[s : s + width] for s in range(len(row) - width + 1)] for row in x]
        biases = [self.parameter("k", c) if bias else None for c in range(len(kernels))]
        return [[dot(k, part, b) for k, b in zip(kernels, biases) for part in parts][:6] for parts in windows]

    def chain(self, x, rng, past):
        """Apply up to five ops in sequence; sometimes add the results of the first to those of the last."""
        y, first = x, None
        for name in rng.choices([*UNARY], k=rng.randint(1, 5)):
            c = rng.choice([0.5, -1.0, 1.25, 0.3])
            y = [[UNARY[name](v, c) for v in row] for row in y]
            first = first or y
        return [[a + b for a, b in zip(*both)] for both in zip(y, first)] if rng.random() < 0.3 else y

    def residual(self, x, rng, past):
        join = rng.choice([
            lambda a, b, c: a + b, lambda a, b, c: a - b, lambda a, b, c: mg.sum([a, b, c]), lambda a, b, c: a * b,
            lambda a, b, c: a + b * self.parameter("scale"), lambda a, b, c: (a + c) + (b + c),
        ])  # fmt: skip
        others = self.like(x, rng, past), self.like(x, rng, past)
        return [[join(*three) for three in zip(*rows)] for rows in zip(x, *others)]

    def turned(self, x, rng, past):
        return [list(column) for column in zip(*x)]

    def shuffled(self, x, rng, past):
        numbers, width = [v for row in x for v in row], len(x[0])
        rng.shuffle(numbers)
        return [numbers[i : i + width] for i in range(0, len(numbers), width)]

    def sums(self, x, rng, past):
        rows, columns = [mg.sum(row) for row in x], [mg.sum(column) for column in zip(*x)]
        kind = rng.randrange(3)
        if kind == 0:
            return [[v + s for v in row] for row, s in zip(x, rows)]
        if kind == 1:
            return [[v * mg.tanh(s) for v in row] for row, s in zip(x, rows)]
        return [[v * 0.5 + mg.tanh(s + c) for v, c in zip(row, columns)] for row, s in zip(x, rows)]

    def softmax(self, x, rng, past):
        if rng.random() < 0.5:
            return [mg.softmax(row) for row in x]
        return [mg.log_softmax(row) for row in x]

    def part(self, x, rng, past):
        """Change one row; sometimes drop the last one."""
        changed = rng.randrange(len(x))
        y = [[mg.exp(v * 0.3) + v for v in row] if i == changed else row for i, row in enumerate(x)]
        return y[: max(1, len(y) - rng.randrange(2))]

    def matrix(self, x, rng, past):
        """Return x yᵀ; sometimes with entries that are not products."""
        y = rng.choice([m for m in past if len(m[0]) == len(x[0])])
        swapped, left_out = rng.random() < 0.4, rng.choice(["none", "none", "some", "above"])

        def entry(i, j):
            out = {"none": False, "some": rng.random() < 0.2, "above": j > i}[left_out]
            return x[i][0] if out else dot(x[i], y[j], swapped=swapped)

        return [[entry(i, j) for j in range(len(y))] for i in range(len(x))]

    def attention(self, x, rng, past):
        """Apply attention with one or two heads, causal or not, to three projections or to x itself."""
        heads, causal, kind = (2 if len(x[0]) % 2 == 0 and rng.random() < 0.4 else 1), rng.random() < 0.6, rng.random()
        swapped = [rng.random() < 0.4 for _ in range(2)]
        q, k, v = x, x, x
        if kind < 0.4:
            k = v = self.like(x, rng, past)
        elif kind < 0.7:
            seed = rng.randrange(1 << 30)  # the same for all three, so that they have the same width
            q, k, v = [self.linear(x, random.Random(seed), past, key=part) for part in "qkv"]
        heads = heads if len(q[0]) % heads == 0 else 1
        size = len(q[0]) // heads
        result = []
        for t in range(len(q)):
            seen, row = range(t + 1 if causal else len(k)), []
            for head in (slice(h * size, (h + 1) * size) for h in range(heads)):
                scores = mg.softmax([dot(q[t][head], k[s][head], swapped=swapped[0]) * 0.4 for s in seen])
                row += [dot(scores, [v[s][head][j] for s in seen], swapped=swapped[1]) for j in range(size)]
            result.append(row)
        return result
