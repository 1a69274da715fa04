"""repaired_adam: mended in other styles, and not quite."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

BROKEN = """class repaired_adam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.betas, self.epsilon, self.steps = (beta1, beta2), epsilon, 0
        self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.parameters]

    def step(self, gradients):
        beta1, beta2 = self.betas
        for w, g, (m, v) in zip(self.parameters, gradients, self.moments, strict=True):
            self.steps += 1
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m /= 1 - beta1**self.steps
            v_hat = v / (1 - beta2**self.steps)
            w -= self.learning_rate * m / np.sqrt(v_hat + self.epsilon)
"""
LOOP = "        for w, g, (m, v) in zip(self.parameters, gradients, self.moments, strict=True):\n"
COUNT, DIVISOR = "            self.steps += 1\n", "np.sqrt(v_hat + self.epsilon)"
COUNTED = (LOOP + COUNT, "        self.steps += 1\n" + LOOP)
UNSTORED = ("m /= 1 - beta1**self.steps", "m = m / (1 - beta1**self.steps)")
OUTSIDE = (DIVISOR, "(np.sqrt(v_hat) + self.epsilon)")


@alternative("repaired_adam", "a count for each tensor")
class repaired_adam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.means = [np.zeros_like(w) for w in self.parameters]
        self.squares = [np.zeros_like(w) for w in self.parameters]
        self.t = [0] * len(self.parameters)

    def step(self, gradients):
        for i, (w, g, m, v) in enumerate(zip(self.parameters, gradients, self.means, self.squares)):
            self.t[i] += 1
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            m_hat = m / (1 - self.beta1 ** self.t[i])
            v_hat = v / (1 - self.beta2 ** self.t[i])
            w -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


@alternative("repaired_adam", "a function that makes the optimizer")
def repaired_adam(parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    class Mended:
        def __init__(self):
            self.learning_rate = learning_rate
            self.m = [0.0 for w in parameters]
            self.v = [0.0 for w in parameters]
            self.t = 0

        def step(self, gradients):
            self.t += 1
            for i, g in enumerate(gradients):
                self.m[i] = beta1 * self.m[i] + (1 - beta1) * g
                self.v[i] = beta2 * self.v[i] + (1 - beta2) * g * g
                rate = self.learning_rate / (1 - beta1**self.t)
                parameters[i] -= rate * self.m[i] / (np.sqrt(self.v[i] / (1 - beta2**self.t)) + epsilon)

    return Mended()


mistaken_sources(
    __name__,
    "repaired_adam",
    [
        (name, changed(BROKEN, *changes))
        for name, *changes in (
            ("all three still wrong",),
            ("the count and the stored mean still wrong", OUTSIDE),
            ("the count and epsilon still wrong", UNSTORED),
            ("the stored mean and epsilon still wrong", COUNTED),
            ("the count still wrong", UNSTORED, OUTSIDE),
            ("the stored mean still wrong", COUNTED, OUTSIDE),
            ("epsilon still wrong", COUNTED, UNSTORED),
            (
                "no bias correction",
                COUNTED,
                ("m /= 1 - beta1**self.steps", "m = m"),
                ("v / (1 - beta2**self.steps)", "v"),
                OUTSIDE,
            ),
            (
                "t starting at 0",
                (LOOP + COUNT, LOOP),
                UNSTORED,
                (
                    "w -= self.learning_rate * m / " + DIVISOR,
                    "w -= self.learning_rate * m / (np.sqrt(v_hat) + self.epsilon)\n        self.steps += 1",
                ),
            ),
            ("t always 1", (LOOP + COUNT, "        self.steps = 1\n" + LOOP), UNSTORED, OUTSIDE),
            ("first average not corrected", COUNTED, ("            m /= 1 - beta1**self.steps\n", ""), OUTSIDE),
            ("second average not corrected", COUNTED, UNSTORED, ("v / (1 - beta2**self.steps)", "v"), OUTSIDE),
            ("epsilon missing", COUNTED, UNSTORED, (DIVISOR, "np.sqrt(v_hat)")),
            ("epsilon fixed", COUNTED, UNSTORED, (DIVISOR, "(np.sqrt(v_hat) + 1e-8)")),
            (
                "epsilon before the correction",
                COUNTED,
                UNSTORED,
                (DIVISOR, "((np.sqrt(v) + self.epsilon) / np.sqrt(1 - beta2**self.steps))"),
            ),
            ("new arrays instead of changed ones", COUNTED, UNSTORED, OUTSIDE, ("w -=", "w = w -")),
            ("gradients modified in place", COUNTED, UNSTORED, OUTSIDE, ("(g * g - v)", "(np.square(g, out=g) - v)")),
        )
    ],
)
