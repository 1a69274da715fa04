"""layernorm_forward and groupnorm_forward: correct in other styles, and wrong."""

import numpy as np

from tests.bank.batchnorm.sources import shared_mistakes
from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("layernorm_forward", "vector by vector")
def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    out = np.zeros(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        vector = x[place]
        mean = sum(vector) / len(vector)
        variance = sum((v - mean) ** 2 for v in vector) / len(vector)
        out[place] = gamma * (vector - mean) / (variance + epsilon) ** 0.5 + beta
    return out


@alternative("layernorm_forward", "transposed, as a batch norm")
def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    columns = x.reshape(-1, x.shape[-1]).T
    hat = (columns - columns.mean(axis=0)) / np.sqrt(columns.var(axis=0) + epsilon)
    return gamma * hat.T.reshape(x.shape) + beta


@alternative("layernorm_forward", "einsum, float32 result")
def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    centred = x - np.einsum("...d->...", x)[..., None] / x.shape[-1]
    variance = np.einsum("...d,...d->...", centred, centred) / x.shape[-1]
    return (np.einsum("...d,...,d->...d", centred, (variance + epsilon) ** -0.5, gamma) + beta).astype(np.float32)


LAYER = """def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.mean((x - mean) ** 2, axis=-1, keepdims=True)
    centred = x - mean
    x_hat = centred / np.sqrt(variance + epsilon)
    out = gamma * x_hat + beta
    return out
"""

mistaken_sources(
    __name__,
    "layernorm_forward",
    [
        (name, changed(LAYER, *changes))
        for name, *changes in (
            *shared_mistakes("axis=-1, keepdims=True"),
            ("over the batch", ("axis=-1", "axis=0")),
            ("over the batch and the sequence", ("axis=-1", "axis=tuple(range(x.ndim - 1))")),
            ("axis 1 of a sequence", ("axis=-1", "axis=1")),
            ("whole sequence together", ("axis=-1", "axis=tuple(range(1, x.ndim))")),
            ("one mean for everything", ("axis=-1, keepdims=True", "")),
        )
    ],
)


@mistaken("layernorm_forward", "axis 1 of a sequence")
def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    mu, sigma2 = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mu) / (sigma2 + epsilon) ** 0.5 * gamma + beta


# --- groupnorm_forward ------------------------------------------------------------------------------------------


@alternative("groupnorm_forward", "group by group")
def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    N, C = x.shape[:2]
    if C % groups != 0:
        raise ValueError(f"C = {C} is not divisible by groups = {groups}")
    size, out = C // groups, np.zeros(x.shape)
    for n in range(N):
        for g in range(groups):
            here = np.s_[n, g * size : (g + 1) * size]
            out[here] = (x[here] - np.mean(x[here])) / np.sqrt(np.var(x[here]) + epsilon)
    return out * gamma.reshape(1, C, 1, 1) + beta.reshape(1, C, 1, 1)


@alternative("groupnorm_forward", "einsum")
def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    if x.shape[1] % groups:
        raise ValueError(f"{groups} groups do not divide {x.shape[1]} channels")
    parts = x.reshape(len(x), groups, -1)
    count = parts.shape[2]
    centred = parts - np.einsum("ngk->ng", parts)[..., None] / count
    scale = (np.einsum("ngk,ngk->ng", centred, centred) / count + epsilon) ** -0.5
    hat = np.einsum("ngk,ng->ngk", centred, scale).reshape(x.shape)
    return np.einsum("nchw,c->nchw", hat, gamma) + beta[None, :, None, None]


@alternative("groupnorm_forward", "split, float32 result")
def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    if groups > x.shape[1] or x.shape[1] % groups:
        raise ValueError(f"cannot split {x.shape[1]} by {groups}")
    hats = []
    for part in np.split(x, groups, axis=1):
        centred = part - part.mean(axis=(1, 2, 3), keepdims=True)
        hats.append(centred / np.sqrt((centred**2).mean(axis=(1, 2, 3), keepdims=True) + epsilon))
    out = np.concatenate(hats, axis=1) * gamma[:, None, None] + beta[:, None, None]
    return out.astype(np.float32)


GROUP = """def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    N, C, H, W = x.shape
    if C % groups:
        raise ValueError(f"{C} channels, {groups} groups")
    gamma, beta = gamma[:, None, None], beta[:, None, None]
    shape = x.shape
    count = groups
    x = x.reshape(N, count, C // count, H, W)
    mean = np.mean(x, axis=(2, 3, 4), keepdims=True)
    variance = np.mean((x - mean) ** 2, axis=(2, 3, 4), keepdims=True)
    centred = x - mean
    x_hat = centred / np.sqrt(variance + epsilon)
    x_hat = x_hat.reshape(shape)
    out = gamma * x_hat + beta
    return out
"""
TEST = '    if C % groups:\n        raise ValueError(f"{C} channels, {groups} groups")\n'

mistaken_sources(
    __name__,
    "groupnorm_forward",
    [
        (name, changed(GROUP, *changes))
        for name, *changes in (
            *shared_mistakes("axis=(2, 3, 4), keepdims=True"),
            (
                "channels dealt out like cards",
                ("x.reshape(N, count, C // count, H, W)", "x.reshape(N, C // count, count, H, W)"),
                ("axis=(2, 3, 4)", "axis=(1, 3, 4)"),
            ),
            ("groups taken for channels of a group", ("count = groups", "count = C // groups")),
            ("every channel by itself", ("count = groups", "count = C")),
            ("all channels together", ("count = groups", "count = 1")),
            ("over the batch too", ("axis=(2, 3, 4)", "axis=(0, 2, 3, 4)")),
            ("every pixel by itself", ("axis=(2, 3, 4)", "axis=2")),
            (
                "one gamma for each group",
                (
                    "gamma, beta = gamma[:, None, None], beta[:, None, None]",
                    "gamma, beta = (np.repeat(v[:groups], C // groups)[:, None, None] for v in (gamma, beta))",
                ),
            ),
        )
    ],
)


@mistaken("groupnorm_forward", "channels left over")
def groupnorm_forward(x, gamma, beta, groups, epsilon=1e-5):
    out = np.zeros(x.shape)
    size = max(x.shape[1] // groups, 1)
    for first in range(0, size * groups, size):
        part = x[:, first : first + size]
        if part.size:
            hat = part - part.mean(axis=(1, 2, 3), keepdims=True)
            out[:, first : first + size] = hat / np.sqrt(part.var(axis=(1, 2, 3), keepdims=True) + epsilon)
    return gamma[:, None, None] * out + beta[:, None, None]
