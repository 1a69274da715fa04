"""SGD: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

SOURCE = """class SGD:
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.v = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        for i, w in enumerate(self.parameters):
            g = gradients[i] + self.weight_decay * w
            self.v[i] = self.momentum * self.v[i] + g
            if self.nesterov:
                d = g + self.momentum * self.v[i]
            else:
                d = self.v[i]
            w -= self.learning_rate * d
"""
DECAYED, VELOCITY = "g = gradients[i] + self.weight_decay * w", "self.momentum * self.v[i] + g\n"
AHEAD, MOVE = "d = g + self.momentum * self.v[i]", "w -= self.learning_rate * d"
RAW = (DECAYED, "g = gradients[i]")


@alternative("SGD", "velocities made at the first step, by index")
class SGD:
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.params, self.learning_rate = parameters, learning_rate
        self.mu, self.nesterov, self.decay = momentum, nesterov, weight_decay
        self.buffers = {}

    def step(self, gradients):
        for i in range(len(self.params)):
            p = self.params[i]
            d = gradients[i]
            if self.decay != 0:
                d = d + self.decay * p
            if self.mu != 0:
                if i not in self.buffers:
                    self.buffers[i] = np.copy(d)
                else:
                    self.buffers[i] = self.mu * self.buffers[i] + d
                d = d + self.mu * self.buffers[i] if self.nesterov else self.buffers[i]
            p[...] = p - self.learning_rate * d


@alternative("SGD", "the velocity points downhill")
class SGD:
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.learning_rate = learning_rate
        self.settings = momentum, nesterov, weight_decay
        self.state = [[w, np.zeros_like(w)] for w in parameters]

    def step(self, gradients):
        momentum, nesterov, decay = self.settings
        for pair, g in zip(self.state, gradients):
            w, v = pair
            down = -g - decay * w
            pair[1] = momentum * v + down
            np.add(w, self.learning_rate * (momentum * pair[1] + down if nesterov else pair[1]), out=w)


@alternative("SGD", "element by element")
class SGD:
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.velocity = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        for w, grad, v in zip(self.parameters, gradients, self.velocity):
            for k in np.ndindex(w.shape):
                g = grad[k] + self.weight_decay * w[k]
                v[k] = self.momentum * v[k] + g
                w[k] -= self.learning_rate * (g + self.momentum * v[k] if self.nesterov else v[k])


mistaken_sources(
    __name__,
    "SGD",
    [
        (name, changed(SOURCE, *changes))
        for name, *changes in (
            ("uphill", (MOVE, "w += self.learning_rate * d")),
            ("uphill", (VELOCITY, "self.momentum * self.v[i] - g\n"), (AHEAD, "d = self.momentum * self.v[i] - g")),
            ("one state for all tensors", ("[np.zeros(w.shape) for w in parameters]", "0"), ("self.v[i]", "self.v")),
            ("new arrays instead of changed ones", (MOVE, "w = w - self.learning_rate * d")),
            ("new arrays instead of changed ones", (MOVE, "self.parameters[i] = w - self.learning_rate * d")),
            ("new arrays instead of changed ones", ("s = parameters", "s = [w.copy() for w in parameters]")),
            ("learning rate read only once", ("self.learning_rate", "self.lr")),
            ("gradients modified in place", (DECAYED, "g = gradients[i]\n            g += self.weight_decay * w")),
            ("gradients modified in place", (DECAYED, DECAYED + "\n            gradients[i][...] = 0")),
            ("averaged velocity", (VELOCITY, "self.momentum * self.v[i] + (1 - self.momentum) * g\n")),
            ("velocity not kept", (VELOCITY, "self.momentum * np.zeros(w.shape) + g\n")),
            ("Nesterov without looking ahead", (AHEAD, "d = self.v[i]")),
            ("lookahead with the wrong sign", (AHEAD, "d = g - self.momentum * self.v[i]")),
            ("lookahead from the velocity", (AHEAD, "d = self.v[i] + self.momentum * self.v[i]")),
            ("lookahead stored back", (AHEAD, "d = self.v[i] = g + self.momentum * self.v[i]")),
            ("decay missing in the lookahead", (AHEAD, "d = gradients[i] + self.momentum * self.v[i]")),
            ("decay's sign", (DECAYED, "g = gradients[i] - self.weight_decay * w")),
            ("decay doubled", (DECAYED, "g = gradients[i] + 2 * self.weight_decay * w")),
            ("decay halved", (DECAYED, "g = gradients[i] + 0.5 * self.weight_decay * w")),
            ("decay without the learning rate", RAW, (MOVE, "w -= self.learning_rate * d + self.weight_decay * w")),
            ("decay without the learning rate", RAW, (MOVE, MOVE + "\n            w -= self.weight_decay * w")),
            ("decay outside the velocity", RAW, (MOVE, "w -= self.learning_rate * (d + self.weight_decay * w)")),
            (
                "decay after the update",
                RAW,
                (MOVE, MOVE + "\n            w -= self.learning_rate * self.weight_decay * w"),
            ),
        )
    ],
)


@mistaken("SGD", "learning rate inside the velocity")
class SGD:
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.v = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        for w, g, v in zip(self.parameters, gradients, self.v):
            before = v.copy()
            v *= self.momentum
            v -= self.learning_rate * (g + self.weight_decay * w)
            if self.nesterov:
                w += -self.momentum * before + (1 + self.momentum) * v
            else:
                w += v


KEPT = """class SGD:
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.v = [None] * len(parameters)

    def step(self, gradients):
        for i, (w, g) in enumerate(zip(self.parameters, gradients)):
            if self.weight_decay:
                g = g + self.weight_decay * w
            if self.momentum:
                if self.v[i] is None:
                    self.v[i] = g
                else:
                    self.v[i] = self.momentum * self.v[i] + g
                g = g + self.momentum * self.v[i] if self.nesterov else self.v[i]
            w -= self.learning_rate * g
"""

mistaken_sources(
    __name__,
    "SGD",
    [
        ("velocity is the gradient's array", KEPT),
        (
            "velocity is the gradient's array",
            changed(
                KEPT,
                (
                    "self.v[i] = self.momentum * self.v[i] + g",
                    "self.v[i] *= self.momentum\n                    self.v[i] += g",
                ),
            ),
        ),
    ],
)
