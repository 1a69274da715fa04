"""When the learning rate is divided, and when training stops."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass
class PlateauRule:
    """The paper's rule: divide the learning rate by ten when the validation error stops improving.

    Acts after `patience` epochs without a new best, then counts afresh, and at most `times` times: three, as in the
    paper. Source: Krizhevsky et al. (2012), section 5.
    """

    patience: int = 2
    divisor: float = 10.0
    times: int = 3
    best: float = math.inf
    waited: int = 0
    acted: int = 0

    def update(self, error: float) -> float:
        """Take an epoch's validation error; return what the learning rate is to be divided by, 1 where it stays."""
        if error < self.best:
            self.best, self.waited = error, 0
            return 1.0
        self.waited += 1
        if self.waited < self.patience or self.acted == self.times:
            return 1.0
        self.waited, self.acted = 0, self.acted + 1
        return self.divisor

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        return asdict(self)

    def restore(self, state: dict[str, float]) -> None:
        """Go on from a checkpoint; the patience stays what it is here."""
        self.best, self.waited, self.acted = state["best"], state["waited"], state["acted"]


@dataclass
class EarlyStopping:
    """Stop after `patience` epochs without a new best validation error."""

    patience: int
    best: float = math.inf
    waited: int = 0

    def update(self, error: float) -> bool:
        """Take an epoch's validation error; return whether to stop."""
        if error < self.best:
            self.best, self.waited = error, 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        return asdict(self)

    def restore(self, state: dict[str, float]) -> None:
        """Go on from a checkpoint; the patience stays what it is here."""
        self.best, self.waited = state["best"], state["waited"]
