"""WeightAverage: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("WeightAverage", "list rebound in update")
class WeightAverage:
    def __init__(self, parameters, decay):
        self.parameters, self.decay = parameters, decay
        self.averages = [np.array(w) for w in parameters]

    def update(self):
        d = self.decay
        self.averages = [d * a + (1 - d) * w for a, w in zip(self.averages, self.parameters, strict=True)]


@alternative("WeightAverage", "a step towards the weights, in place")
class WeightAverage:
    def __init__(self, parameters, decay):
        self.parameters, self.share = parameters, 1 - decay
        self.averages = [0 + w for w in parameters]

    def update(self):
        for i in range(len(self.parameters)):
            self.averages[i] += self.share * (self.parameters[i] - self.averages[i])


@alternative("WeightAverage", "all weights so far, in float32")
class WeightAverage:
    def __init__(self, parameters, decay):
        self.parameters, self.decay = parameters, decay
        self.seen = [[w.astype(np.float32)] for w in parameters]

    def update(self):
        for seen, w in zip(self.seen, self.parameters, strict=True):
            seen.append(w.astype(np.float32))

    @property
    def averages(self):
        d, found = self.decay, []
        for first, *later in self.seen:
            n = len(later)
            found.append(d**n * first + sum((1 - d) * d ** (n - 1 - k) * w for k, w in enumerate(later)))
        return found


# --- mistakes ---------------------------------------------------------------------------------------------------

RIGHT = """class WeightAverage:
    def __init__(self, parameters, decay):
        self.parameters = parameters
        self.decay = decay
        self.averages = [w.copy() for w in parameters]
        self.updates = 0

    def update(self):
        d = self.decay
        self.updates += 1
        for i, w in enumerate(self.parameters):
            self.averages[i] = d * self.averages[i] + (1 - d) * w
"""
START, STEP, KEPT, LOOP = (
    "[w.copy() for w in parameters]",
    "self.averages[i] = d * self.averages[i] + (1 - d) * w",
    "self.parameters = parameters",
    "enumerate(self.parameters)",
)
EACH, PAIRS = "for i, w in enumerate(self.parameters):\n            ", "zip(self.averages, self.parameters)"
CORRECTED = (
    "self.sums[i] = d * self.sums[i] + (1 - d) * w\n            self.averages[i] = self.sums[i] / (1 - d**self.updates)"
)
LATE = STEP.replace("* w", "* self.before[i]") + "\n            self.before[i] = w.copy()"


SUMS, BEFORE = (
    ("self.updates = 0", f"self.updates = 0\n        {line}")
    for line in ("self.sums = [0 * w for w in parameters]", "self.before = [w.copy() for w in parameters]")
)
ADDED = "self.averages[i] *= d; self.averages[i] += (1 - d) * w"
MEAN = "self.averages[i] = self.averages[i] + (w - self.averages[i]) / {n}"
SAME = (START, "list(parameters)")
WRONG = [
    ("decay swapped", changed(RIGHT, (STEP, "self.averages[i] = (1 - d) * self.averages[i] + d * w"))),
    ("started at zero", changed(RIGHT, (START, "[np.zeros_like(w) for w in parameters]"))),
    (
        "corrected as in Adam",
        changed(RIGHT, (STEP, CORRECTED), SUMS),
    ),
    ("averages are the parameters themselves", changed(RIGHT, SAME)),
    ("averages are the parameters themselves", changed(RIGHT, SAME, (STEP, ADDED))),
    ("averages are the parameters themselves", changed(RIGHT, SAME, (STEP, STEP.replace("[i] =", "[i][...] =")))),
    ("averages never move", changed(RIGHT, (KEPT, "self.parameters = [w.copy() for w in parameters]"))),
    (
        "averages never move",
        changed(RIGHT, (EACH + STEP, f"for a, w in {PAIRS}:\n            a = d * a + (1 - d) * w")),
    ),
    ("averages never move", changed(RIGHT, (EACH + STEP, f"return [d * a + (1 - d) * w for a, w in {PAIRS}]"))),
    ("the newest weights alone", changed(RIGHT, (STEP, "self.averages[i] = w.copy()"))),
    (
        "plain mean",
        changed(RIGHT, (STEP, MEAN.format(n="(self.updates + 1)"))),
    ),
    (
        "plain mean",
        changed(RIGHT, (STEP, MEAN.format(n="self.updates"))),
    ),
    ("the share 1 − d forgotten", changed(RIGHT, (STEP, "self.averages[i] = d * self.averages[i] + w"))),
    ("only the first array", changed(RIGHT, (LOOP, "enumerate(self.parameters[:1])"))),
    (
        "one update late",
        changed(RIGHT, (STEP, LATE), BEFORE),
    ),
    ("average written into the parameters", changed(RIGHT, (STEP, STEP + "\n            w[...] = self.averages[i]"))),
]
mistaken_sources(__name__, "WeightAverage", WRONG)
