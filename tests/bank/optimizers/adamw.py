"""AdamW: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.optimizers import adam
from tests.bank.registry import alternative, mistaken_sources

SHRINK = "w *= 1 - self.learning_rate * self.decay"
SOURCE = changed(
    adam.SOURCE,
    ("class Adam", "class AdamW"),
    ("epsilon=1e-8", "epsilon=1e-8, weight_decay=0.01"),
    ("self.epsilon = epsilon", "self.epsilon = epsilon\n        self.decay = weight_decay"),
    (adam.G, adam.G + adam.LINE + SHRINK),
)
MOVE = "m_hat / (np.sqrt(v_hat) + self.epsilon)"
BARE = (adam.LINE + SHRINK, "")


@alternative("AdamW", "the decay taken off together with Adam's step")
class AdamW:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.beta1, self.beta2, self.epsilon, self.weight_decay = beta1, beta2, epsilon, weight_decay
        self.state = [(np.zeros_like(w), np.zeros_like(w)) for w in parameters]
        self.t = 0

    def step(self, gradients):
        self.t = self.t + 1
        for w, g, (m, v) in zip(self.parameters, gradients, self.state):
            m[...] = self.beta1 * m + (1 - self.beta1) * g
            v[...] = self.beta2 * v + (1 - self.beta2) * g**2
            direction = m / (1 - self.beta1**self.t) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.epsilon)
            w -= self.learning_rate * (direction + self.weight_decay * w)


@alternative("AdamW", "all tensors in one long vector")
class AdamW:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.b1, self.b2, self.eps, self.wd = beta1, beta2, epsilon, weight_decay
        self.m = self.v = 0.0
        self.t = 0

    def step(self, gradients):
        self.t += 1
        g = np.concatenate([np.ravel(x) for x in gradients])
        w = np.concatenate([np.ravel(x) for x in self.parameters])
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g**2
        new = w - self.learning_rate * self.wd * w
        new -= (
            self.learning_rate * self.m / (1 - self.b1**self.t) / (np.sqrt(self.v / (1 - self.b2**self.t)) + self.eps)
        )
        start = 0
        for x in self.parameters:
            x[...] = new[start : start + x.size].reshape(x.shape)
            start += x.size


mistaken_sources(
    __name__,
    "AdamW",
    [
        (name, changed(SOURCE, *changes))
        for name, *changes in (
            *adam.COMMON,
            *adam.COUNTED,
            ("L2 called AdamW", BARE, (adam.G, adam.G + " + self.decay * w")),
            ("L2 called AdamW", BARE, (adam.G, adam.G + " + 2 * self.decay * w")),
            ("decay divided by the root", BARE, (MOVE, "(m_hat + self.decay * w) / (np.sqrt(v_hat) + self.epsilon)")),
            ("decay's sign", (SHRINK, "w += self.learning_rate * self.decay * w")),
            ("decay without the learning rate", (SHRINK, "w -= self.decay * w")),
            ("decay without the learning rate", BARE, (MOVE, MOVE + adam.LINE + "w *= 1 - self.decay")),
            (
                "decay factor computed once",
                ("self.decay = weight_decay", "self.factor = 1 - learning_rate * weight_decay"),
                (SHRINK, "w *= self.factor"),
            ),
            ("decay after the update", BARE, (MOVE, MOVE + adam.LINE + SHRINK)),
        )
    ],
)
