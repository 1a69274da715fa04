"""AlexNetSGD: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

SOURCE = """class AlexNetSGD:
    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.v = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        eps = self.learning_rate
        for i, w in enumerate(self.parameters):
            g = gradients[i]
            self.v[i] = self.momentum * self.v[i] - self.weight_decay * eps * w - eps * g
            w += self.v[i]
"""
DECAY, PULL, MOVE = " - self.weight_decay * eps * w", " - eps * g", "w += self.v[i]"
G = "g = gradients[i]"


@alternative("AlexNetSGD", "PyTorch's velocity, rescaled when the rate changes")
class AlexNetSGD:
    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.momentum, self.weight_decay = momentum, weight_decay
        self.before = learning_rate
        self.buffers = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        for w, g, b in zip(self.parameters, gradients, self.buffers):
            b *= self.momentum * self.before / self.learning_rate
            b += g + self.weight_decay * w
            w -= self.learning_rate * b
        self.before = self.learning_rate


@alternative("AlexNetSGD", "the sum over all past steps")
class AlexNetSGD:
    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        self.w, self.learning_rate, self.mu, self.decay = parameters, learning_rate, momentum, weight_decay
        self.history = [[] for w in parameters]

    def step(self, gradients):
        for i in range(len(self.w)):
            self.history[i].append(-self.learning_rate * (gradients[i] + self.decay * self.w[i]))
            powers = self.mu ** np.arange(len(self.history[i]))[::-1]
            self.w[i][...] += np.tensordot(powers, np.array(self.history[i]), 1)


@alternative("AlexNetSGD", "velocities made when they are first needed")
class AlexNetSGD:
    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.m, self.wd, self.v = momentum, weight_decay, None

    def step(self, gradients):
        if self.v is None:
            self.v = [0.0] * len(self.parameters)
        lr = self.learning_rate
        self.v = [self.m * v - self.wd * lr * w - lr * g for v, w, g in zip(self.v, self.parameters, gradients)]
        for w, v in zip(self.parameters, self.v):
            np.copyto(w, w + v)


mistaken_sources(
    __name__,
    "AlexNetSGD",
    [
        (name, changed(SOURCE, *changes))
        for name, *changes in (
            ("uphill", (MOVE, "w -= self.v[i]")),
            ("uphill", (PULL, " + eps * g")),
            ("one state for all tensors", ("[np.zeros(w.shape) for w in parameters]", "0"), ("self.v[i]", "self.v")),
            ("new arrays instead of changed ones", (MOVE, "self.parameters[i] = w + self.v[i]")),
            ("learning rate read only once", ("self.learning_rate", "self.epsilon")),
            ("gradients modified in place", (G, G + "\n            g *= eps"), (PULL, " - g")),
            (
                "learning rate outside the velocity",
                (DECAY + PULL, " - self.weight_decay * w - g"),
                (MOVE, "w += eps * self.v[i]"),
            ),
            ("learning rate twice", (MOVE, "w += eps * self.v[i]")),
            ("averaged velocity", (DECAY + PULL, " - (1 - self.momentum) * eps * (self.weight_decay * w + g)")),
            ("velocity not kept", ("self.momentum * self.v[i]", "self.momentum * 0")),
            ("decay's sign", (DECAY, " + self.weight_decay * eps * w")),
            ("decay without the learning rate", (DECAY, " - self.weight_decay * w")),
            ("decay outside the velocity", (DECAY, ""), (MOVE, "w += self.v[i] - self.weight_decay * eps * w")),
            ("decay after the update", (DECAY, ""), (MOVE, MOVE + "\n            w -= eps * self.weight_decay * w")),
            ("the paper's numbers built in", ("self.momentum *", "0.9 *"), ("self.weight_decay *", "0.0005 *")),
        )
    ],
)
