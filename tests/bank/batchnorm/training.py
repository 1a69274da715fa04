"""train_deep_network: ten layers trained in other ways, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources


@alternative("train_deep_network", "tanh, a class for a layer, the last batches' statistics again")
def train_deep_network(x, labels, seed):
    rng = np.random.RandomState(seed)

    class Normalized:
        def __init__(self, n_in, n_out):
            self.w = 0.05 * rng.randn(n_in, n_out)
            self.gamma, self.beta = np.ones(n_out), np.zeros(n_out)

        def forward(self, h, fixed=False):
            z = h @ self.w
            if not fixed:
                self.h, self.mean, self.var = h, z.mean(axis=0), z.var(axis=0)
            self.std = np.sqrt(self.var + 1e-5)
            self.hat = (z - self.mean) / self.std
            self.out = np.tanh(self.gamma * self.hat + self.beta)
            return self.out

        def backward(self, grad, rate):
            grad = grad * (1 - self.out**2)
            g_gamma, g_beta = (grad * self.hat).sum(axis=0), grad.sum(axis=0)
            d_hat = grad * self.gamma
            dz = (d_hat - d_hat.mean(axis=0) - self.hat * (d_hat * self.hat).mean(axis=0)) / self.std
            back = dz @ self.w.T
            self.w -= rate * self.h.T @ dz
            self.gamma -= rate * g_gamma
            self.beta -= rate * g_beta
            return back

    y = np.eye(labels.max() + 1)[labels]
    layers = [Normalized(a, b) for a, b in zip([x.shape[1]] + [32] * 8, [32] * 9)]
    last, bias = 0.05 * rng.randn(32, y.shape[1]), np.zeros(y.shape[1])

    def run(h, fixed):
        for layer in layers:
            h = layer.forward(h, fixed)
        return h

    for epoch in range(15):
        order = rng.permutation(len(x))
        for rows in np.array_split(order, len(x) // 50):
            h = run(x[rows], False)
            p = np.exp(h @ last + bias)
            d = (p / p.sum(axis=1, keepdims=True) - y[rows]) / len(rows)
            grad, rate = d @ last.T, 0.1 * (1 - epoch / 15)
            last -= rate * h.T @ d
            bias -= rate * d.sum(axis=0)
            for layer in reversed(layers):
                grad = layer.backward(grad, rate)
    run(x, False)  # statistics of all training images
    return lambda images: np.argmax(run(images, True) @ last + bias, axis=1)


@alternative("train_deep_network", "another cure: He's initialization and momentum, no batch norm, float32")
def train_deep_network(x, labels, seed):
    rng = np.random.default_rng(seed)
    x, classes = x.astype(np.float32), int(labels.max()) + 1
    sizes = [x.shape[1]] + [32] * 9 + [classes]
    w = [(rng.normal(size=(a, b)) * np.sqrt(2 / a)).astype(np.float32) for a, b in zip(sizes, sizes[1:])]
    b = [np.zeros(n, dtype=np.float32) for n in sizes[1:]]
    v, u = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in b]
    for epoch in range(40):
        rate = np.float32(0.03 * (1 - epoch / 40))
        for rows in np.array_split(rng.permutation(len(x)), len(x) // 32):
            h = [x[rows]]
            for i in range(9):
                h.append(np.maximum(h[-1] @ w[i] + b[i], 0))
            z = h[-1] @ w[9] + b[9]
            e = np.exp(z - z.max(axis=1)[:, None])
            e /= e.sum(axis=1)[:, None]
            e[np.arange(len(rows)), labels[rows]] -= 1
            e /= len(rows)
            for i in reversed(range(10)):
                back = e @ w[i].T * (h[i] > 0)
                v[i] = np.float32(0.9) * v[i] - rate * (h[i].T @ e)
                u[i] = np.float32(0.9) * u[i] - rate * e.sum(axis=0)
                w[i], b[i], e = w[i] + v[i], b[i] + u[i], back

    def predict(images):
        h = images.astype(np.float32)
        for i in range(9):
            h = np.maximum(h @ w[i] + b[i], 0)
        return (h @ w[9] + b[9]).argmax(axis=1)

    return predict


RIGHT = """def train_deep_network(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes, epochs, batch_size = labels.max() + 1, 12, 60
    sizes = [x.shape[1]] + [32] * 9 + [classes]
    w = [0.05 * rng.normal(size=(b, a)) for a, b in zip(sizes, sizes[1:])]
    gamma, beta = [np.ones(n) for n in sizes[1:]], [np.zeros(n) for n in sizes[1:]]
    means, variances = [np.zeros(n) for n in sizes[1:]], [np.ones(n) for n in sizes[1:]]

    def forward(h, training):
        kept = []
        for i in range(9):
            z = h @ w[i].T
            mean, var = (z.mean(axis=0), z.var(axis=0)) if training else (means[i], variances[i])
            if training:
                means[i] = 0.9 * means[i] + 0.1 * mean
                variances[i] = 0.9 * variances[i] + 0.1 * var
            std = np.sqrt(var + 1e-5)
            hat = (z - mean) / std
            kept.append((h, hat, std))
            h = np.maximum(gamma[i] * hat + beta[i], 0)
            kept[-1] += (h > 0,)
        return h, h @ w[9].T + beta[9], kept

    for epoch in range(epochs):
        order, rate = rng.permutation(len(x)), 0.1 * (1 - epoch / epochs)
        images, truth = x[order], labels[order]
        for start in range(0, len(x) - batch_size + 1, batch_size):
            here = slice(start, start + batch_size)
            h, scores, kept = forward(images[here], True)
            e = np.exp(scores - scores.max(axis=1, keepdims=True))
            e /= e.sum(axis=1, keepdims=True)
            e[np.arange(batch_size), truth[here]] -= 1
            e /= batch_size
            back = e @ w[9]
            w[9] -= rate * e.T @ h
            beta[9] -= rate * e.sum(axis=0)
            for i in reversed(range(9)):
                h, hat, std, on = kept[i]
                g = back * on
                dg, db = (g * hat).sum(axis=0), g.sum(axis=0)
                dz = gamma[i] / std * (g - db / batch_size - hat * dg / batch_size)
                back = dz @ w[i]
                w[i] -= rate * dz.T @ h
                gamma[i] -= rate * dg
                beta[i] -= rate * db

    def predict(asked):
        return np.argmax(forward(asked, False)[1], axis=1)

    return predict
"""
RNG = "np.random.default_rng(seed)"
BATCH = "(z.mean(axis=0), z.var(axis=0)) if training else (means[i], variances[i])"
TERMS = "gamma[i] / std * (g - db / batch_size - hat * dg / batch_size)"

mistaken_sources(
    __name__,
    "train_deep_network",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            ("scores instead of labels", ("np.argmax(forward(asked, False)[1], axis=1)", "forward(asked, False)[1]")),
            # No batch norm: the signal dies out.
            ("always the same class", (BATCH, "(0.0, 1.0)"), (TERMS, "gamma[i] * g"), ("12, 60", "3, 60")),
            ("no better than guessing", ("labels[order]", "labels")),
            ("stopped too early", ("12, 60", "5, 60"), ("0.1 * (1 -", "0.025 * (1 -")),
            ("batch statistics in prediction", (BATCH, "z.mean(axis=0), z.var(axis=0)")),
            ("randomness of its own", (RNG, "np.random.default_rng()")),
            (
                "input changed in place",
                (
                    "images, truth = x[order], labels[order]",
                    "images, truth = x, labels\n        x[:], labels[:] = x[order], labels[order]",
                ),
            ),
        )
    ],
)
