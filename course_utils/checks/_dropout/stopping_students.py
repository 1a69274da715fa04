"""EarlyStopping with one part of the idea changed, as students write it."""

from __future__ import annotations

import math


class Stopping:
    """The idea, with one part of it changed: a subclass says which."""

    late = 0  # epochs that it waits longer than `patience`
    first = 0  # the number of the first epoch
    stays = True  # whether it says stop from then on
    counts_nan = True
    resets = True

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_epoch, self.epochs, self.waited, self.stopped = math.inf, None, 0, 0, False

    def improves(self, error):
        return error < self.best - self.min_delta

    def remember(self, error, improved):
        if improved:
            self.best = error

    def update(self, validation_error):
        if self.stopped and self.stays:
            return True
        if not self.counts_nan and math.isnan(validation_error):
            return False
        improved = self.improves(validation_error)
        self.remember(validation_error, improved)
        if improved:
            self.best_epoch = self.epochs + self.first
        self.waited = 0 if improved and self.resets else self.waited + (not improved)
        self.epochs += 1
        self.stopped = self.waited >= self.patience + self.late
        return self.stopped


class Late(Stopping):
    late = 1


class Early(Stopping):
    late = -1


class NeverReset(Stopping):
    resets = False


class FromOne(Stopping):
    first = 1


class Resumes(Stopping):
    stays = False


class SkipsNan(Stopping):
    counts_nan = False


class Previous(Stopping):
    def remember(self, error, improved):
        self.best = error


class Creeping(Stopping):
    """Every lower error is remembered, even where it does not count as an improvement."""

    def remember(self, error, improved):
        self.best = min(self.best, error) if not math.isnan(error) else self.best


class NoDelta(Stopping):
    def improves(self, error):
        return error < self.best


class WrongSign(Stopping):
    def improves(self, error):
        return error < self.best + self.min_delta


class Equal(Stopping):
    def improves(self, error):
        return error <= self.best - self.min_delta


class NanImproves(Stopping):
    def improves(self, error):
        return not error >= self.best - self.min_delta


class Larger(Stopping):
    """Accuracies, which should grow."""

    def improves(self, error):
        return self.best_epoch is None and not math.isnan(error) or error > self.best + self.min_delta


class Reversed(Stopping):
    def update(self, validation_error):
        return not super().update(validation_error)


class BestMoves(Stopping):
    """Stopped, and still looking for a better epoch."""

    def update(self, validation_error):
        if self.stopped:
            if self.improves(validation_error):
                self.best, self.best_epoch = validation_error, self.epochs
            self.epochs += 1
            return True
        return super().update(validation_error)


class LastEpoch(Stopping):
    """best_epoch is the epoch that was seen last."""

    def update(self, validation_error):
        counts = not self.stopped
        stop = super().update(validation_error)
        if counts:
            self.best_epoch = self.epochs - 1
        return stop
