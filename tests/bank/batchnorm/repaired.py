"""repaired_batchnorm2d_backward: mended in other ways, and not mended."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources


@alternative("repaired_batchnorm2d_backward", "the gradient of x_hat first")
def repaired_batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    axes, count = (0, 2, 3), x.shape[0] * x.shape[2] * x.shape[3]
    std = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    x_hat = (x - x.mean(axis=axes, keepdims=True)) / std
    grad_hat = gamma.reshape(1, -1, 1, 1) * grad_out
    b, s = (np.sum(a, axis=axes, keepdims=True) for a in (grad_hat, grad_hat * x_hat))
    grad_x = (count * grad_hat - b - x_hat * s) / (count * std)
    return grad_x, (grad_out * x_hat).sum(axis=axes), grad_out.sum(axis=axes)


@alternative("repaired_batchnorm2d_backward", "gamma before the sums, means for sums")
def repaired_batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    axes = (0, 2, 3)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    std = np.sqrt(variance + epsilon)
    x_hat = (x - mean) / std
    grad_beta = grad_out.sum(axis=axes)
    grad_gamma = (grad_out * x_hat).sum(axis=axes)
    g = gamma[:, None, None]
    b, s = grad_out.mean(axis=axes, keepdims=True), (grad_out * x_hat).mean(axis=axes, keepdims=True)
    grad_x = (g * grad_out - g * b - g * x_hat * s) / std
    return grad_x, grad_gamma, grad_beta


RIGHT = """def repaired_batchnorm2d_backward(grad_out, x, gamma, epsilon=1e-5):
    axes, count = (0, 2, 3), x.size // len(gamma)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    std = np.sqrt(variance + epsilon)
    x_hat = (x - mean) / std
    grad_beta = grad_out.sum(axis=axes)
    grad_gamma = (grad_out * x_hat).sum(axis=axes)
    g, b, s = gamma[:, None, None], grad_beta[:, None, None], grad_gamma[:, None, None]
    grad_x = g * (count * grad_out - b - x_hat * s) / (count * std)
    return grad_x, grad_gamma, grad_beta
"""
COUNT, TERMS = "x.size // len(gamma)", "g * (count * grad_out - b - x_hat * s)"
ONE_TERM = "(count * g * grad_out - b - x_hat * s)"

mistaken_sources(
    __name__,
    "repaired_batchnorm2d_backward",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            ("both bugs still there", (COUNT, "len(x)"), (TERMS, ONE_TERM)),
            ("still divided by the number of images", (COUNT, "len(x)")),
            ("gamma still before one term", (TERMS, ONE_TERM)),
            ("pixels counted without the images", (COUNT, "x.shape[2] * x.shape[3]")),
            ("channels counted too", (COUNT, "x.size")),
            ("gamma removed", (TERMS, TERMS.removeprefix("g * "))),
            ("gamma twice", (TERMS, "g * (count * g * grad_out - g * b - x_hat * g * s)")),
        )
    ],
)
