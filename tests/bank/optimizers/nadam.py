"""NAdam: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.optimizers import adam
from tests.bank.registry import alternative, mistaken_sources

DIRECTION = "ahead * self.m[i] / (1 - self.product * ahead) + (1 - now) * g / (1 - self.product)"
MU, PRODUCT = "self.b1 * (1 - 0.5 * 0.96 ** (t * self.psi))", "        self.product *= now\n"
SOURCE = changed(
    adam.SOURCE,
    ("class Adam", "class NAdam"),
    ("learning_rate=1e-3", "learning_rate=2e-3"),
    ("epsilon=1e-8", "epsilon=1e-8, momentum_decay=4e-3"),
    ("self.epsilon = epsilon", "self.epsilon = epsilon\n        self.psi = momentum_decay\n        self.product = 1.0"),
    (
        "    def step",
        f"    def mu(self, t):\n        return {MU}\n\n    def step",
    ),
    (adam.COUNT, f"{adam.COUNT}        now, ahead = self.mu(self.t), self.mu(self.t + 1)\n{PRODUCT}"),
    (adam.M_HAT, DIRECTION),
)
NEXT_KEPT = "ahead * self.m[i] / (1 - self.product) + (1 - now) * g / below"
HEAD = f"{adam.COUNT}        now, ahead = self.mu(self.t), self.mu(self.t + 1)\n{PRODUCT}"
IN_LOOP = "".join(f"    {line}\n" for line in HEAD.splitlines()) + "            g = gradients[i]"


@alternative("NAdam", "all μ multiplied anew at every step")
class NAdam:
    def __init__(self, parameters, learning_rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum_decay=4e-3):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.b1, self.b2, self.eps, self.psi = beta1, beta2, epsilon, momentum_decay
        self.m, self.v, self.t = {}, {}, 0

    def step(self, gradients):
        self.t += 1
        mu = self.b1 * (1 - 0.96 ** (self.psi * np.arange(1, self.t + 2)) / 2)
        for i, w in enumerate(self.parameters):
            g = gradients[i]
            self.m[i] = self.b1 * self.m.get(i, 0) + (1 - self.b1) * g
            self.v[i] = self.b2 * self.v.get(i, 0) + (1 - self.b2) * g**2
            up = mu[-1] * self.m[i] / (1 - np.prod(mu)) + (1 - mu[-2]) * g / (1 - np.prod(mu[:-1]))
            w -= self.learning_rate * up / (np.sqrt(self.v[i] / (1 - self.b2**self.t)) + self.eps)


@alternative("NAdam", "PyTorch's two additions, state for each tensor")
class NAdam:
    def __init__(self, parameters, learning_rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum_decay=4e-3):
        self.learning_rate = learning_rate
        self.settings = beta1, beta2, epsilon, momentum_decay
        self.states = [{"w": w, "m": 0.0, "v": 0.0, "t": 0, "product": 1.0} for w in parameters]

    def step(self, gradients):
        b1, b2, eps, psi = self.settings
        for s, g in zip(self.states, gradients):
            s["t"] += 1
            now = b1 * (1.0 - 0.5 * 0.96 ** (s["t"] * psi))
            ahead = b1 * (1.0 - 0.5 * 0.96 ** ((s["t"] + 1) * psi))
            s["product"] *= now
            s["m"] = s["m"] + (1 - b1) * (g - s["m"])
            s["v"] = b2 * s["v"] + (1 - b2) * g * g
            below = np.sqrt(s["v"] / (1 - b2 ** s["t"])) + eps
            s["w"] -= self.learning_rate * (1 - now) / (1 - s["product"]) * g / below
            s["w"] -= self.learning_rate * ahead / (1 - s["product"] * ahead) * s["m"] / below


mistaken_sources(
    __name__,
    "NAdam",
    [
        (name, changed(SOURCE, *changes))
        for name, *changes in (
            *adam.COMMON,
            (
                "gradients modified in place",
                ("(1 - now) * g / (1 - self.product)", "np.multiply(g, (1 - now) / (1 - self.product), out=g)"),
            ),
            ("t starting at 0", (adam.COUNT, ""), (adam.DIVISOR, adam.DIVISOR + "\n" + adam.COUNT.rstrip())),
            ("counted for each tensor", (HEAD, ""), ("            g = gradients[i]", IN_LOOP)),
            ("counted for each tensor", (PRODUCT, ""), (adam.G, "self.product *= now" + adam.LINE + adam.G)),
            ("second average not corrected", (adam.V_HAT, "self.v[i]")),
            (
                "power of beta1 for the product",
                (
                    DIRECTION,
                    "ahead * self.m[i] / (1 - self.b1 ** (self.t + 1)) + (1 - now) * g / (1 - self.b1 ** self.t)",
                ),
            ),
            ("product starts afresh", (PRODUCT, "        self.product = now\n")),
            (
                "the next momentum kept in the product",
                (DIRECTION, NEXT_KEPT),
                (PRODUCT, PRODUCT + "        below = 1 - self.product\n        self.product *= ahead\n"),
            ),
            (
                "momentum counted from 0",
                ("self.mu(self.t), self.mu(self.t + 1)", "self.mu(self.t - 1), self.mu(self.t)"),
            ),
            ("1 − β₁ for 1 − μ", ("(1 - now) * g", "(1 - self.b1) * g")),
            ("constant momentum", (MU, "self.b1")),
            ("momentum_decay left out", ("t * self.psi", "t")),
            ("one half left out", ("1 - 0.5 * 0.96", "1 - 0.96")),
            (
                "m averaged with the growing momentum",
                (adam.MEAN, "now * self.m[i] + (1 - now) * g\n"),
            ),
            ("today's momentum for tomorrow", ("ahead * self.m", "now * self.m")),
            (
                "today's momentum for tomorrow",
                ("ahead * self.m[i] / (1 - self.product * ahead)", "now * self.m[i] / (1 - self.product)"),
            ),
            ("one product for both parts", ("(1 - self.product * ahead)", "(1 - self.product)")),
            ("no looking ahead", (DIRECTION, adam.M_HAT)),
            ("today's gradient left out", (" + (1 - now) * g / (1 - self.product)", "")),
        )
    ],
)
