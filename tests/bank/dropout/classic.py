"""What students write for classic_dropout."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("classic_dropout", "indices of the dropped elements, from a geometric law")
def classic_dropout(x, keep_probability, rng, training=True):
    if not training:
        return x * keep_probability
    out, at = np.array(x, dtype=float).ravel(), -1
    while keep_probability < 1:
        at += rng.geometric(1 - keep_probability)
        if at >= out.size:
            break
        out[at] = 0.0
    return out.reshape(x.shape)


@alternative("classic_dropout", "one example after the other")
def classic_dropout(x, keep_probability, rng, training=True):
    if training:
        return np.stack([row * rng.binomial(1, keep_probability, size=row.shape) for row in x])
    return np.stack([keep_probability * row for row in x])


@alternative("classic_dropout", "float32")
def classic_dropout(x, keep_probability, rng, training=True):
    small = x.astype(np.float32)
    if not training:
        return small * np.float32(keep_probability)
    small[rng.random(x.shape) >= keep_probability] = 0
    return small


PLAIN = """def classic_dropout(x, keep_probability, rng, training=True):
    if not training:
        return x * keep_probability
    mask = rng.random(x.shape) < keep_probability
    return x * mask
"""
DRAW, OUT, IDLE = "rng.random(x.shape)", "return x * mask", "return x * keep_probability"
INVERTED = (OUT, "return x * mask / keep_probability")
FIXED = """order = rng.permutation(x.size).reshape(x.shape)
    mask = order < round(keep_probability * x.size)"""

mistaken_changes(
    __name__,
    "classic_dropout",
    PLAIN,
    (
        ("inverted dropout", INVERTED, (IDLE, "return x.copy()")),
        ("scaling at both times", INVERTED),
        ("no scaling", (IDLE, "return x.copy()")),
        ("scaled in training instead", (OUT, "return x * mask * keep_probability")),
        ("scaled in training instead", (OUT, "return x * mask * keep_probability"), (IDLE, "return x.copy()")),
        ("divided in evaluation", (IDLE, "return x / keep_probability")),
        ("scaled by 1 − q", (IDLE, "return x * (1 - keep_probability)")),
        ("keep and drop swapped", ("<", ">=")),
        ("keep and drop swapped", ("<", ">="), (IDLE, "return x * (1 - keep_probability)")),
        ("keep and drop swapped", ("<", ">="), (OUT, "return x * mask / (1 - keep_probability)"), (IDLE, "return x")),
        ("active in evaluation", (f"    if not training:\n        {IDLE}\n", "")),
        ("active in evaluation", (IDLE, f"return keep_probability * x * ({DRAW} < keep_probability)")),
        ("one mask for all examples", (DRAW, "rng.random(x.shape[1:])")),
        ("whole examples dropped", (DRAW, "rng.random((len(x),) + (1,) * (x.ndim - 1))")),
        ("one draw for everything", (DRAW, "rng.random()")),
        ("nothing dropped", (OUT, "return x.copy()")),
        ("same mask at every call", (DRAW, "np.random.default_rng(42).random(x.shape)")),
        ("rng not used", (DRAW, "np.random.rand(*x.shape)")),
        ("a fixed number dropped", (f"mask = {DRAW} < keep_probability", FIXED)),
    ),
)
