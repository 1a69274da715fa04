"""forward_statistics: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import PHI, changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

FORWARD = f"""def forward_statistics(weights, x, name):{PHI}
    result = []
    h = x
    for W in weights:
        z = h @ W.T
        h = phi(z)
        result.append((h.mean(), h.std()))
    return result
"""


@alternative("forward_statistics", "einsum, an array of pairs")
def forward_statistics(weights, x, name):
    functions = {
        "sigmoid": lambda z: (1 + np.tanh(z / 2)) / 2,
        "tanh": np.tanh,
        "relu": lambda z: z * (z > 0),
        "leaky_relu": lambda z: np.maximum(z, 0.01 * z),
        "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    }
    rows = np.zeros((len(weights), 2))
    for layer, weight in enumerate(weights):
        x = functions[name](np.einsum("oi,ni->no", weight, x))
        rows[layer] = np.mean(x), np.sqrt(np.var(x))
    return rows


@alternative("forward_statistics", "loops over examples and units")
def forward_statistics(weights, x, name):
    import math

    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + math.exp(-z))
        if name == "tanh":
            return math.tanh(z)
        if z > 0:
            return z
        return {"relu": 0.0, "leaky_relu": 0.01 * z, "elu": math.exp(z) - 1}[name]

    signals = [list(row) for row in x]
    pairs = []
    for W in weights:
        signals = [[phi(sum(w * v for w, v in zip(row, h))) for row in W] for h in signals]
        values = [v for h in signals for v in h]
        mean = sum(values) / len(values)
        pairs.append([mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))])
    return pairs


@alternative("forward_statistics", "recursion, float32, examples as columns")
def forward_statistics(weights, x, name):
    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        slope = {"relu": 0.0, "leaky_relu": 0.01}.get(name)
        return np.where(z > 0, z, np.expm1(np.minimum(z, 0)) if slope is None else np.float32(slope) * z)

    def go_on(h, rest):
        if not rest:
            return []
        h = phi(rest[0].astype(np.float32) @ h)
        return [(h.mean(dtype=np.float32), h.std(dtype=np.float32))] + go_on(h, rest[1:])

    return go_on(x.T.astype(np.float32), weights)


PAIR = "result.append((h.mean(), h.std()))"

mistaken_sources(
    __name__,
    "forward_statistics",
    [
        (name, changed(FORWARD, *changes))
        for name, *changes in (
            ("statistics of the pre-activations", (PAIR, "result.append((z.mean(), z.std()))")),
            ("last layer left linear", ("h = phi(z)", "h = z if len(result) == len(weights) - 1 else phi(z)")),
            (
                "pre-activations passed on",
                (PAIR, "result.append((phi(z).mean(), phi(z).std()))"),
                ("h = phi(z)", "h = z"),
            ),
            ("one number for every unit", (PAIR, "result.append((h.mean(axis=0), h.std(axis=0)))")),
            ("one number for every unit", (PAIR, "result.append((np.mean(h, 1), np.std(h, 1)))")),
            ("std over one axis only", (PAIR, "result.append((h.mean(), h.std(axis=0).mean()))")),
            ("std over one axis only", (PAIR, "result.append((h.mean(axis=1).mean(), h.std(axis=1).mean()))")),
            ("variance instead of std", (PAIR, "result.append((h.mean(), ((h - h.mean()) ** 2).mean()))")),
            ("mean not subtracted", (PAIR, "result.append((h.mean(), np.sqrt((h**2).mean())))")),
            ("mean not subtracted", (PAIR, "result.append((h.mean(), np.linalg.norm(h) / h.size**0.5))")),
            ("divided by n − 1", (PAIR, "result.append((h.mean(), h.std(ddof=1)))")),
            ("input listed as a layer", ("result = []", "result = [(x.mean(), x.std())]")),
            ("mean and std swapped", (PAIR, "result.append((h.std(), h.mean()))")),
            ("last layer first", (PAIR, "result.insert(0, (h.mean(), h.std()))")),
            ("always the same activation", ("phi(z)\n", "np.tanh(z)\n")),
            ("always the same activation", ("phi(z)\n", "np.maximum(0, z)\n")),
            ("weights not transposed", ("h @ W.T", "h @ W")),
            ("every layer gets x", ("h @ W.T", "x @ W.T")),
        )
    ],
)

mistaken_sources(
    __name__,
    "forward_statistics",
    [
        ("means and stds apart", changed(FORWARD, ("return result", f"return {returned}")))
        for returned in (
            "[r[0] for r in result], [r[1] for r in result]",
            "np.array([m for m, s in result]), np.array([s for m, s in result])",
        )
    ],
)


@mistaken("forward_statistics", "divided by n − 1")
def forward_statistics(weights, x, name):
    pairs = []
    for W in weights:
        x = x @ W.T
        if name == "sigmoid":
            x = 1 / (1 + np.exp(-x))
        elif name == "tanh":
            x = np.tanh(x)
        elif name == "relu":
            x = np.where(x < 0, 0, x)
        elif name == "leaky_relu":
            x = np.where(x < 0, 0.01 * x, x)
        else:
            x = np.where(x < 0, np.exp(x) - 1, x)
        mean = np.sum(x) / x.size
        variance = np.sum((x - mean) ** 2) / (x.size - 1)
        pairs.append((mean, variance**0.5))
    return pairs
