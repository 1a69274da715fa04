"""AdaGrad and RMSProp: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

ADAGRAD = """class AdaGrad:
    def __init__(self, parameters, learning_rate=0.01, epsilon=1e-10):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.epsilon = epsilon
        self.t = 0
        self.cache = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        self.t += 1
        for i, w in enumerate(self.parameters):
            g = gradients[i]
            self.cache[i] = self.cache[i] + g ** 2
            w -= self.learning_rate * g / (np.sqrt(self.cache[i]) + self.epsilon)
"""
RMSPROP = changed(
    ADAGRAD,
    ("class AdaGrad", "class RMSProp"),
    ("epsilon=1e-10", "decay=0.99, epsilon=1e-8"),
    ("self.epsilon = epsilon", "self.epsilon = epsilon\n        self.decay = decay"),
    ("self.cache[i] + g ** 2", "self.decay * self.cache[i] + (1 - self.decay) * g ** 2"),
)
DIVISOR, MOVE = "(np.sqrt(self.cache[i]) + self.epsilon)", "w -= self.learning_rate * g / "


@alternative("AdaGrad", "a dict of sums, out=")
class AdaGrad:
    def __init__(self, parameters, learning_rate=0.01, epsilon=1e-10):
        self.p, self.learning_rate, self.eps, self.state = list(parameters), learning_rate, epsilon, {}

    def step(self, gradients):
        for k, (p, g) in enumerate(zip(self.p, gradients)):
            self.state[k] = self.state.get(k, 0.0) + np.square(g)
            np.subtract(p, self.learning_rate * g / (self.state[k] ** 0.5 + self.eps), out=p)


@alternative("AdaGrad", "all past gradients kept")
class AdaGrad:
    def __init__(self, parameters, learning_rate=0.01, epsilon=1e-10):
        self.parameters, self.learning_rate, self.epsilon = parameters, learning_rate, epsilon
        self.past = [[] for w in parameters]

    def step(self, gradients):
        for w, g, past in zip(self.parameters, gradients, self.past):
            past.append(g.copy())
            w += -self.learning_rate / (np.sqrt(np.sum(np.square(past), axis=0)) + self.epsilon) * g


@alternative("RMSProp", "the average moves towards the new square")
class RMSProp:
    def __init__(self, parameters, learning_rate=0.01, decay=0.99, epsilon=1e-8):
        self.pairs = [(w, np.zeros_like(w)) for w in parameters]
        self.learning_rate, self.rate, self.epsilon = learning_rate, 1 - decay, epsilon

    def step(self, gradients):
        for (w, average), g in zip(self.pairs, gradients):
            average += self.rate * (g * g - average)
            w[:] = w - self.learning_rate * g / (average**0.5 + self.epsilon)


@alternative("RMSProp", "element by element")
class RMSProp:
    def __init__(self, parameters, learning_rate=0.01, decay=0.99, epsilon=1e-8):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.decay, self.epsilon = decay, epsilon
        self.average = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        for w, g, a in zip(self.parameters, gradients, self.average):
            for k in np.ndindex(w.shape):
                a[k] = self.decay * a[k] + (1 - self.decay) * g[k] ** 2
                w[k] -= self.learning_rate * g[k] / (a[k] ** 0.5 + self.epsilon)


def both(collect):
    """The rows that the two exercises have in common; `collect` is the right side of the line that renews G."""
    renewed = f"self.cache[i] = {collect}"
    return (
        ("uphill", ("w -=", "w +=")),
        ("one state for all tensors", ("[np.zeros(w.shape) for w in parameters]", "0"), ("cache[i]", "cache")),
        ("new arrays instead of changed ones", ("w -=", "w = w -")),
        ("learning rate read only once", ("self.learning_rate", "self.lr")),
        (
            "gradients modified in place",
            (MOVE + DIVISOR, f"g /= {DIVISOR}\n            w -= self.learning_rate * g"),
        ),
        ("epsilon inside the root", (DIVISOR, "np.sqrt(self.cache[i] + self.epsilon)")),
        ("epsilon missing", (DIVISOR, "np.sqrt(self.cache[i])")),
        ("epsilon fixed", (DIVISOR, "(np.sqrt(self.cache[i]) + 1e-8)")),
        ("epsilon fixed", (DIVISOR, "(np.sqrt(self.cache[i]) + 1e-10)")),
        ("root missing", (DIVISOR, "(self.cache[i] + self.epsilon)")),
        ("gradient not squared", ("g ** 2", "g")),
        ("gradient not squared", ("g ** 2", "abs(g)")),
        (
            "collected after the step",
            (renewed + "\n            " + MOVE + DIVISOR, MOVE + DIVISOR + "\n            " + renewed),
        ),
        ("nothing kept between steps", (collect, collect.replace("self.cache[i]", "np.zeros(w.shape)"))),
        ("one number for a whole tensor", ("g ** 2", "np.sum(g ** 2)")),
        ("one number for a whole tensor", ("g ** 2", "np.mean(g ** 2)")),
        (
            "learning rate inside the squares",
            ("g = gradients[i]", "g = self.learning_rate * gradients[i]"),
            (MOVE, "w -= g / "),
        ),
    )


SUM = "self.cache[i] + g ** 2"
AVERAGE = "self.decay * self.cache[i] + (1 - self.decay) * g ** 2"

mistaken_sources(
    __name__,
    "AdaGrad",
    [
        (name, changed(ADAGRAD, *changes))
        for name, *changes in (
            *both(SUM),
            ("mean instead of sum", (DIVISOR, "(np.sqrt(self.cache[i] / self.t) + self.epsilon)")),
        )
    ],
)

mistaken_sources(
    __name__,
    "RMSProp",
    [
        (name, changed(RMSPROP, *changes))
        for name, *changes in (
            *both(AVERAGE),
            ("AdaGrad's sum", (AVERAGE, SUM)),
            ("old part decays, new part in full", (AVERAGE, "self.decay * self.cache[i] + g ** 2")),
            ("decay swapped", (AVERAGE, "(1 - self.decay) * self.cache[i] + self.decay * g ** 2")),
            ("bias corrected", (DIVISOR, "(np.sqrt(self.cache[i] / (1 - self.decay ** self.t)) + self.epsilon)")),
        )
    ],
)
