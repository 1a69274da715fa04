"""What students write for dropout_backward."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative, mistaken


@alternative("dropout_backward", "one element at a time")
def dropout_backward(grad_out, keep_mask, drop_probability):
    grad_x = np.zeros(grad_out.shape)
    for index in np.ndindex(grad_out.shape):
        if keep_mask[index]:
            grad_x[index] = grad_out[index] / (1 - drop_probability)
    return grad_x


@alternative("dropout_backward", "where, float32")
def dropout_backward(grad_out, keep_mask, drop_probability):
    scale = np.float32(1 / (1 - drop_probability))
    return np.where(keep_mask > 0, grad_out.astype(np.float32) * scale, np.float32(0))


@alternative("dropout_backward", "a copy, set to zero where the mask is zero")
def dropout_backward(grad_out, keep_mask, drop_probability):
    grad_x = grad_out.copy()
    grad_x[keep_mask == 0] = 0
    grad_x /= 1 - drop_probability
    return grad_x


PLAIN = """def dropout_backward(grad_out, keep_mask, drop_probability):
    return grad_out * keep_mask / (1 - drop_probability)
"""
GRADIENT = "grad_out * keep_mask / (1 - drop_probability)"

mistaken_changes(
    __name__,
    "dropout_backward",
    PLAIN,
    (
        ("scale forgotten", (GRADIENT, "grad_out * keep_mask")),
        ("mask forgotten", (" * keep_mask", "")),
        ("gradient passed on unchanged", (GRADIENT, "grad_out")),
        ("divided by p", ("(1 - drop_probability)", "drop_probability")),
        ("multiplied by 1 − p", ("/ (1", "* (1")),
        ("scaled twice", ("(1 - drop_probability)", "(1 - drop_probability) ** 2")),
        ("mask turned round", ("* keep_mask", "* (keep_mask == 0)")),
    ),
)


@mistaken("dropout_backward", "backward draws a new mask")
def dropout_backward(grad_out, keep_mask, drop_probability):
    new_mask = np.random.rand(*grad_out.shape) >= drop_probability
    return grad_out * new_mask / (1 - drop_probability)


@mistaken("dropout_backward", "backward draws a new mask")
def dropout_backward(grad_out, keep_mask, drop_probability):
    new_mask = np.random.default_rng(0).random(grad_out.shape) >= drop_probability
    return grad_out * keep_mask * new_mask / (1 - drop_probability)
