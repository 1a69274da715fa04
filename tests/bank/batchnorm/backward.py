"""batchnorm_backward and batchnorm2d_backward: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("batchnorm_backward", "staged, as in the paper, with the term that is zero")
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    m = len(x)
    centred = x - x.mean(axis=0)
    var = (centred**2).mean(axis=0)
    d_hat = grad_out * gamma
    d_var = np.sum(d_hat * centred, axis=0) * -0.5 * (var + epsilon) ** -1.5
    d_mean = -np.sum(d_hat, axis=0) / np.sqrt(var + epsilon) + d_var * np.mean(-2 * centred, axis=0)
    grad_x = d_hat / np.sqrt(var + epsilon) + d_var * 2 * centred / m + d_mean / m
    return grad_x, np.sum(grad_out * centred / np.sqrt(var + epsilon), axis=0), np.sum(grad_out, axis=0)


@alternative("batchnorm_backward", "staged, without the term that is zero")
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    N = x.shape[0]
    centred = x - x.mean(axis=0)
    inverse = 1 / np.sqrt(x.var(axis=0) + epsilon)
    d_centred = grad_out * gamma * inverse
    d_inverse = (grad_out * gamma * centred).sum(axis=0)
    d_var = -0.5 * inverse**3 * d_inverse
    d_centred += 2 / N * centred * d_var
    return [d_centred - d_centred.mean(axis=0), (grad_out * centred * inverse).sum(axis=0), grad_out.sum(axis=0)]


@alternative("batchnorm_backward", "the matrix of all derivatives, einsum")
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    n, _ = x.shape
    std = np.sqrt(np.var(x, axis=0) + epsilon)
    x_hat = (x - np.mean(x, axis=0)) / std
    jacobian = (np.eye(n)[:, :, None] - 1 / n - np.einsum("nd,md->nmd", x_hat, x_hat) / n) / std
    grad_x = np.einsum("nd,nmd,d->md", grad_out, jacobian, gamma)
    return grad_x, np.einsum("nd,nd->d", grad_out, x_hat), np.einsum("nd->d", grad_out)


@alternative("batchnorm_backward", "feature by feature, float32 results")
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    grad_x = np.zeros(x.shape, dtype=np.float32)
    grad_gamma, grad_beta = np.zeros(len(gamma), dtype=np.float32), np.zeros(len(gamma), dtype=np.float32)
    for d in range(len(gamma)):
        g, column = grad_out[:, d], x[:, d]
        std = (column.var() + epsilon) ** 0.5
        hat = (column - column.mean()) / std
        grad_beta[d], grad_gamma[d] = g.sum(), g @ hat
        grad_x[:, d] = gamma[d] / (len(x) * std) * (len(x) * g - g.sum() - hat * (g @ hat))
    return grad_x, grad_gamma, grad_beta


BACKWARD = """def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    mean = np.mean(x, axis=0, keepdims=True)
    variance = np.mean((x - mean) ** 2, axis=0, keepdims=True)
    std = np.sqrt(variance + epsilon)
    centred = x - mean
    x_hat = centred / std
    m = len(x)
    dx_hat = gamma * grad_out
    first = np.sum(dx_hat, axis=0, keepdims=True) / m
    second = x_hat * (np.sum(dx_hat * x_hat, axis=0, keepdims=True) / m)
    grad_x = (dx_hat - first - second) / std
    grad_gamma = np.sum(grad_out * x_hat, axis=0)
    grad_beta = np.sum(grad_out, axis=0)
    return grad_x, grad_gamma, grad_beta
"""
GRAD_X, DX_HAT = "(dx_hat - first - second) / std", "dx_hat = gamma * grad_out"
RETURN = "return grad_x, grad_gamma, grad_beta"
SQUARES = "np.mean((x - mean) ** 2, axis=0, keepdims=True)"
VARIANCE, GAMMA = f"variance = {SQUARES}", "grad_gamma = np.sum(grad_out * x_hat"

MISTAKES = (
    ("mean and variance held constant", (GRAD_X, "dx_hat / std")),
    ("path through the variance dropped", (GRAD_X, "(dx_hat - first) / std")),
    ("path through the mean dropped", (GRAD_X, "(dx_hat - second) / std")),
    ("sums where means belong", ("    m = ", "    m = 1  # ")),
    ("a sign lost on the way", (GRAD_X, "(dx_hat + first + second) / std")),
    ("a sign lost on the way", (GRAD_X, "(dx_hat + first - second) / std")),
    ("path through the variance added", (GRAD_X, "(dx_hat - first + second) / std")),
    ("N − 1 in the two means", ("    m = ", "    m = -1 + ")),
    ("gamma counted twice in grad_x", (GRAD_X, "gamma * (dx_hat - first - second) / std")),
    ("gamma missing in grad_x", (DX_HAT, "dx_hat = grad_out")),
    ("gamma in front of one term alone", (DX_HAT, "dx_hat = grad_out"), ("(dx_hat - first", "(gamma * dx_hat - first")),
    ("divided by the variance", (GRAD_X, "(dx_hat - first - second) / (variance + epsilon)")),
    ("not divided by the standard deviation", (GRAD_X, "dx_hat - first - second")),
    ("gradient of gamma without x̂", (GAMMA, "grad_gamma = np.sum(grad_out")),
    ("gradient of gamma from x", (GAMMA, "grad_gamma = np.sum(grad_out * x")),
    ("gradient of gamma from x", (GAMMA, "grad_gamma = np.sum(grad_out * centred")),
    ("gamma in its own gradient", (GAMMA, "grad_gamma = np.sum(dx_hat * x_hat")),
    (
        "gamma in its own gradient",
        (GAMMA, "grad_gamma = np.sum(dx_hat * x_hat"),
        ("beta = np.sum(grad_out", "beta = np.sum(dx_hat"),
    ),
    ("gamma in the gradient of beta", ("beta = np.sum(grad_out", "beta = np.sum(dx_hat")),
    ("averaged instead of summed", (GAMMA, GAMMA.replace("sum", "mean"))),
    ("averaged instead of summed", ("beta = np.sum", "beta = np.mean")),
    ("averaged instead of summed", (GAMMA, GAMMA.replace("sum", "mean")), ("beta = np.sum", "beta = np.mean")),
    ("gradient of beta summed to one number", (RETURN, "return grad_x, grad_gamma, grad_out.sum()")),
    ("epsilon beside the root", ("np.sqrt(variance + epsilon)", "(np.sqrt(variance) + epsilon)")),
    ("epsilon left out", ("np.sqrt(variance + epsilon)", "np.sqrt(variance)")),
    ("epsilon fixed", ("np.sqrt(variance + epsilon)", "np.sqrt(variance + 1e-5)")),
    ("variance without a root", ("np.sqrt(variance + epsilon)", "(variance + epsilon)")),
    ("unbiased variance", (SQUARES, "np.var(x, axis=0, ddof=1, keepdims=True)")),
    ("mean of x² for the variance", (SQUARES, "np.mean(x**2, axis=0, keepdims=True)")),
    ("difference of two large numbers", (SQUARES, "np.mean(x**2, axis=0, keepdims=True) - mean**2")),
    ("right values, other order", (RETURN, "return grad_x, grad_beta, grad_gamma")),
    ("right values, other order", (RETURN, "return grad_gamma, grad_beta, grad_x")),
)

mistaken_sources(
    __name__,
    "batchnorm_backward",
    [
        (name, changed(BACKWARD, *changes))
        for name, *changes in (*MISTAKES, ("along axis 1", ("axis=0", "axis=1"), ("len(x)", "x.shape[1]")))
    ],
)


@mistaken("batchnorm_backward", "path through the variance dropped")
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    std = np.sqrt(x.var(axis=0) + epsilon)
    d_hat = grad_out * gamma
    grad_x = d_hat / std + (-d_hat / std).sum(axis=0) / len(x)
    return grad_x, (grad_out * (x - x.mean(axis=0)) / std).sum(axis=0), grad_out.sum(axis=0)


@mistaken("batchnorm_backward", "input changed in place")
def batchnorm_backward(grad_out, x, gamma, epsilon=1e-5):
    std = np.sqrt(x.var(axis=0) + epsilon)
    x_hat = (x - x.mean(axis=0)) / std
    grad_gamma, grad_beta = (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)
    grad_out *= gamma / std
    grad_out -= grad_out.mean(axis=0) + x_hat * (grad_out * x_hat).mean(axis=0)
    return grad_out.copy(), grad_gamma, grad_beta


# --- batchnorm2d_backward ---------------------------------------------------------------------------------------


@alternative("batchnorm2d_backward", "as rows of C numbers")
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    N, C, H, W = x.shape
    g, rows = (a.transpose(0, 2, 3, 1).reshape(-1, C) for a in (grad_out, x))
    std = np.sqrt(rows.var(axis=0) + epsilon)
    x_hat = (rows - rows.mean(axis=0)) / std
    grad_rows = gamma / std * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
    return grad_rows.reshape(N, H, W, C).transpose(0, 3, 1, 2), (g * x_hat).sum(axis=0), g.sum(axis=0)


@alternative("batchnorm2d_backward", "channel by channel, staged")
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    grad_x, grad_gamma, grad_beta = np.zeros(x.shape), np.zeros(len(gamma)), np.zeros(len(gamma))
    for c in range(len(gamma)):
        g, channel = grad_out[:, c], x[:, c]
        centred = channel - channel.mean()
        inverse = (np.mean(centred**2) + epsilon) ** -0.5
        d_var = -0.5 * inverse**3 * np.sum(g * gamma[c] * centred)
        d_centred = g * gamma[c] * inverse + 2 * d_var * centred / channel.size
        grad_x[:, c] = d_centred - d_centred.sum() / channel.size
        grad_gamma[c], grad_beta[c] = np.sum(g * centred) * inverse, np.sum(g)
    return grad_x, grad_gamma, grad_beta


@alternative("batchnorm2d_backward", "einsum")
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    m = x.size / len(gamma)
    centred = x - np.einsum("nchw->c", x)[:, None, None] / m
    inverse = 1 / np.sqrt(np.einsum("nchw,nchw->c", centred, centred) / m + epsilon)
    grad_beta = np.einsum("nchw->c", grad_out)
    grad_gamma = np.einsum("nchw,nchw,c->c", grad_out, centred, inverse)
    inner = grad_out - (grad_beta / m)[:, None, None] - np.einsum("nchw,c->nchw", centred, inverse * grad_gamma / m)
    return np.einsum("nchw,c->nchw", inner, gamma * inverse), grad_gamma, grad_beta


GAMMA_2D = "    gamma = gamma[:, None, None]\n"
BACKWARD_2D = changed(
    BACKWARD.replace("batchnorm_backward", "batchnorm2d_backward"),
    ("axis=0", "axis=(0, 2, 3)"),
    ("    m = len(x)", "    m = x.shape[0] * x.shape[2] * x.shape[3]"),
    (f"    {DX_HAT}\n", f"{GAMMA_2D}    {DX_HAT}\n"),
)
COUNT = "m = x.shape[0] * x.shape[2] * x.shape[3]"
WHOLE = "np.sum(grad_out * x_hat, axis=(0, 2, 3))", "np.sum(grad_out, axis=(0, 2, 3))"
OTHER_STATISTICS = [
    (f"np.mean({what}, axis=(0, 2, 3), keepdims=True)", f"np.mean({what}, axis=AXES, keepdims=True)")
    for what in ("x", "(x - mean) ** 2")
] + [
    (f"np.sum({what}, axis=(0, 2, 3), keepdims=True) / m", f"np.mean({what}, axis=AXES, keepdims=True)")
    for what in ("dx_hat", "dx_hat * x_hat")
]


def statistics_over(axes):
    """The changes that take statistics over other axes; the gradients of gamma and beta stay (C,)."""
    return [(old, new.replace("AXES", axes)) for old, new in OTHER_STATISTICS]


def in_2d(changes):
    return [tuple(text.replace("axis=0", "axis=(0, 2, 3)") for text in change) for change in changes]


mistaken_sources(
    __name__,
    "batchnorm2d_backward",
    [
        (name, changed(BACKWARD_2D, *changes))
        for name, *changes in (
            *((name, *in_2d(changes)) for name, *changes in MISTAKES),
            ("N where N·H·W belongs", (COUNT, "m = len(x)")),
            ("H·W where N·H·W belongs", (COUNT, "m = x.shape[2] * x.shape[3]")),
            ("the channels counted too", (COUNT, "m = x.size")),
            ("averaged over the images alone", *statistics_over("0")),
            ("averaged over the images alone", ("axis=(0, 2, 3)", "axis=0"), (COUNT, "m = len(x)")),
            ("every image by itself", *statistics_over("(2, 3)")),
            (
                "gradients of gamma and beta for each pixel",
                (WHOLE[0], "np.sum(grad_out * x_hat, axis=0)"),
                (WHOLE[1], "np.sum(grad_out, axis=0)"),
            ),
            ("gamma along the width", (GAMMA_2D, "")),
        )
    ],
)


@mistaken("batchnorm2d_backward", "reshaped without moving the channels")
def batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    g, rows = grad_out.reshape(-1, len(gamma)), x.reshape(-1, len(gamma))
    std = np.sqrt(rows.var(axis=0) + epsilon)
    x_hat = (rows - rows.mean(axis=0)) / std
    grad_rows = gamma / std * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
    return grad_rows.reshape(x.shape), (g * x_hat).sum(axis=0), g.sum(axis=0)
