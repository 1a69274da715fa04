"""PlateauSchedule: correct in other styles, and wrong."""

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("PlateauSchedule", "counting down")
class PlateauSchedule:
    def __init__(self, learning_rate, factor=0.1, patience=2):
        self.rate, self.factor, self.patience = learning_rate, factor, patience
        self.best, self.left = None, patience

    def update(self, validation_error):
        is_number = validation_error == validation_error
        if is_number and (self.best is None or validation_error < self.best):
            self.best = validation_error
            self.left = self.patience
            return self.rate
        self.left -= 1
        if self.left == 0:
            self.rate *= self.factor
            self.left = self.patience
        return self.rate


@alternative("PlateauSchedule", "the whole history, looked through at every epoch")
class PlateauSchedule:
    def __init__(self, learning_rate, factor=0.1, patience=2):
        self.settings = (learning_rate, factor, patience)
        self.errors = []

    def update(self, validation_error):
        import math

        self.errors.append(validation_error)
        rate, factor, patience = self.settings
        best, bad = math.inf, 0
        for error in self.errors:
            bad = 0 if error < best else bad + 1
            best = error if error < best else best
            if bad and bad % patience == 0:
                rate = rate * factor
        return rate


@alternative("PlateauSchedule", "the epoch of the last best or drop, and a count of drops")
class PlateauSchedule:
    def __init__(self, learning_rate, factor=0.1, patience=2):
        self.initial, self.factor, self.patience = learning_rate, factor, patience
        self.epoch = self.mark = self.drops = 0
        self.best = float("inf")

    def update(self, validation_error):
        self.epoch += 1
        if not validation_error < self.best and self.epoch - self.mark >= self.patience:
            self.drops, self.mark = self.drops + 1, self.epoch
        elif validation_error < self.best:
            self.best, self.mark = validation_error, self.epoch
        return self.initial * self.factor**self.drops


# --- mistakes ---------------------------------------------------------------------------------------------------

RIGHT = """class PlateauSchedule:
    def __init__(self, learning_rate, factor=0.1, patience=2):
        self.learning_rate = learning_rate
        self.factor = factor
        self.patience = patience
        self.best = np.inf
        self.waited = 0

    def update(self, validation_error):
        if validation_error < self.best:
            self.best = validation_error
            self.waited = 0
        else:
            self.waited += 1
        if self.waited == self.patience:
            self.learning_rate *= self.factor
            self.waited = 0
        return self.learning_rate
"""
BETTER, ENOUGH, LOWER = (
    "validation_error < self.best",
    "self.waited == self.patience",
    "self.learning_rate *= self.factor",
)
STORED, BACK = "            self.best = validation_error\n", "            self.waited = 0\n"
ACTED, WORSE = LOWER + "\n" + BACK, "            self.waited += 1\n"


NOT_WORSE = "if validation_error >= self.best:\n            self.waited += 1\n        else:\n" + STORED + BACK
ASKED = RIGHT[RIGHT.index("if validation") : RIGHT.index("        if self.waited ==")]
FIRST_BEST = "            self.best = validation_error if self.best == np.inf else self.best\n"
SMALLER = "            self.best = min(self.best, validation_error)\n"
INITIAL = ("self.waited = 0\n\n", "self.waited = 0\n        self.initial = learning_rate\n\n")
BEFORE = ("if validation_error <", "rate = self.learning_rate\n        if validation_error <")
SKIPPED = "if np.isnan(validation_error):\n            return self.learning_rate\n        "
WRONG = [
    ("acts one epoch too late", changed(RIGHT, (ENOUGH, "self.waited > self.patience"))),
    ("acts one epoch too early", changed(RIGHT, (ENOUGH, "self.waited == self.patience - 1"))),
    ("acts one epoch too early", changed(RIGHT, (ENOUGH, "self.waited >= self.patience - 1"))),
    ("acts one epoch too early", changed(RIGHT, (ENOUGH, "self.waited >= max(1, self.patience - 1)"))),
    ("count kept after acting", changed(RIGHT, (ENOUGH, "self.waited >= self.patience"), (ACTED, LOWER + "\n"))),
    ("never acts twice in a row", changed(RIGHT, (ACTED, LOWER + "\n"))),
    (
        "lowered only once",
        changed(RIGHT, (LOWER, "self.learning_rate = self.initial * self.factor"), INITIAL),
    ),
    ("count kept after a new best", changed(RIGHT, (STORED + BACK, STORED))),
    ("compared with the epoch before", changed(RIGHT, (WORSE, WORSE + STORED))),
    ("compared with the epoch before", changed(RIGHT, (ASKED, NOT_WORSE), (WORSE, WORSE + STORED))),
    ("best never changed", changed(RIGHT, (STORED, FIRST_BEST))),
    ("best forgotten after acting", changed(RIGHT, (ACTED, ACTED + "            self.best = np.inf\n"))),
    ("best forgotten after acting", changed(RIGHT, (ACTED, ACTED + STORED))),
    ("equal counts as better", changed(RIGHT, (BETTER, "validation_error <= self.best"))),
    ("larger counts as better", changed(RIGHT, (BETTER, "validation_error > self.best"), ("np.inf", "-np.inf"))),
    ("NaN counts as better", changed(RIGHT, (ASKED, NOT_WORSE))),
    ("NaN counts as better", changed(RIGHT, (BETTER, "not validation_error >= self.best"), (STORED, SMALLER))),
    ("NaN skipped", changed(RIGHT, ("if validation_error <", f"{SKIPPED}if validation_error <"))),
    (
        "the first error is a best even if NaN",
        changed(RIGHT, ("self.best = np.inf", "self.best = None"), (BETTER, f"self.best is None or {BETTER}")),
    ),
    ("factor divides", changed(RIGHT, (LOWER, "self.learning_rate /= self.factor"))),
    ("factor subtracted", changed(RIGHT, (LOWER, "self.learning_rate -= self.factor"))),
    ("factor subtracted", changed(RIGHT, (LOWER, "self.learning_rate *= 1 - self.factor"))),
    ("factor fixed at 0.1", changed(RIGHT, (LOWER, "self.learning_rate /= 10"))),
    (
        "the old rate returned",
        changed(RIGHT, BEFORE, ("return self.learning_rate", "return rate")),
    ),
]
mistaken_sources(__name__, "PlateauSchedule", WRONG)
