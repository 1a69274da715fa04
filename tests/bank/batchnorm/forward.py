"""batchnorm_forward and batchnorm2d_forward: correct in other styles, and wrong."""

import numpy as np

from tests.bank.batchnorm.sources import AFFINE, shared_mistakes
from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("batchnorm_forward", "column by column")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    out = np.zeros(x.shape)
    for d in range(x.shape[1]):
        column = x[:, d]
        mean = sum(column) / len(column)
        variance = sum((value - mean) ** 2 for value in column) / len(column)
        for n in range(len(x)):
            out[n, d] = gamma[d] * (column[n] - mean) / (variance + epsilon) ** 0.5 + beta[d]
    return out


@alternative("batchnorm_forward", "einsum, one scale and one shift")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    mean = np.einsum("nd->d", x) / len(x)
    centred = x - mean
    scale = gamma * (np.einsum("nd,nd->d", centred, centred) / len(x) + epsilon) ** -0.5
    return np.einsum("nd,d->nd", centred, scale) + beta


@alternative("batchnorm_forward", "centred in float64, finished in float32")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    centred = (x - x.mean(axis=0)).astype(np.float32)
    x_hat = centred / np.sqrt(np.mean(centred**2, axis=0) + np.float32(epsilon))
    return gamma.astype(np.float32) * x_hat + beta.astype(np.float32)


FORWARD = """def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    mean = np.mean(x, axis=0, keepdims=True)
    variance = np.mean((x - mean) ** 2, axis=0, keepdims=True)
    centred = x - mean
    x_hat = centred / np.sqrt(variance + epsilon)
    out = gamma * x_hat + beta
    return out
"""
FLOAT32 = ("    mean =", "    x = x.astype(np.float32)\n    mean =")
SQUARES = ("np.mean((x - mean) ** 2, axis=0, keepdims=True)", "np.mean(x**2, axis=0, keepdims=True) - mean**2")

mistaken_sources(
    __name__,
    "batchnorm_forward",
    [
        (name, changed(FORWARD, *changes))
        for name, *changes in (
            *shared_mistakes("axis=0, keepdims=True"),
            ("normalized along axis 1", ("axis=0", "axis=1")),
            ("one mean for everything", ("axis=0, keepdims=True", "")),
            ("difference of two large numbers", SQUARES),
            ("seven digits", FLOAT32, (AFFINE, f"({AFFINE}).astype(np.float32)")),
        )
    ],
)


@mistaken("batchnorm_forward", "normalized along axis 1")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    x_hat = ((x.T - x.mean(axis=1)) / np.sqrt(x.var(axis=1) + epsilon)).T
    return gamma * x_hat + beta


@mistaken("batchnorm_forward", "axis 1, and N statistics for D columns")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    mean, var = x.mean(axis=1), x.var(axis=1)
    return gamma * (x - mean) / np.sqrt(var + epsilon) + beta


@mistaken("batchnorm_forward", "unbiased variance")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
    return gamma * (x - mean) / np.sqrt(var + epsilon) + beta


@mistaken("batchnorm_forward", "difference of two large numbers")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    mean = x.sum(axis=0) / len(x)
    var = np.maximum((x * x).sum(axis=0) / len(x) - mean * mean, 0)
    return gamma * (x - mean) / np.sqrt(var + epsilon) + beta


@mistaken("batchnorm_forward", "input changed in place")
def batchnorm_forward(x, gamma, beta, epsilon=1e-5):
    x -= x.mean(axis=0)
    x /= np.sqrt((x**2).mean(axis=0) + epsilon)
    return gamma * x + beta


# --- batchnorm2d_forward ----------------------------------------------------------------------------------------


@alternative("batchnorm2d_forward", "as rows of C numbers")
def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(-1, C)
    out = gamma * (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + epsilon) + beta
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2)


@alternative("batchnorm2d_forward", "channel by channel")
def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    out = np.empty(x.shape)
    for c in range(x.shape[1]):
        channel = x[:, c]
        scale = gamma[c] / np.sqrt(np.var(channel) + epsilon)
        out[:, c] = scale * (channel - np.mean(channel)) + beta[c]
    return out


@alternative("batchnorm2d_forward", "einsum")
def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    count = x.shape[0] * x.shape[2] * x.shape[3]
    centred = x - (np.einsum("nchw->c", x) / count)[None, :, None, None]
    variance = np.einsum("nchw,nchw->c", centred, centred) / count
    return np.einsum("nchw,c->nchw", centred, gamma / np.sqrt(variance + epsilon)) + beta.reshape(1, -1, 1, 1)


FORWARD_2D = """def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    gamma, beta = gamma[:, None, None], beta[:, None, None]
    mean = np.mean(x, axis=(0, 2, 3), keepdims=True)
    variance = np.mean((x - mean) ** 2, axis=(0, 2, 3), keepdims=True)
    centred = x - mean
    x_hat = centred / np.sqrt(variance + epsilon)
    out = gamma * x_hat + beta
    return out
"""
PER_CHANNEL = "axis=(0, 2, 3), keepdims=True"
SQUARES_2D = f"np.mean(x**2, {PER_CHANNEL}) - mean**2"

mistaken_sources(
    __name__,
    "batchnorm2d_forward",
    [
        (name, changed(FORWARD_2D, *changes))
        for name, *changes in (
            *shared_mistakes(PER_CHANNEL),
            ("averaged over the images alone", ("axis=(0, 2, 3)", "axis=0")),
            ("every image by itself", ("axis=(0, 2, 3)", "axis=(2, 3)")),
            ("averaged over the channels too", ("axis=(0, 2, 3)", "axis=(1, 2, 3)")),
            ("axis 1", ("axis=(0, 2, 3)", "axis=1")),
            ("one mean for everything", (PER_CHANNEL, "")),
            ("gamma along the width", ("    gamma, beta = gamma[:, None, None], beta[:, None, None]\n", "")),
            ("difference of two large numbers", (f"np.mean((x - mean) ** 2, {PER_CHANNEL})", SQUARES_2D)),
            ("seven digits", FLOAT32, (AFFINE, f"({AFFINE}).astype(np.float32)")),
        )
    ],
)


@mistaken("batchnorm2d_forward", "reshaped without moving the channels")
def batchnorm2d_forward(x, gamma, beta, epsilon=1e-5):
    rows = x.reshape(-1, x.shape[1])
    out = gamma * (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + epsilon) + beta
    return out.reshape(x.shape)
