"""lsuv: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import PHI, changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

LSUV = f"""def lsuv(weights, x, name):{PHI}
    new = []
    h = x
    for W in weights:
        z = h @ W.T
        W_new = W / z.std()
        new.append(W_new)
        h = phi(h @ W_new.T)
    return new
"""


@alternative("lsuv", "the signal scaled instead of computed again, a tuple")
def lsuv(weights, x, name):
    functions = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
        "leaky_relu": lambda z: np.maximum(z, 0.01 * z),
        "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    }
    result = ()
    for weight in weights:
        z = np.einsum("ni,oi->no", x, weight)
        factor = np.var(z) ** -0.5
        result += (factor * weight,)
        x = functions[name](factor * z)
    return result


@alternative("lsuv", "repeated until the variance is one, as in the paper")
def lsuv(weights, x, name):
    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        below = {"relu": 0 * z, "leaky_relu": 0.01 * z, "elu": np.exp(np.minimum(z, 0)) - 1}[name]
        return np.where(z > 0, z, below)

    new = [w.copy() for w in weights]
    for layer in range(len(new)):
        for _ in range(10):
            h = x
            for w in new[:layer]:
                h = phi(h @ w.T)
            variance = np.var(h @ new[layer].T)
            if abs(variance - 1) < 1e-12:
                break
            new[layer] /= np.sqrt(variance)
    return new


@alternative("lsuv", "float32")
def lsuv(weights, x, name):
    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        if name == "elu":
            return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
        return np.where(z > 0, z, np.float32(0.01 if name == "leaky_relu" else 0) * z)

    h, new = np.asarray(x, dtype=np.float32), []
    for weight in weights:
        weight = weight.astype(np.float32)
        weight = weight / (h @ weight.T).std()
        new.append(weight)
        h = phi(h @ weight.T)
    return new


@mistaken("lsuv", "all layers measured before any is scaled")
def lsuv(weights, x, name):
    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        if name == "elu":
            return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)
        return np.where(z > 0, z, (0.01 if name == "leaky_relu" else 0) * z)

    stds = []
    for w in weights:
        z = x @ w.T
        stds.append(np.std(z))
        x = phi(z)
    return [w / s for w, s in zip(weights, stds)]


@mistaken("lsuv", "last layer left out")
def lsuv(weights, x, name):
    def phi(z):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        if name == "elu":
            return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)
        return np.where(z > 0, z, (0.01 if name == "leaky_relu" else 0) * z)

    new = [w.copy() for w in weights]
    for i in range(len(new) - 1):
        new[i] /= np.std(x @ new[i].T)
        x = phi(x @ new[i].T)
    return new


@mistaken("lsuv", "only the first layer scaled")
def lsuv(weights, x, name):
    first = weights[0] / np.std(x @ weights[0].T)
    return [first] + [w.copy() for w in weights[1:]]


@mistaken("lsuv", "scaled without looking at the data")
def lsuv(weights, x, name):
    return [w / np.std(w) for w in weights]


@mistaken("lsuv", "scaled without looking at the data")
def lsuv(weights, x, name):
    new = []
    for w in weights:
        new.append(w / w.std() / np.sqrt(w.shape[1]))
    return new


SCALE = "W_new = W / z.std()"

mistaken_sources(
    __name__,
    "lsuv",
    [
        (name, changed(LSUV, *changes))
        for name, *changes in (
            ("divided by the variance", (SCALE, "W_new = W / z.var()")),
            ("variance of the activations", (SCALE, "W_new = W / phi(z).std()")),
            ("each unit scaled by itself", (SCALE, "W_new = W / z.std(axis=0)[:, None]")),
            ("mean of the units' stds", (SCALE, "W_new = W / z.std(axis=0).mean()")),
            ("scaled after the activation", ("h = phi(h @ W_new.T)", "h = phi(z) / z.std()")),
            ("mean not subtracted", (SCALE, "W_new = W / np.sqrt((z**2).mean())")),
            ("divided by n − 1", (SCALE, "W_new = W / z.std(ddof=1)")),
            ("multiplied by the std", (SCALE, "W_new = W * z.std()")),
            ("activation left out", ("h = phi(h @ W_new.T)", "h = h @ W_new.T")),
            (
                "orthogonal start",
                ("z = h", "U, _, Vt = np.linalg.svd(W, full_matrices=False)\n        W = U @ Vt\n        z = h"),
            ),
            ("weights not transposed", ("h @ W.T", "h @ W"), ("h @ W_new.T", "h @ W_new")),
            ("input changed in place", (SCALE, "W /= z.std()\n        W_new = W.copy()")),
        )
    ],
)
