"""What students write for dropout_forward."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("dropout_forward", "one element after the other, back to front")
def dropout_forward(x, drop_probability, rng, training=True):
    out, mask = np.zeros(x.shape), np.zeros(x.shape, dtype=int)
    for index in reversed(list(np.ndindex(x.shape))):
        if not training:
            out[index], mask[index] = x[index], 1
        elif rng.uniform() > drop_probability:
            out[index], mask[index] = x[index] / (1 - drop_probability), 1
    return out, mask


@alternative("dropout_forward", "binomial draws, one for each element")
def dropout_forward(x, drop_probability, rng, training=True):
    keep = 1.0 - drop_probability
    mask = rng.binomial(1, keep, size=x.shape)
    if not training:
        return x, np.ones_like(x)
    return np.where(mask == 1, x / keep, 0), mask


@alternative("dropout_forward", "choice between False and True, from a generator seeded by rng")
def dropout_forward(x, drop_probability, rng, training=True):
    if training:
        own = np.random.default_rng(rng.integers(2**63))
        mask = own.choice([False, True], size=x.shape, p=[drop_probability, 1 - drop_probability])
    else:
        drop_probability, mask = 0, np.full(x.shape, True)
    return (x * mask) * (1 / (1 - drop_probability)), mask


@alternative("dropout_forward", "float32, drawn from the last axis to the first")
def dropout_forward(x, drop_probability, rng, training=True):
    if not training:
        return x.astype(np.float32), np.ones(x.shape, dtype=np.float32)
    mask = (rng.random(x.shape[::-1], dtype=np.float32).T >= drop_probability).astype(np.float32)
    return x.astype(np.float32) * mask / np.float32(1 - drop_probability), mask


PLAIN = """def dropout_forward(x, drop_probability, rng, training=True):
    if not training:
        return x, np.ones(x.shape)
    mask = (rng.random(x.shape) >= drop_probability) * 1.0
    out = x * mask / (1 - drop_probability)
    return out, mask
"""
OUT, DRAW, IDLE = "x * mask / (1 - drop_probability)", "rng.random(x.shape)", "return x, np.ones(x.shape)"
MASK = "(rng.random(x.shape) >= drop_probability) * 1.0"
FIXED = """mask = np.ones(x.size)
    mask[rng.permutation(x.size)[: round(drop_probability * x.size)]] = 0.0
    mask = mask.reshape(x.shape)"""
FIXED_ROWS = """mask = np.ones((len(x), x.size // len(x)) if x.ndim > 1 else (1, x.size))
    for row in mask:
        row[rng.permutation(row.size)[: round(drop_probability * row.size)]] = 0.0
    mask = mask.reshape(x.shape)"""

mistaken_changes(
    __name__,
    "dropout_forward",
    PLAIN,
    (
        ("no scaling", (OUT, "x * mask")),
        ("scaling at both times", (IDLE, "return x * (1 - drop_probability), np.ones(x.shape)")),
        ("scaling at both times", (IDLE, "return x / (1 - drop_probability), np.ones(x.shape)")),
        ("the convention of 2014", (IDLE, "return x * (1 - drop_probability), np.ones(x.shape)"), (OUT, "x * mask")),
        ("keep and drop swapped", (">=", "<")),
        ("keep and drop swapped", (">=", "<"), (OUT, "x * mask / drop_probability")),
        ("keep and drop swapped", (">=", "<"), (OUT, "x * mask")),
        ("divided by p", (OUT, "x * mask / drop_probability")),
        ("multiplied by 1 − p", (OUT, "x * mask * (1 - drop_probability)")),
        ("active in evaluation", (f"    if not training:\n        {IDLE}\n", "")),
        ("divided by the share of this mask", (OUT, "x * mask / mask.mean()")),
        ("(keep_mask, out)", ("return out, mask", "return mask, out"), (IDLE, "return np.ones(x.shape), x")),
        ("(keep_mask, out)", ("return out, mask", "return mask == 1, out")),
        (
            "mask of what is dropped",
            (">=", "<"),
            (OUT, "x * (1 - mask) / (1 - drop_probability)"),
            (IDLE, "return x, np.zeros(x.shape)"),
        ),
        ("mask of what is dropped", ("return out, mask", "return out, out == 0")),
        ("scale stored in the mask", ("* 1.0", "/ (1 - drop_probability)"), (OUT, "x * mask")),
        ("mask not thresholded", (MASK, "rng.random(x.shape)")),
        ("mask not thresholded", (MASK, "rng.random(x.shape)"), (OUT, "x * mask")),
        (
            "normal noise",
            (MASK, "rng.normal(1, np.sqrt(drop_probability / (1 - drop_probability)), x.shape)"),
            (OUT, "x * mask"),
        ),
        ("one mask for all examples", (DRAW, "rng.random(x.shape[1:])")),
        ("one mask for all examples", (DRAW, "rng.random((1, *x.shape[1:]))"), ("* 1.0", "* np.ones(x.shape)")),
        (
            "whole examples dropped",
            (DRAW, "rng.random((len(x),) + (1,) * (x.ndim - 1))"),
            ("* 1.0", "* np.ones(x.shape)"),
        ),
        ("one draw for everything", (DRAW, "rng.random()"), ("* 1.0", "* np.ones(x.shape)")),
        ("nothing dropped", ("    mask =", "    return x, np.ones(x.shape)\n    mask =")),
        ("same mask at every call", (DRAW, "np.random.default_rng(0).random(x.shape)")),
        (
            "same mask at every call",
            ("    mask =", "    np.random.seed(1)\n    mask ="),
            (DRAW, "np.random.rand(*x.shape)"),
        ),
        (
            "same mask at every call",
            ("training=True", "training=True, made={}"),
            (MASK, f"made.setdefault((x.shape, drop_probability), {MASK})"),
        ),
        ("rng not used", (DRAW, "np.random.random(x.shape)")),
        ("rng not used", (DRAW, "np.random.default_rng().random(x.shape)")),
        ("a fixed number dropped", (f"mask = {MASK}", FIXED)),
        ("a fixed number dropped", (f"mask = {MASK}", FIXED_ROWS)),
    ),
)
