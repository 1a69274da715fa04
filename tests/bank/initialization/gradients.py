"""gradient_statistics: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import PHI, SLOPE, changed
from tests.bank.registry import alternative, mistaken_sources

BACKWARD = f"""def gradient_statistics(weights, x, name, grad_out):{PHI}{SLOPE}
    hs, zs = [x], []
    for W in weights:
        zs.append(hs[-1] @ W.T)
        hs.append(phi(zs[-1]))
    stds = []
    grad = grad_out
    for i in range(len(weights) - 1, -1, -1):
        delta = grad * slope(zs[i])
        stds.append(delta.std())
        grad = delta @ weights[i]
    return stds[::-1]
"""


@alternative("gradient_statistics", "dicts of functions, an array")
def gradient_statistics(weights, x, name, grad_out):
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    f = {
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
        "leaky_relu": lambda z: np.maximum(z, 0.01 * z),
        "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    }[name]
    # Slopes from the activated value, which every one of the five allows.
    df = {
        "sigmoid": lambda y: y * (1 - y),
        "tanh": lambda y: (1 - y) * (1 + y),
        "relu": np.sign,
        "leaky_relu": lambda y: np.where(y >= 0, 1, 0.01),
        "elu": lambda y: np.where(y > 0, 1, y + 1),
    }[name]
    outs = []
    for weight in weights:
        x = f(np.einsum("ni,oi->no", x, weight))
        outs.append(x)
    stds = np.empty(len(weights))
    error = grad_out * df(outs[-1])
    for layer in reversed(range(len(weights))):
        stds[layer] = np.sqrt(np.mean((error - error.mean()) ** 2))
        if layer > 0:
            error = np.einsum("no,oi->ni", error, weights[layer]) * df(outs[layer - 1])
    return stds


@alternative("gradient_statistics", "recursion: backward on the way out")
def gradient_statistics(weights, x, name, grad_out):
    def phi(z):
        if name in ("sigmoid", "tanh"):
            return np.tanh(z) if name == "tanh" else 1 / (1 + np.exp(-z))
        below = {"relu": 0 * z, "leaky_relu": z / 100, "elu": np.exp(np.minimum(z, 0)) - 1}[name]
        return np.where(z >= 0, z, below)

    def slope(z):
        if name in ("sigmoid", "tanh"):
            return 1 / np.cosh(z) ** 2 if name == "tanh" else phi(z) * phi(-z)
        below = {"relu": 0.0, "leaky_relu": 0.01, "elu": np.exp(np.minimum(z, 0))}[name]
        return np.where(z >= 0, 1.0, below)

    def through(h, rest):
        """The gradient for h, and the stds of the layers in rest."""
        if not rest:
            return grad_out, []
        z = h @ rest[0].T
        gradient, stds = through(phi(z), rest[1:])
        error = gradient * slope(z)
        return error @ rest[0], [float(np.std(error))] + stds

    return through(x, list(weights))[1]


@alternative("gradient_statistics", "one example after the other, Jacobian matrices")
def gradient_statistics(weights, x, name, grad_out):
    def phi_and_slope(z):
        if name == "sigmoid":
            s = 1 / (1 + np.exp(-z))
            return s, s * (1 - s)
        if name == "tanh":
            return np.tanh(z), 1 - np.tanh(z) ** 2
        on = z > 0
        if name == "elu":
            return np.where(on, z, np.exp(np.minimum(z, 0)) - 1), np.where(on, 1, np.exp(np.minimum(z, 0)))
        leak = 0.01 if name == "leaky_relu" else 0.0
        return np.where(on, z, leak * z), np.where(on, 1.0, leak)

    errors = [[] for _ in weights]
    for h, g in zip(x, grad_out):
        jacobians = []
        for W in weights:
            h, s = phi_and_slope(W @ h)
            jacobians.append(np.diag(s))
        for layer in range(len(weights))[::-1]:
            g = jacobians[layer] @ g
            errors[layer].append(g)
            g = weights[layer].T @ g
    return [np.std(layer) for layer in errors]


DELTA, APPEND, STEP = "delta = grad * slope(zs[i])", "stds.append(delta.std())", "grad = delta @ weights[i]"

mistaken_sources(
    __name__,
    "gradient_statistics",
    [
        (name, changed(BACKWARD, *changes))
        for name, *changes in (
            ("last layer first", ("return stds[::-1]", "return stds")),
            ("slope of φ left out", (DELTA, "delta = grad")),
            (
                "slope left out in the last layer",
                (DELTA, "delta = grad if i == len(weights) - 1 else grad * slope(zs[i])"),
            ),
            ("slope at the activated value", (DELTA, "delta = grad * slope(hs[i + 1])")),
            ("φ instead of its slope", (DELTA, "delta = grad * hs[i + 1]")),
            ("weights transposed on the way back", (STEP, "grad = delta @ weights[i].T")),
            ("gradients of the activations", (APPEND, "stds.append(grad.std())")),
            ("one layer too far", (APPEND + "\n        " + STEP, STEP + "\n        stds.append(grad.std())")),
            ("std of the weight gradients", (APPEND, "stds.append((delta.T @ hs[i]).std())")),
            ("std of the weight gradients", (APPEND, "stds.append(np.std(hs[i].T @ delta / len(x)))")),
            ("upstream gradient forgotten", ("grad = grad_out", "grad = np.ones_like(hs[-1])")),
            ("divided by the number of examples", ("grad = grad_out", "grad = grad_out / len(x)")),
            ("variance instead of std", (APPEND, "stds.append(np.var(delta))")),
            ("mean not subtracted", (APPEND, "stds.append(np.sqrt(np.mean(delta**2)))")),
            ("divided by n − 1", (APPEND, "stds.append(np.std(delta, ddof=1))")),
            ("std over one axis only", (APPEND, "stds.append(delta.std(axis=0))")),
            ("std over one axis only", (APPEND, "stds.append(delta.std(axis=1))")),
            ("std over one axis only", (APPEND, "stds.append(np.mean(delta.std(axis=0)))")),
            ("std over one axis only", (APPEND, "stds.append(np.mean(delta.std(axis=1)))")),
        )
    ],
)
