"""maxout and prelu_backward: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

# --- maxout -----------------------------------------------------------------------------------------------------

MAXOUT = """def maxout(x, pieces):
    N, D = x.shape
    if D % pieces != 0:
        raise ValueError(f"{D} features, {pieces} pieces")
    return x.reshape(N, D // pieces, pieces).max(axis=2)
"""
GROUPED = "x.reshape(N, D // pieces, pieces).max(axis=2)"
REFUSED = 'if D % pieces != 0:\n        raise ValueError(f"{D} features, {pieces} pieces")\n    '


@alternative("maxout", "slices with steps")
def maxout(x, pieces):
    if x.shape[1] % pieces:
        raise ValueError(f"{x.shape[1]} is no multiple of {pieces}")
    out = x[:, 0::pieces].copy()
    for k in range(1, pieces):
        out = np.maximum(out, x[:, k::pieces])
    return out


@alternative("maxout", "loops over Python's max")
def maxout(x, pieces):
    n, d = x.shape
    if d % pieces:
        raise ValueError(f"cannot split {d} features into groups of {pieces}")
    return np.array([[max(row[j : j + pieces]) for j in range(0, d, pieces)] for row in x])


@alternative("maxout", "maximum.reduceat, float32")
def maxout(x, pieces):
    if x.shape[1] / pieces != x.shape[1] // pieces:
        raise ValueError(f"{x.shape[1]} features / {pieces} pieces")
    return np.maximum.reduceat(x.astype(np.float32), np.arange(0, x.shape[1], pieces), axis=1)


mistaken_sources(
    __name__,
    "maxout",
    [
        (name, changed(MAXOUT, *changes))
        for name, *changes in (
            ("features far apart in one group", (GROUPED, "x.reshape(N, pieces, D // pieces).max(axis=1)")),
            ("groups and pieces swapped", (GROUPED, "x.reshape(N, pieces, D // pieces).max(axis=2)")),
            ("one maximum of all features", (GROUPED, "x.max(axis=1, keepdims=True)")),
            ("maximum over the groups", (GROUPED, "x.reshape(N, D // pieces, pieces).max(axis=1)")),
            ("clipped at zero", (GROUPED, "np.maximum(0, x.reshape(N, D // pieces, pieces).max(axis=2))")),
            ("largest magnitude", (GROUPED, "np.abs(x.reshape(N, D // pieces, pieces)).max(axis=2)")),
            ("mean of the group", (GROUPED, "x.reshape(N, D // pieces, pieces).mean(axis=2)")),
            ("leftover features ignored", (REFUSED, "x = x[:, : D - D % pieces]\n    ")),
            ("numbers missing in the message", (REFUSED, "")),
            ("numbers missing in the message", ('f"{D} features, {pieces} pieces"', '"cannot split the features"')),
            ("numbers missing in the message", ('f"{D} features, {pieces} pieces"', 'f"{pieces} does not fit"')),
        )
    ],
)


@mistaken("maxout", "leftover features ignored")
def maxout(x, pieces):
    starts = range(0, x.shape[1], pieces)  # the last group may be smaller
    return np.stack([x[:, start : start + pieces].max(axis=1) for start in starts], axis=1)


# --- prelu_backward ---------------------------------------------------------------------------------------------

PRELU = """def prelu_backward(grad_out, x, slope):
    grad_x = grad_out * np.where(x > 0, 1, slope)
    grad_slope = np.sum(grad_out * np.minimum(x, 0))
    return grad_x, grad_slope
"""
GRAD_X, GRAD_SLOPE = "grad_out * np.where(x > 0, 1, slope)", "np.sum(grad_out * np.minimum(x, 0))"


@alternative("prelu_backward", "masks, the slope's side at 0")
def prelu_backward(grad_out, x, slope):
    negative = x <= 0
    grad_x = grad_out.copy()
    grad_x[negative] *= slope
    return grad_x, (grad_out[negative] * x[negative]).sum()


@alternative("prelu_backward", "1 at 0, einsum and float32")
def prelu_backward(grad_out, x, slope):
    g, z = grad_out.astype(np.float32), x.astype(np.float32)
    grad_x = np.where(z >= 0, g, np.float32(slope) * g)
    return grad_x, np.einsum("i,i", g.ravel(), np.minimum(z, 0).ravel())


@alternative("prelu_backward", "a loop over all elements")
def prelu_backward(grad_out, x, slope):
    grad_x, grad_slope = np.zeros(x.shape), 0.0
    for i in np.ndindex(x.shape):
        if x[i] > 0:
            grad_x[i] = grad_out[i]
        else:
            grad_x[i] = slope * grad_out[i]
            grad_slope += grad_out[i] * x[i]
    return grad_x, grad_slope


mistaken_sources(
    __name__,
    "prelu_backward",
    [
        (name, changed(PRELU, *changes))
        for name, *changes in (
            ("slope gradient not summed", (GRAD_SLOPE, "grad_out * np.minimum(x, 0)")),
            ("slope gradient summed along one axis", (GRAD_SLOPE, "np.sum(grad_out * np.minimum(x, 0), axis=0)")),
            ("slope gradient summed along one axis", (GRAD_SLOPE, "np.sum(grad_out * np.minimum(x, 0), axis=-1)")),
            ("slope gradient averaged", (GRAD_SLOPE, "np.mean(grad_out * np.minimum(x, 0))")),
            ("slope gradient averaged", (GRAD_SLOPE, "np.sum(grad_out * np.minimum(x, 0)) / x.shape[0]")),
            ("x forgotten in the slope gradient", (GRAD_SLOPE, "np.sum(grad_out * (x < 0))")),
            ("slope gradient from all inputs", (GRAD_SLOPE, "np.sum(grad_out * x)")),
            ("slope gradient without the gradient from above", (GRAD_SLOPE, "np.sum(np.minimum(x, 0))")),
            ("slope gradient from the output", (GRAD_SLOPE, "np.sum(grad_out * slope * np.minimum(x, 0))")),
            ("gradient of a plain ReLU", (GRAD_X, "grad_out * (x > 0)")),
            ("the gradient decides, not the input", (GRAD_X, "np.where(grad_out > 0, grad_out, slope * grad_out)")),
        )
    ],
)


@mistaken("prelu_backward", "larger of x and slope · x")
def prelu_backward(grad_out, x, slope):
    linear = x > slope * x
    grad_x = np.where(linear, grad_out, slope * grad_out)
    return grad_x, np.sum((grad_out * x)[~linear])


@mistaken("prelu_backward", "the output's sign decides")
def prelu_backward(grad_out, x, slope):
    out = np.where(x > 0, x, slope * x)
    active = out > 0
    return grad_out * np.where(active, 1, slope), np.sum(np.where(active, 0, grad_out * x))
