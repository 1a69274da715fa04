"""What students write for EarlyStopping."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("EarlyStopping", "the whole history, read again at each update")
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.history = patience, min_delta, []

    def _scan(self):
        best, best_epoch, waited = float("inf"), None, 0
        for epoch, error in enumerate(self.history):
            if best - error > self.min_delta:
                best, best_epoch, waited = error, epoch, 0
            else:
                waited += 1
            if waited == self.patience:
                return best_epoch, True
        return best_epoch, False

    @property
    def best_epoch(self):
        return self._scan()[0]

    def update(self, validation_error):
        self.history.append(validation_error)
        return self._scan()[1]


@alternative("EarlyStopping", "epochs counted, no waiting counter")
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.best_epoch = self.best = None
        self.epoch, self.last, self.limit, self.delta = -1, -1, patience, min_delta
        self.over = False

    def update(self, validation_error):
        if self.over:
            return True
        self.epoch += 1
        if not np.isnan(validation_error) and (self.best is None or validation_error < self.best - self.delta):
            self.best, self.best_epoch, self.last = validation_error, self.epoch, self.epoch
        self.over = np.bool_(self.epoch - self.last >= self.limit)
        return self.over


PLAIN = """class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_epoch = float("inf"), None
        self.epoch, self.wait, self.done = 0, 0, False

    def update(self, validation_error):
        if self.done:
            return True
        if validation_error < self.best - self.min_delta:
            self.best = validation_error
            self.best_epoch = self.epoch
            self.wait = 0
        else:
            self.wait += 1
        self.epoch += 1
        self.done = self.wait >= self.patience
        return self.done
"""
BETTER, DONE = "validation_error < self.best - self.min_delta", "self.wait >= self.patience"
SKIP = "        if validation_error != validation_error:\n            return False\n"

mistaken_changes(
    __name__,
    "EarlyStopping",
    PLAIN,
    (
        ("stops one epoch late", (DONE, "self.wait > self.patience")),
        ("stops one epoch early", (DONE, "self.wait >= self.patience - 1")),
        ("count never set back", ("            self.wait = 0\n", "")),
        (
            "compared with the epoch before",
            ("            self.best = validation_error\n", ""),
            ("        self.epoch += 1\n", "        self.epoch += 1\n        self.best = validation_error\n"),
        ),
        ("min_delta ignored", (" - self.min_delta:", ":")),
        ("min_delta with the wrong sign", ("- self.min_delta", "+ self.min_delta")),
        (
            "small steps forgotten",
            ("self.wait += 1\n", "self.wait += 1\n            self.best = min(self.best, validation_error)\n"),
        ),
        ("equal counts as an improvement", (BETTER, BETTER.replace("<", "<="))),
        ("NaN counts as an improvement", (BETTER, "not validation_error >= self.best - self.min_delta")),
        ("NaN not counted", (f"        if {BETTER}", SKIP + f"        if {BETTER}")),
        (
            "larger is better",
            ('float("inf")', '-float("inf")'),
            (BETTER, "validation_error > self.best + self.min_delta"),
        ),
        ("True to go on", ("return True\n", "return False\n"), ("return self.done", "return not self.done")),
        (
            "True to go on",
            ("return True\n", "return False\n"),
            ("return self.done", "return self.wait < self.patience"),
        ),
        ("stops for a moment", ("        if self.done:\n            return True\n", "")),
        (
            "best epoch moves after stopping",
            ("        if self.done:\n            return True\n", ""),
            (f"self.done = {DONE}", f"self.done = self.done or {DONE}"),
        ),
        ("epochs counted from 1", ("self.best_epoch = self.epoch\n", "self.best_epoch = self.epoch + 1\n")),
        (
            "last epoch for the best one",
            ("            self.best_epoch = self.epoch\n", ""),
            ("        self.epoch += 1\n", "        self.best_epoch = self.epoch\n        self.epoch += 1\n"),
        ),
    ),
)
mistaken_changes(
    __name__,
    "EarlyStopping",
    """class EarlyStopping:
    best, best_epoch, epoch, wait, done = float("inf"), None, 0, 0, False

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta

    def update(self, validation_error):
        state = EarlyStopping
        if not state.done:
            if validation_error < state.best - self.min_delta:
                state.best, state.best_epoch, state.wait = validation_error, state.epoch, 0
            else:
                state.wait += 1
            state.epoch += 1
            state.done = state.wait >= self.patience
        return state.done
""",
    (("one state for all objects",),),
)
