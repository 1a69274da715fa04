"""What students write for channel_dropout."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("channel_dropout", "one map at a time, channel by channel")
def channel_dropout(x, drop_probability, rng):
    out = np.zeros(x.shape)
    for c in range(x.shape[1]):
        for n in range(x.shape[0]):
            if rng.random() >= drop_probability:
                out[n, c] = x[n, c] / (1 - drop_probability)
    return out


@alternative("channel_dropout", "einsum with binomial draws, float32")
def channel_dropout(x, drop_probability, rng):
    keep = rng.binomial(1, 1 - drop_probability, size=x.shape[:2]).astype(np.float32)
    return np.einsum("nc,nchw->nchw", keep / np.float32(1 - drop_probability), x.astype(np.float32))


@alternative("channel_dropout", "maps in one long row, the dropped ones set to zero")
def channel_dropout(x, drop_probability, rng):
    N, C, H, W = x.shape
    maps = np.array(x).reshape(N * C, H, W)
    maps[rng.random(N * C) < drop_probability] = 0
    return maps.reshape(x.shape) / (1 - drop_probability)


PLAIN = """def channel_dropout(x, drop_probability, rng):
    N, C, H, W = x.shape
    keep = rng.random((N, C, 1, 1)) >= drop_probability
    return x * keep / (1 - drop_probability)
"""
DRAW, SCALE = "(N, C, 1, 1)", " / (1 - drop_probability)"
FIXED = "rng.permutation(N * C).reshape(N, C, 1, 1) >= round(drop_probability * N * C)"
FIXED_CHANNELS = "rng.permuted(np.tile(np.arange(C), (N, 1)), axis=1)[:, :, None, None] >= round(drop_probability * C)"

mistaken_changes(
    __name__,
    "channel_dropout",
    PLAIN,
    (
        ("no scaling", (SCALE, "")),
        ("divided by p", (SCALE, " / drop_probability")),
        ("multiplied by 1 − p", (SCALE, " * (1 - drop_probability)")),
        ("divided by the share of this mask", (SCALE, " / keep.mean()")),
        ("keep and drop swapped", (">=", "<")),
        ("keep and drop swapped", (">=", "<"), (SCALE, " / drop_probability")),
        ("keep and drop swapped", (">=", "<"), (SCALE, "")),
        ("single elements dropped", (DRAW, "x.shape")),
        ("positions dropped", (DRAW, "(N, 1, H, W)")),
        ("rows or columns dropped", (DRAW, "(N, C, H, 1)")),
        ("rows or columns dropped", (DRAW, "(N, C, 1, W)")),
        ("one mask for all images", (DRAW, "(1, C, 1, 1)")),
        ("whole images dropped", (DRAW, "(N, 1, 1, 1)")),
        ("nothing dropped", ("x * keep / (1 - drop_probability)", "x.copy()")),
        ("same mask at every call", ("rng.random", "np.random.default_rng(3).random")),
        ("rng not used", ("rng.random", "np.random.random")),
        ("a fixed number dropped", ("rng.random((N, C, 1, 1)) >= drop_probability", FIXED)),
        ("a fixed number dropped", ("rng.random((N, C, 1, 1)) >= drop_probability", FIXED_CHANNELS)),
    ),
)
