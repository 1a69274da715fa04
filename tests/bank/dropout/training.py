"""regularized_training: regularized in other ways, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources


@alternative("regularized_training", "L2 alone, tanh, the whole batch")
def regularized_training(x, labels, seed):
    rng = np.random.RandomState(seed)
    y = np.eye(labels.max() + 1)[labels]
    w = [rng.randn(x.shape[1], 60) / np.sqrt(x.shape[1]), rng.randn(60, y.shape[1]) / np.sqrt(60)]
    b, v = [np.zeros(60), np.zeros(y.shape[1])], [0.0] * 4
    for step in range(250):
        h = np.tanh(x @ w[0] + b[0])
        z = h @ w[1] + b[1]
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        d2 = (p - y) / len(x)
        d1 = d2 @ w[1].T * (1 - h**2)
        grads = [x.T @ d1 + 0.02 * w[0], h.T @ d2 + 0.02 * w[1], d1.sum(axis=0), d2.sum(axis=0)]
        v = [0.9 * old - 0.05 * g for old, g in zip(v, grads)]
        w, b = [w[0] + v[0], w[1] + v[1]], [b[0] + v[2], b[1] + v[3]]
    return lambda images: (np.tanh(images @ w[0] + b[0]) @ w[1] + b[1]).argmax(axis=1)


@alternative("regularized_training", "dropout with its own functions, float32")
def regularized_training(x, labels, seed):
    rng = np.random.default_rng(seed)
    x, classes, p = x.astype(np.float32), int(labels.max()) + 1, 0.5

    def weights(*shape):
        return (rng.standard_normal(shape) * np.sqrt(2 / shape[0])).astype(np.float32)

    net = {"w1": weights(x.shape[1], 128), "b1": np.zeros(128, np.float32)}
    net |= {"w2": weights(128, classes), "b2": np.zeros(classes, np.float32)}
    speed = {key: np.zeros_like(value) for key, value in net.items()}
    for epoch in range(80):
        for rows in np.array_split(rng.permutation(len(x)), 4):
            seen = x[rows] * (rng.random(x[rows].shape) < 0.8) / np.float32(0.8)
            z = seen @ net["w1"] + net["b1"]
            mask = (rng.random(z.shape) > p) / np.float32(1 - p)
            h = np.maximum(z, 0) * mask
            scores = h @ net["w2"] + net["b2"]
            e = np.exp(scores - scores.max(axis=1)[:, None])
            e /= e.sum(axis=1)[:, None]
            e[np.arange(len(rows)), labels[rows]] -= 1
            e /= len(rows)
            back = e @ net["w2"].T * mask * (z > 0)
            for key, g in {"w1": seen.T @ back, "b1": back.sum(0), "w2": h.T @ e, "b2": e.sum(0)}.items():
                speed[key] = 0.9 * speed[key] - 0.05 * g.astype(np.float32)
                net[key] = net[key] + speed[key]

    def predict(images):
        h = np.maximum(images.astype(np.float32) @ net["w1"] + net["b1"], 0)
        return np.argmax(h @ net["w2"] + net["b2"], axis=1).astype(np.int32)

    return predict


@alternative("regularized_training", "noise on the pixels, stopped early, averaged weights")
def regularized_training(x, labels, seed):
    rng = np.random.default_rng(seed)
    y = np.eye(labels.max() + 1)[labels]
    net = [
        rng.normal(size=(64, x.shape[1])) / 8,
        np.zeros(64),
        rng.normal(size=(y.shape[1], 64)) / 8,
        np.zeros(y.shape[1]),
    ]
    mean = [p.copy() for p in net]
    for step in range(250):
        rows = rng.permutation(len(x))[:50]
        noisy = x[rows] + rng.normal(scale=0.4, size=(50, x.shape[1]))
        h = np.tanh(noisy @ net[0].T + net[1])
        p = np.exp(h @ net[2].T + net[3])
        d2 = (p / p.sum(axis=1, keepdims=True) - y[rows]) / 50
        d1 = d2 @ net[2] * (1 - h**2)
        for i, g in enumerate((d1.T @ noisy, d1.sum(0), d2.T @ h, d2.sum(0))):
            net[i] = net[i] - 0.3 * g
            mean[i] = 0.97 * mean[i] + 0.03 * net[i]
    return lambda images: np.argmax(np.tanh(images @ mean[0].T + mean[1]) @ mean[2].T + mean[3], axis=1)


RIGHT = """def regularized_training(x, labels, seed):
    rng = np.random.default_rng(seed)
    classes, steps, rate, decay, p = labels.max() + 1, 300, 0.05, 0.003, 0.5
    net = [rng.normal(size=(100, x.shape[1])) * np.sqrt(2 / x.shape[1]), np.zeros(100)]
    net += [rng.normal(size=(classes, 100)) / 10, np.zeros(classes)]
    speed = [0.0] * 4
    for step in range(steps):
        rows = rng.permutation(len(x))[:50]
        seen, truth = x[rows], labels[rows]
        keep = (rng.random((50, 100)) >= p) / (1 - p)
        z = seen @ net[0].T + net[1]
        h = np.maximum(z, 0) * keep
        scores = h @ net[2].T + net[3]
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        e /= e.sum(axis=1, keepdims=True)
        e[np.arange(50), truth] -= 1
        e /= 50
        back = e @ net[2] * keep * (z > 0)
        grads = [back.T @ seen + decay * net[0], back.sum(axis=0), e.T @ h + decay * net[2], e.sum(axis=0)]
        speed = [0.9 * v - rate * g for v, g in zip(speed, grads)]
        net = [value + v for value, v in zip(net, speed)]

    def predict(images):
        hidden = np.maximum(images @ net[0].T + net[1], 0)
        return np.argmax(hidden @ net[2].T + net[3], axis=1)

    return predict
"""
SETTINGS, RNG = "300, 0.05, 0.003, 0.5", "np.random.default_rng(seed)"
FIRST, SECOND = "rng.normal(size=(100, x.shape[1])) * np.sqrt(2 / x.shape[1])", "rng.normal(size=(classes, 100)) / 10"
HIDDEN = "hidden = np.maximum(images @ net[0].T + net[1], 0)"

mistaken_sources(
    __name__,
    "regularized_training",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            (
                "scores instead of labels",
                ("np.argmax(hidden @ net[2].T + net[3], axis=1)", "hidden @ net[2].T + net[3]"),
            ),
            ("always the same class", (SETTINGS, "300, 0.05, 1.0, 0.5")),
            ("always the same class", (FIRST, "np.zeros((100, x.shape[1]))"), (SECOND, "np.zeros((classes, 100))")),
            (
                "no better than guessing",
                (f"    rng = {RNG}\n", f"    rng = {RNG}\n    labels = rng.permutation(labels)\n"),
            ),
            ("wrong labels learned by heart", (SETTINGS, "600, 0.1, 0.0, 0.0")),
            ("wrong labels learned by heart", (SETTINGS, "600, 0.1, 0.0001, 0.0")),
            ("too little learned", (SETTINGS, "40, 0.01, 0.003, 0.5")),
            (
                "random in prediction",
                (HIDDEN, f"{HIDDEN}\n        hidden = hidden * (rng.random(hidden.shape) >= p) / (1 - p)"),
            ),
            ("randomness of its own", (RNG, "np.random.default_rng()")),
            (
                "input changed in place",
                (f"    rng = {RNG}\n", f"    rng = {RNG}\n    m = x.mean(axis=0)\n    x -= m\n"),
                ("images @", "(images - m) @"),
            ),
        )
    ],
)
