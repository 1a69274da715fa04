"""dead_relu_fraction: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

DEAD = """def dead_relu_fraction(weights, biases, x):
    shares = []
    h = x
    for W, b in zip(weights, biases):
        z = h @ W.T + b
        h = np.maximum(z, 0)
        shares.append(np.mean(np.all(h == 0, axis=0)))
    return shares
"""


@alternative("dead_relu_fraction", "the largest output of each unit")
def dead_relu_fraction(weights, biases, x):
    result = np.zeros(len(weights))
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        x = np.clip(np.einsum("ni,oi->no", x, weight) + bias, 0, None)
        result[layer] = (x.max(axis=0) <= 0).mean()
    return result


@alternative("dead_relu_fraction", "loops over units and examples")
def dead_relu_fraction(weights, biases, x):
    shares = []
    signals = [list(row) for row in x]
    for W, b in zip(weights, biases):
        new = [[] for _ in signals]
        dead = 0
        for row, offset in zip(W, b):
            alive = False
            for out, h in zip(new, signals):
                z = offset + sum(w * v for w, v in zip(row, h))
                out.append(z if z > 0 else 0.0)
                alive = alive or z > 0
            dead += not alive
        shares.append(dead / len(b))
        signals = new
    return shares


@alternative("dead_relu_fraction", "sums of the outputs, examples as columns")
def dead_relu_fraction(weights, biases, x):
    h, shares = x.T, ()
    for W, b in zip(weights, biases):
        h = W @ h + b[:, None]
        h = h * (h > 0)
        shares += (1 - np.count_nonzero(h.sum(axis=1)) / len(W),)
    return shares


APPEND = "shares.append(np.mean(np.all(h == 0, axis=0)))"

mistaken_sources(
    __name__,
    "dead_relu_fraction",
    [
        (name, changed(DEAD, change))
        for name, *change in (
            ("share of zero outputs", APPEND, "shares.append((h == 0).mean())"),
            ("share of zero outputs", APPEND, "shares.append(np.mean(np.mean(h == 0, axis=0)))"),
            ("dead on any input", APPEND, "shares.append(np.mean(np.any(h == 0, axis=0)))"),
            ("dead on any input", APPEND, "shares.append(1 - np.mean(np.all(h > 0, axis=0)))"),
            ("dead on average", APPEND, "shares.append(np.mean(z.mean(axis=0) <= 0))"),
            ("silent examples instead of dead units", APPEND, "shares.append(np.mean(np.all(h == 0, axis=1)))"),
            ("biases ignored", "h @ W.T + b", "h @ W.T"),
            ("zero counts as alive", APPEND, "shares.append(np.mean(np.all(z < 0, axis=0)))"),
            (
                "signal passed on without ReLU",
                "h = np.maximum(z, 0)\n        " + APPEND,
                "h = z\n        " + APPEND.replace("==", "<="),
            ),
            ("numbers instead of shares", APPEND, "shares.append(np.sum(np.all(h == 0, axis=0)))"),
            (
                "divided by the number of examples",
                APPEND,
                "shares.append(np.sum(np.all(h == 0, axis=0)) / len(x))",
            ),
            ("percent instead of shares", APPEND, APPEND.replace("np.mean", "100 * np.mean")),
            ("share of the living", APPEND, "shares.append(np.mean(np.any(h > 0, axis=0)))"),
            ("one share for the whole network", "return shares", "return np.mean(shares)"),
            ("weights not transposed", "h @ W.T", "h @ W"),
        )
    ],
)


@mistaken("dead_relu_fraction", "one share for the whole network")
def dead_relu_fraction(weights, biases, x):
    dead, units = 0, 0
    for W, b in zip(weights, biases):
        x = np.maximum(x @ W.T + b, 0)
        dead += np.sum(~x.any(axis=0))
        units += len(b)
    return dead / units
