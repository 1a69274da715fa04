"""batchnorm_eval_backward and identity_parameters: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("batchnorm_eval_backward", "loops")
def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    grad_x = np.zeros(grad_out.shape)
    for n, row in enumerate(grad_out):
        for d in range(len(gamma)):
            grad_x[n, d] = row[d] * gamma[d] * (running_var[d] + epsilon) ** -0.5
    return grad_x


@alternative("batchnorm_eval_backward", "a diagonal matrix, float32")
def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    return (grad_out @ np.diag(gamma / np.sqrt(running_var + epsilon))).astype(np.float32)


@alternative("batchnorm_eval_backward", "einsum")
def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    return np.einsum("nd,d,d->nd", grad_out, gamma, 1 / np.sqrt(running_var + epsilon))


EVAL = """def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    std = np.sqrt(running_var + epsilon)
    grad_x = grad_out * gamma / std
    return grad_x
"""
SPREAD, GRAD = "np.sqrt(running_var + epsilon)", "grad_out * gamma / std"

mistaken_sources(
    __name__,
    "batchnorm_eval_backward",
    [
        (name, changed(EVAL, *changes))
        for name, *changes in (
            ("as if in training", (GRAD, "gamma / std * (grad_out - grad_out.mean(axis=0))")),
            ("gamma left out", (GRAD, "grad_out / std")),
            ("gamma alone", (GRAD, "grad_out * gamma")),
            ("divided by gamma", (GRAD, "grad_out / gamma * std")),
            ("divided by gamma", (GRAD, "grad_out * gamma * std")),
            ("divided by gamma", (GRAD, "grad_out / (gamma * std)")),
            ("variance without a root", (SPREAD, "(running_var + epsilon)")),
            ("epsilon beside the root", (SPREAD, "(np.sqrt(running_var) + epsilon)")),
            ("epsilon left out", (SPREAD, "np.sqrt(running_var)")),
            ("epsilon fixed", (SPREAD, "np.sqrt(running_var + 1e-5)")),
            ("averaged over the batch", (GRAD, f"{GRAD} / len(grad_out)")),
            ("summed over the batch", (GRAD, f"({GRAD}).sum(axis=0)")),
        )
    ],
)


@mistaken("batchnorm_eval_backward", "input changed in place")
def batchnorm_eval_backward(grad_out, gamma, running_var, epsilon=1e-5):
    grad_out *= gamma / np.sqrt(running_var + epsilon)
    return grad_out


# --- identity_parameters ----------------------------------------------------------------------------------------


@alternative("identity_parameters", "feature by feature")
def identity_parameters(x, epsilon=1e-5):
    gamma, beta = [], []
    for column in x.T:
        beta.append(sum(column) / len(column))
        gamma.append((sum((v - beta[-1]) ** 2 for v in column) / len(column) + epsilon) ** 0.5)
    return np.array(gamma), np.array(beta)


@alternative("identity_parameters", "einsum, float32")
def identity_parameters(x, epsilon=1e-5):
    mean = np.einsum("nd->d", x) / len(x)
    variance = np.einsum("nd,nd->d", x - mean, x - mean) / len(x)
    return [np.power(variance + epsilon, 0.5).astype(np.float32), mean.astype(np.float32)]


IDENTITY = """def identity_parameters(x, epsilon=1e-5):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    gamma = np.sqrt(variance + epsilon)
    beta = mean
    return gamma, beta
"""
GAMMA = "np.sqrt(variance + epsilon)"

mistaken_sources(
    __name__,
    "identity_parameters",
    [
        (name, changed(IDENTITY, *changes))
        for name, *changes in (
            ("epsilon left out", (GAMMA, "np.sqrt(variance)")),
            ("epsilon beside the root", (GAMMA, "np.sqrt(variance) + epsilon")),
            ("epsilon fixed", (GAMMA, "np.sqrt(variance + 1e-5)")),
            ("gamma read as the variance", (GAMMA, "variance + epsilon")),
            ("gamma read as the variance", (GAMMA, "variance")),
            ("normalizes once more", (GAMMA, f"1 / {GAMMA}")),
            ("parameters of the normalization", (GAMMA, f"1 / {GAMMA}"), ("beta = mean", "beta = -mean * gamma")),
            ("unbiased variance", ("x.var(axis=0)", "x.var(axis=0, ddof=1)")),
            ("gamma with the wrong sign", (GAMMA, f"-{GAMMA}")),
            ("beta with the wrong sign", ("beta = mean", "beta = -mean")),
            ("beta divided by the spread", ("beta = mean", "beta = mean / gamma")),
            ("1 and 0", (GAMMA, "np.ones(x.shape[1])"), ("beta = mean", "beta = np.zeros(x.shape[1])")),
            ("along axis 1", ("axis=0", "axis=1")),
            ("one pair for everything", ("axis=0", "")),
            ("right values, other order", ("return gamma, beta", "return beta, gamma")),
        )
    ],
)
