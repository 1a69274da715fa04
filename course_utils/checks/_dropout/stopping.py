"""EarlyStopping: compared with PyTorch's ReduceLROnPlateau, which waits in the same way.

Errors are sums of powers of two, so that a difference of exactly `min_delta` is one for the computer too.
"""

from __future__ import annotations

import math

from course_utils.checks._dropout import stopping_students as wrong
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception

WAITING, BEST, DELTA, NANS, AFTER = (
    "waiting",
    "best epoch",
    "min_delta",
    "errors that are NaN",
    "after stopping",
)
NAN = math.nan


def call_early_stopping(student, part, errors, **settings):
    earlier = student(patience=1)  # another object, which must not leave anything behind
    earlier.update(0.0)
    earlier.update(9.0)
    stopping, stops, best = student(**settings), [], []
    for error in errors:
        stops.append(stopping.update(error))
        best.append(stopping.best_epoch)
    if any(stop is None for stop in stops):
        raise TypeError("the result of update is None, should be True or False: is a return missing?")
    return {"update returned": stops} if part == "stops" else {"best_epoch": best}


def by_plateau():
    """A class with the interface of EarlyStopping that leaves the waiting to PyTorch."""
    import torch

    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self._rate = torch.optim.SGD([torch.zeros(1)], lr=1.0)
            self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                self._rate, patience=patience - 1, threshold=min_delta, threshold_mode="abs"
            )
            self._epochs, self.best_epoch = 0, None

        def update(self, validation_error):
            if self._rate.param_groups[0]["lr"] < 1.0:
                return True
            before = self._plateau.best
            self._plateau.step(validation_error)
            if self._plateau.best != before:
                self.best_epoch = self._epochs
            self._epochs += 1
            return self._rate.param_groups[0]["lr"] < 1.0

    return EarlyStopping


def _expected(**inputs):
    return call_early_stopping(by_plateau(), **inputs)


def _cases(rng):
    def case(aspect, part, errors, **settings):
        scale = 2.0 ** int(rng.integers(5))  # no fractions, so that four digits say all that there is to a number
        scaled = {"min_delta": settings["min_delta"] * scale} if "min_delta" in settings else {}
        return Case(aspect, {"part": part, "errors": [scale * e for e in errors], **settings, **scaled})

    restless = [8, 7, 7.5, 6, 6.5, 6.25, 5, 5.5, 5.25, 5.125]
    return [
        case(WAITING, "stops", [8, 9, 7, 6, 6.5, 6.25, 6.75], patience=3),
        case(WAITING, "stops", restless, patience=3),
        case(WAITING, "stops", [4, 3, 3, 3.5], patience=2),
        case(WAITING, "stops", [8, 4, 5, 4.5, 4.25, 4.125], patience=4),
        case(WAITING, "stops", [3, 2, 2.5], patience=1),
        case(BEST, "best", [8, 9, 7, 6, 6.5, 6.25, 6.75], patience=3),
        case(BEST, "best", [4, 3, 3, 3.5], patience=2),
        case(BEST, "best", restless, patience=3),
        case(DELTA, "stops", [8, 7.5, 7, 6.5, 6.25, 6.125], patience=2, min_delta=0.75),
        case(DELTA, "stops", [8, 7, 7.5, 7.25], patience=3, min_delta=1.0),
        case(DELTA, "stops", [8, 8.25, 8.5, 8.25], patience=3, min_delta=0.5),
        case(DELTA, "stops", [8, 7.75, 6, 5.75, 5.5, 5.25], patience=3, min_delta=1.0),
        case(DELTA, "best", [8, 7.5, 7, 6.5, 6.25, 6.125], patience=3, min_delta=0.75),
        case(NANS, "stops", [8, 7, NAN, NAN, NAN], patience=3),
        case(NANS, "stops", [8, NAN, 7, NAN, 6, NAN, 6.5], patience=2),
        case(NANS, "stops", [NAN, 8, 7, NAN, 9], patience=2),
        case(NANS, "best", [NAN, 8, 7, NAN, 9], patience=2),
        case(AFTER, "stops", [8, 7, 7.5, 7.25, 5, 4, 6], patience=2),
        case(AFTER, "best", [8, 7, 7.5, 7.25, 5, 4, 6], patience=2),
    ]


def _shared(case, outputs):
    """State on the class: the object that `call` makes first had its best epoch at 0, and has said stop."""
    n = len(case.inputs["errors"])
    return outputs in ({"update returned": [True] * n}, {"best_epoch": [0] * n})


def _like(*flawed):
    """A `matches`: the object behaves like one of these."""
    return one_of(call_early_stopping, *flawed)


EarlyStopping = Exercise(
    name="EarlyStopping",
    cases=_cases,
    call=call_early_stopping,
    expected=_expected,
    stand_in=by_plateau,
    for_call=("part",),
    difficulty=2,
    importance=4,
    minutes=20,
    hints=(
        "Remember the error of the best epoch, its number, and how many epochs have passed since. An improvement sets "
        "that count back to 0.",
        "Two questions at each update, in this order: is this error lower than the best one by more than min_delta? "
        "And has the count reached patience? Start with a best error of infinity.",
        "if error < self.best - self.min_delta: remember it and set self.waited = 0, else add 1 to it. Then "
        "self.stopped = self.stopped or self.waited >= self.patience. A comparison with NaN is False.",
    ),
    misconceptions=(
        Misconception(
            "stops one epoch late",
            "It looks as if you stop after one epoch more than `patience` says.",
            "Ask yourself: with patience 1, what should the first epoch without an improvement return?",
            matches=_like(wrong.Late),
        ),
        Misconception(
            "stops one epoch early",
            "It looks as if you stop after one epoch fewer than `patience` says.",
            "Ask yourself: is the best epoch itself one of the epochs without an improvement?",
            matches=_like(wrong.Early),
        ),
        Misconception(
            "count never set back",
            "It looks as if all epochs without an improvement are counted, even those before the last improvement.",
            "Ask yourself: what should happen to the count when a new best epoch comes?",
            matches=_like(wrong.NeverReset),
        ),
        Misconception(
            "compared with the epoch before",
            "It looks as if each error is compared with the one before it. A zigzag then looks like progress.",
            "Ask yourself: errors 5, 9, 8, 7, 6: when was the last improvement?",
            matches=_like(wrong.Previous),
        ),
        Misconception(
            "min_delta ignored",
            "It looks as if every lower error is an improvement, however little lower it is.",
            "Ask yourself: which line of yours uses min_delta?",
            matches=_like(wrong.NoDelta),
        ),
        Misconception(
            "min_delta with the wrong sign",
            "It looks as if an error may be a little worse than the best one and still count as an improvement.",
            "Ask yourself: does a larger min_delta make improvements rarer or more frequent?",
            matches=_like(wrong.WrongSign),
        ),
        Misconception(
            "small steps forgotten",
            "It looks as if a small improvement moves the best error without counting as one. Many small steps then "
            "never add up.",
            "Ask yourself: with which epoch's error should the next one be compared?",
            matches=_like(wrong.Creeping),
        ),
        Misconception(
            "equal counts as an improvement",
            "It looks as if an error counts as an improvement when it is lower by just min_delta, or not lower at all.",
            "Ask yourself: should an error that stays the same for ever stop the training?",
            matches=_like(wrong.Equal),
        ),
        Misconception(
            "NaN counts as an improvement",
            "It looks as if NaN is taken for an improvement. Every comparison with NaN is False, so `not (a >= b)` is "
            "True.",
            "Ask yourself: what is NaN < 1 in Python, and what is not (NaN >= 1)?",
            matches=_like(wrong.NanImproves),
        ),
        Misconception(
            "NaN not counted",
            "It looks as if an epoch with NaN is left out. It is an epoch without an improvement, like any other.",
            "Ask yourself: if all errors are NaN from now on, when does the training stop?",
            matches=_like(wrong.SkipsNan),
        ),
        Misconception(
            "larger is better",
            "It looks as if you wait for the number to grow, as an accuracy should. This is an error.",
            "Ask yourself: is an error of 0.1 better than one of 0.2?",
            matches=_like(wrong.Larger),
        ),
        Misconception(
            "True to go on",
            "It looks as if update returns True as long as training should go on.",
            "Ask yourself: in `if stopping.update(error): break`, when is the loop left?",
            matches=_like(wrong.Reversed),
        ),
        Misconception(
            "stops for a moment",
            "It looks as if your object changes its mind after it has said stop.",
            "Ask yourself: what should update return after it has returned True?",
            matches=_like(wrong.Resumes),
        ),
        Misconception(
            "best epoch moves after stopping",
            "It looks as if best_epoch still changes after the object has said stop.",
            "Ask yourself: which weights would you restore, if training had really stopped?",
            matches=_like(wrong.BestMoves),
        ),
        Misconception(
            "epochs counted from 1",
            "It looks as if best_epoch counts the first epoch as 1. It counts from 0.",
            "Ask yourself: losses[best_epoch] should be the lowest error; what is the index of the first?",
            matches=_like(wrong.FromOne),
        ),
        Misconception(
            "last epoch for the best one",
            "It looks as if best_epoch is the epoch seen last.",
            "Ask yourself: which weights do you want back when training has stopped?",
            matches=_like(wrong.LastEpoch),
        ),
        Misconception(
            "one state for all objects",
            "It looks as if two objects of your class share what they have seen.",
            "Ask yourself: are the attributes set in __init__ on self, or once in the body of the class?",
            matches=_shared,
        ),
    ),
)
