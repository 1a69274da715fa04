"""global_average_pool: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("global_average_pool", "loops")
def global_average_pool(x):
    N, C, H, W = x.shape
    out = np.zeros((N, C))
    for n in range(N):
        for c in range(C):
            for row in x[n, c]:
                out[n, c] += sum(row)
    return out / (H * W)


@alternative("global_average_pool", "einsum")
def global_average_pool(x):
    return np.einsum("nchw->nc", x) / (x.shape[2] * x.shape[3])


@alternative("global_average_pool", "flattened, a product with ones, float32")
def global_average_pool(x):
    flat = x.reshape(x.shape[0], x.shape[1], -1)
    return (flat @ np.full(flat.shape[2], 1 / flat.shape[2])).astype(np.float32)


@alternative("global_average_pool", "one axis after the other")
def global_average_pool(x):
    return x.mean(axis=3).mean(axis=2)


LINES = [
    ("sum instead of mean", "x.sum(axis=(2, 3))"),
    ("largest instead of mean", "x.max(axis=(2, 3))"),
    ("averaged over the channels", "x.mean(axis=1)"),
    ("averaged over the batch", "x.mean(axis=(0, 2, 3))"),
    ("one number for each image", "x.mean(axis=(1, 2, 3))"),
    ("one axis left over", "x.mean(axis=2)"),
    ("one axis left over", "x.mean(axis=-1)"),
    ("axes kept", "x.mean(axis=(2, 3), keepdims=True)"),
    ("squares assumed", "x.sum(axis=(2, 3)) / x.shape[-1] ** 2"),
    ("squares assumed", "x.sum(axis=(2, 3)) / x.shape[2] ** 2"),
    ("channels first", "x.mean(axis=(2, 3)).T"),
]

mistaken_sources(
    __name__,
    "global_average_pool",
    [(label, f"def global_average_pool(x):\n    return {line}\n") for label, line in LINES],
)


@mistaken("global_average_pool", "rounded to whole numbers")
def global_average_pool(x):
    N, C, H, W = x.shape
    out = np.zeros_like(x[:, :, 0, 0])
    for n in range(N):
        for c in range(C):
            out[n, c] = x[n, c].sum() / (H * W)
    return out
