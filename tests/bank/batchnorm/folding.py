"""fold_batchnorm: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("fold_batchnorm", "filter by filter")
def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    new_weight, new_bias = np.zeros(weight.shape), np.zeros(len(weight))
    for o in range(len(weight)):
        scale = gamma[o] / (running_var[o] + epsilon) ** 0.5
        new_weight[o] = scale * weight[o]
        new_bias[o] = beta[o] + scale * ((0.0 if bias is None else bias[o]) - running_mean[o])
    return new_weight, new_bias


@alternative("fold_batchnorm", "einsum, sorted by what it multiplies")
def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    scale = np.reciprocal(np.sqrt(epsilon + running_var)) * gamma
    shift = beta - running_mean * scale
    if bias is not None:
        shift = shift + bias * scale
    return [np.einsum("oijk,o->oijk", weight, scale), shift]


@alternative("fold_batchnorm", "a matrix product, float32 weights")
def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    scale = np.diag(gamma / np.sqrt(running_var + epsilon))
    b = bias if bias is not None else 0 * gamma
    folded = (scale @ weight.reshape(len(weight), -1)).reshape(weight.shape)
    return folded.astype(np.float32), scale @ (b - running_mean) + beta


FOLD = """def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    if bias is None:
        bias = np.zeros(len(gamma))
    std = np.sqrt(running_var + epsilon)
    scale = gamma / std
    new_weight = weight * scale[:, None, None, None]
    new_bias = scale * (bias - running_mean) + beta
    return new_weight, new_bias
"""
ZEROS = "    if bias is None:\n        bias = np.zeros(len(gamma))\n"
BIAS, SPREAD = "scale * (bias - running_mean) + beta", "np.sqrt(running_var + epsilon)"
WEIGHT = "weight * scale[:, None, None, None]"

mistaken_sources(
    __name__,
    "fold_batchnorm",
    [
        (name, changed(FOLD, *changes))
        for name, *changes in (
            ("bias not shifted by the mean", (BIAS, "scale * bias + beta")),
            ("bias not scaled", (BIAS, "bias - scale * running_mean + beta")),
            ("mean not scaled", (BIAS, "scale * bias - running_mean + beta")),
            ("nothing in the bias scaled", (BIAS, "bias - running_mean + beta")),
            ("old bias lost", (BIAS, "beta - scale * running_mean")),
            ("old bias kept", (BIAS, "bias")),
            ("beta left out", (BIAS, "scale * (bias - running_mean)")),
            ("beta scaled too", (BIAS, "scale * (bias - running_mean + beta)")),
            ("mean added", (BIAS, "scale * (bias + running_mean) + beta")),
            ("variance without a root", (SPREAD, "running_var + epsilon")),
            ("epsilon beside the root", (SPREAD, "np.sqrt(running_var) + epsilon")),
            ("epsilon left out", (SPREAD, "np.sqrt(running_var)")),
            ("gamma left out", ("gamma / std", "1 / std")),
            ("weight not scaled", (WEIGHT, "weight.copy()")),
            ("scale on the input channels", (WEIGHT, "weight * scale[:, None, None]")),
            ("scale along the kernel's width", (WEIGHT, "weight * scale")),
            (
                "no bias in, no bias out",
                (f"    new_bias = {BIAS}", f"    new_bias = None if none else {BIAS}"),
                (ZEROS, f"    none = bias is None\n{ZEROS}"),
            ),
            ("computes with None", (ZEROS, "")),
            ("right values, other order", ("return new_weight, new_bias", "return new_bias, new_weight")),
        )
    ],
)


@mistaken("fold_batchnorm", "input changed in place")
def fold_batchnorm(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    scale = gamma / np.sqrt(running_var + epsilon)
    weight *= scale.reshape(-1, 1, 1, 1)
    shift = beta - scale * running_mean
    return weight, shift if bias is None else shift + scale * bias
