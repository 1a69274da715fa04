"""Adam: correct in other styles, and wrong; the wrong averages are those of its relatives as well."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

SOURCE = """class Adam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.b1 = beta1
        self.b2 = beta2
        self.epsilon = epsilon
        self.t = 0
        self.m = [np.zeros(w.shape) for w in parameters]
        self.v = [np.zeros(w.shape) for w in parameters]

    def step(self, gradients):
        self.t += 1
        for i, w in enumerate(self.parameters):
            g = gradients[i]
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
            self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * g ** 2
            m_hat = self.m[i] / (1 - self.b1 ** self.t)
            v_hat = self.v[i] / (1 - self.b2 ** self.t)
            w -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
"""
COUNT, G, DIVISOR = "        self.t += 1\n", "g = gradients[i]", "(np.sqrt(v_hat) + self.epsilon)"
MEAN, SQUARE = "self.b1 * self.m[i] + (1 - self.b1) * g\n", "self.b2 * self.v[i] + (1 - self.b2) * g ** 2"
M_HAT, V_HAT = "self.m[i] / (1 - self.b1 ** self.t)", "self.v[i] / (1 - self.b2 ** self.t)"
LINE = "\n            "
ZEROS = "[np.zeros(w.shape) for w in parameters]"

# The rows of every class that is written like SOURCE.
COMMON = (
    ("uphill", ("w -=", "w +=")),
    ("one state for all tensors", (ZEROS, "0"), ("self.m[i]", "self.m"), ("self.v[i]", "self.v")),
    ("new arrays instead of changed ones", ("w -=", "w = w -")),
    ("learning rate read only once", ("self.learning_rate", "self.lr")),
    ("epsilon inside the root", (DIVISOR, "np.sqrt(v_hat + self.epsilon)")),
)
COUNTED = (
    ("gradients modified in place", ("g ** 2", "np.square(g, out=g)")),
    (
        "nothing kept between steps",
        ("self.m[i] = ", "m = "),
        ("self.v[i] = ", "v = "),
        (M_HAT, M_HAT.replace("self.m[i]", "m")),
        (V_HAT, V_HAT.replace("self.v[i]", "v")),
    ),
    ("no bias correction", (M_HAT, "self.m[i]"), (V_HAT, "self.v[i]")),
    ("t starting at 0", (COUNT, ""), (DIVISOR, DIVISOR + "\n" + COUNT.rstrip())),
    ("t starting at 2", ("self.t = 0", "self.t = 1")),
    ("t always 1", (COUNT, "        self.t = 1\n")),
    ("t counted for each tensor", (COUNT, ""), (G, "self.t += 1" + LINE + G)),
    ("corrected average stored back", ("m_hat = " + M_HAT, "m_hat = self.m[i] = " + M_HAT)),
    ("corrected average stored back", ("v_hat = " + V_HAT, "v_hat = self.v[i] = " + V_HAT)),
    (
        "corrected average stored back",
        ("m_hat = " + M_HAT, "m_hat = self.m[i]" + LINE + "m_hat /= 1 - self.b1 ** self.t"),
        ("v_hat = " + V_HAT, "v_hat = self.v[i]" + LINE + "v_hat /= 1 - self.b2 ** self.t"),
    ),
    (
        "correction with 1 − (1 − β)ᵗ",
        ("- self.b1 ** self.t", "- (1 - self.b1) ** self.t"),
        ("- self.b2 ** self.t", "- (1 - self.b2) ** self.t"),
    ),
    ("multiplied by 1 − βᵗ", ("[i] / (1 - self.b", "[i] * (1 - self.b")),
)


@alternative("Adam", "PyTorch's arrangement")
class Adam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters, self.learning_rate = parameters, learning_rate
        self.betas, self.epsilon, self.state = (beta1, beta2), epsilon, {}

    def step(self, gradients):
        b1, b2 = self.betas
        for i, (w, g) in enumerate(zip(self.parameters, gradients)):
            state = self.state.setdefault(i, {"step": 0, "m": np.zeros_like(w), "v": np.zeros_like(w)})
            state["step"] += 1
            state["m"] += (g - state["m"]) * (1 - b1)
            state["v"] = state["v"] * b2 + (1 - b2) * g * g
            size = self.learning_rate / (1 - b1 ** state["step"])
            denominator = np.sqrt(state["v"]) / np.sqrt(1 - b2 ** state["step"]) + self.epsilon
            w -= size * state["m"] / denominator


@alternative("Adam", "sums without the factors 1 − β, divided by the sum of the weights")
class Adam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.w, self.learning_rate, self.eps = parameters, learning_rate, epsilon
        self.b = np.array([beta1, beta2])
        self.total = np.zeros(2)
        self.sums = [[0.0, 0.0] for w in parameters]

    def step(self, gradients):
        self.total = self.b * self.total + 1
        for w, g, s in zip(self.w, gradients, self.sums):
            s[0] = self.b[0] * s[0] + g
            s[1] = self.b[1] * s[1] + g**2
            w[...] -= self.learning_rate * (s[0] / self.total[0]) / ((s[1] / self.total[1]) ** 0.5 + self.eps)


@alternative("Adam", "powers of beta carried along")
class Adam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters, self.learning_rate = list(parameters), learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.power1 = self.power2 = 1.0
        self.m, self.v = ([np.zeros(w.shape) for w in self.parameters] for _ in range(2))

    def step(self, gradients):
        self.power1 *= self.beta1
        self.power2 *= self.beta2
        for k in range(len(gradients)):
            self.m[k] += (1 - self.beta1) * (gradients[k] - self.m[k])
            self.v[k] += (1 - self.beta2) * (np.square(gradients[k]) - self.v[k])
            up = self.m[k] / (1 - self.power1)
            down = np.sqrt(self.v[k] / (1 - self.power2)) + self.epsilon
            np.subtract(self.parameters[k], self.learning_rate * up / down, out=self.parameters[k])


mistaken_sources(
    __name__,
    "Adam",
    [
        (name, changed(SOURCE, *changes))
        for name, *changes in (
            *COMMON,
            *COUNTED,
            ("second average not corrected", (V_HAT, "self.v[i]")),
            ("both corrected with beta1", (V_HAT, "self.v[i] / (1 - self.b1 ** self.t)")),
            (
                "epsilon before the correction",
                ("m_hat / " + DIVISOR, "np.sqrt(1 - self.b2 ** self.t) * m_hat / (np.sqrt(self.v[i]) + self.epsilon)"),
            ),
            ("epsilon missing", (DIVISOR, "np.sqrt(v_hat)")),
            ("epsilon fixed", (DIVISOR, "(np.sqrt(v_hat) + 1e-8)")),
            ("epsilon fixed", (DIVISOR, "(np.sqrt(v_hat) + 1e-7)")),
            ("first average not corrected", (M_HAT, "self.m[i]")),
            ("root missing", (DIVISOR, "(v_hat + self.epsilon)")),
            ("gradient not squared", ("g ** 2", "g")),
            ("gradient not squared", ("g ** 2", "abs(g)")),
            ("betas swapped", ("self.b1 = beta1", "self.b1 = beta2"), ("self.b2 = beta2", "self.b2 = beta1")),
            (
                "old and new share swapped",
                (MEAN, "(1 - self.b1) * self.m[i] + self.b1 * g\n"),
                (SQUARE, "(1 - self.b2) * self.v[i] + self.b2 * g ** 2"),
            ),
            ("new part in full", ("(1 - self.b1) * g", "g"), ("(1 - self.b2) * g", "g")),
        )
    ],
)
