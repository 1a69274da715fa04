"""04_optimizers: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

from sample_class.stories.handing_in import Assignment
from tests.bank import optimizers

ASSIGNMENT = Assignment("04_optimizers", "optimizers.ipynb", written="momentum_and_rate", bank=optimizers)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake

# -- one student's own code: one class walks through the tensors, each optimizer says how one of them changes ----------

OWN_HELPERS = {
    "SGD": """
class Optimizer:
    def __init__(self, parameters, learning_rate):
        self.parameters, self.learning_rate, self.t = list(parameters), learning_rate, 0
        self.memories = [np.zeros((2, *w.shape)) for w in self.parameters]

    def step(self, gradients):
        self.t += 1
        for w, g, memory in zip(self.parameters, gradients, self.memories):
            w += self.change(w, g, memory)


class SGD(Optimizer):
    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(parameters, learning_rate)
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def change(self, w, g, memory):
        g = g + self.weight_decay * w
        memory[0] = self.momentum * memory[0] + g
        return -self.learning_rate * (g + self.momentum * memory[0] if self.nesterov else memory[0])
""",
    "AlexNetSGD": """
class AlexNetSGD(Optimizer):
    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        super().__init__(parameters, learning_rate)
        self.momentum, self.weight_decay = momentum, weight_decay

    def change(self, w, g, memory):
        memory[0] = self.momentum * memory[0] - self.learning_rate * (g + self.weight_decay * w)
        return memory[0]
""",
    "AdaGrad": """
def scaled(step, squares, epsilon):
    return step / (np.sqrt(squares) + epsilon)


class AdaGrad(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, epsilon=1e-10):
        super().__init__(parameters, learning_rate)
        self.epsilon = epsilon

    def change(self, w, g, memory):
        memory[1] += g**2
        return -self.learning_rate * scaled(g, memory[1], self.epsilon)
""",
    "RMSProp": """
def keep_a_share(average, new, share):
    average[...] = share * average + (1 - share) * new


class RMSProp(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, decay=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate)
        self.decay, self.epsilon = decay, epsilon

    def change(self, w, g, memory):
        keep_a_share(memory[1], g**2, self.decay)
        return -self.learning_rate * scaled(g, memory[1], self.epsilon)
""",
    "Adam": """
class Adam(Optimizer):
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def change(self, w, g, memory):
        keep_a_share(memory[0], g, self.beta1)
        keep_a_share(memory[1], g**2, self.beta2)
        squares = memory[1] / (1 - self.beta2**self.t)
        return -self.learning_rate * scaled(self.direction(memory[0], g), squares, self.epsilon)

    def direction(self, mean, g):
        return mean / (1 - self.beta1**self.t)
""",
    "NAdam": """
class NAdam(Adam):
    def __init__(self, parameters, learning_rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum_decay=4e-3):
        super().__init__(parameters, learning_rate, beta1, beta2, epsilon)
        self.momentum_decay = momentum_decay

    def direction(self, mean, g):
        mu = self.beta1 * (1 - 0.96 ** (self.momentum_decay * np.arange(1, self.t + 2)) / 2)
        *_, now, ahead = np.cumprod(mu)
        return mu[-1] * mean / (1 - ahead) + (1 - mu[-2]) * g / (1 - now)
""",
    "AdamW": """
class AdamW(Adam):
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        super().__init__(parameters, learning_rate, beta1, beta2, epsilon)
        self.weight_decay = weight_decay

    def change(self, w, g, memory):
        return super().change(w, g, memory) - self.learning_rate * self.weight_decay * w
""",
    "stability_limit": """
def refuse_unless(possible, what, number):
    if not possible:
        raise ValueError(f"{what} cannot be {number}")


def stability_limit(curvature, momentum=0.0):
    refuse_unless(curvature > 0, "curvature", curvature)
    refuse_unless(0 <= momentum < 1, "momentum", momentum)
    return (2 + 2 * momentum) / curvature
""",
    "momentum_convention": """
def momentum_convention(velocity, learning_rate, momentum, source, target):
    # what the velocity is multiplied by when it moves the weights
    moves = {"inside": 1.0, "outside": -learning_rate, "averaged": -learning_rate / (1 - momentum)}
    for name in (source, target):
        refuse_unless(name in moves, "a convention", name)
    return velocity * (moves[source] / moves[target])
""",
    "diagnose": """
def quarter_means(curve):
    n = len(curve) // 4
    return curve[-2 * n : -n].mean(), curve[-n:].mean()


def name_of(curve):
    if not np.isfinite(curve).all():
        return "exploding"
    before, end = quarter_means(curve)
    changes = np.diff(curve)
    up, down = changes.clip(min=0).sum(), -changes.clip(max=0).sum()
    if end > 2 * curve[0]:
        return "exploding"
    if end <= curve[0] / 5:
        return "good"
    return "low" if up <= down / 2 and before - end >= (curve[0] - end) / 20 else "high"


def diagnose(curves):
    return [name_of(np.asarray(curve)) for curve in curves]
""",
}

# -- state where it does not belong: the average stands in the class, and each new optimizer makes it anew -------------

ONE_AVERAGE_FOR_ALL = """
class RMSProp:
    average = []

    def __init__(self, parameters, learning_rate=0.01, decay=0.99, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.decay, self.epsilon = decay, epsilon
        RMSProp.average = [np.zeros_like(w) for w in self.parameters]

    def step(self, gradients):
        for w, g, a in zip(self.parameters, gradients, RMSProp.average):
            a *= self.decay
            a += (1 - self.decay) * g**2
            w -= self.learning_rate * g / (np.sqrt(a) + self.epsilon)
"""

# -- right, but it stands on what is wrong -----------------------------------------------------------------------------

DECAY_BEFORE_ADAM = """
class AdamW(Adam):
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        super().__init__(parameters, learning_rate, beta1, beta2, epsilon)
        self.weight_decay = weight_decay

    def step(self, gradients):
        for w in self.parameters:
            w *= 1 - self.learning_rate * self.weight_decay
        super().step(gradients)
"""

# -- a generator that does not end: after one epoch the next one begins ------------------------------------------------

ENDLESS_LOOP = """
def minibatches(x, y, batch_size, rng):
    while True:
        order = rng.permutation(len(x))
        for i in range(0, len(x), batch_size):
            yield x[order[i : i + batch_size]], y[order[i : i + batch_size]]
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. From $2/\\lambda$ to $2(1+\\mu)/\\lambda$, so by $1 + \\mu = 1.9$. It binds in the steepest direction, where
   $\\lambda$ is largest.
2. Without: $\\alpha g$. With: the velocity settles at $v = 0.9 v + g$, so $v = 10 g$, and a step is $10 \\alpha g$.
   Rates $\\alpha$ and $\\alpha/10$ go equally far, and 1 and 0.1 are such a pair.
3. No. (5) says where the steep direction blows up. How fast we get on is decided by the shallow directions, and there
   only the length of the settled step counts. (5) knows nothing of the noise in the batches.
4. There the velocity settles at $g$, so one settled step is $\\alpha g$. It has to be $0.1 \\cdot 10 g$: $\\alpha = 1$.
""",
    "bela-second-style": """
1. Factor 1.9 = 1 + mu, in the direction of the largest curvature.
2. alpha g and alpha g / (1 - 0.9) = 10 alpha g. So 1 without momentum goes as far as 0.1 with it.
3. There is none: the limit is about steep directions, the best rate about progress in shallow ones. The formula leaves
   out that the curvature changes during training.
4. 1, because v is an average there and no longer ten gradients.
""",
    "chen-own-helpers": """
1. 1.9. Only the steepest direction comes near the limit, in the others there is room.
2. The steps add up to g (1 + 0.9 + 0.81 + ...) = 10 g. Momentum with a tenth of the rate moves as far: (1, 0.1).
3. No contradiction. The largest stable rate is not the best one, which depends on how far one gets along the shallow
   directions before the noise of the batches is too much; (5) has no noise.
4. The average settles at g instead of 10 g, so alpha must be ten times larger: 1.
""",
}


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "emil-overwrites": first
        | mistake("SGD", "new arrays instead of changed ones")
        | {"RMSProp": ONE_AVERAGE_FOR_ALL}
        | mistake("Adam", "corrected average stored back")
        | mistake("WeightAverage", "average written into the parameters"),
        "gus-exp-overflow": second
        | mistake("Adam", "epsilon missing")
        | {"AdamW": DECAY_BEFORE_ADAM}
        | mistake("PlateauSchedule", "NaN counts as better")
        | mistake("diagnose", "NaN not seen"),
        "juno-untouched": {},
        "milo-endless-loop": second | {"minibatches": ENDLESS_LOOP},
    }
    return ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
