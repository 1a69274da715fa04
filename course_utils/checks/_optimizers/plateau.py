"""PlateauSchedule."""

from __future__ import annotations

import math

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception


def call_plateau(student, errors, settings, other):
    """`errors` and `other` are texts, so that a message can show them; a second schedule sees the other errors."""
    numbers = {"learning_rate": float, "factor": float, "patience": int}
    given = dict(setting.split(" = ") for setting in settings.split(", "))
    given = {name: numbers[name](value) for name, value in given.items()}
    schedule, beside = student(**given), student(**given)
    others = other.split(", ")
    rates = {}
    for i, error in enumerate(errors.removeprefix("errors ").split(", ")):
        rates[f"the rate after {i + 1} {'epochs' if i else 'epoch'}"] = schedule.update(float(error))
        beside.update(float(others[i % len(others)]))
    return rates


class TorchPlateau:
    """PyTorch's ReduceLROnPlateau with no threshold. It acts when the count exceeds its patience, ours when it
    reaches it."""

    def __init__(self, learning_rate, factor=0.1, patience=2):
        import torch

        self.optimizer = torch.optim.SGD([torch.zeros(1)], lr=learning_rate)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=factor, patience=patience - 1, threshold=0.0, eps=0.0
        )

    def update(self, validation_error):
        self.scheduler.step(validation_error)
        return float(self.optimizer.param_groups[0]["lr"])


def _student(
    better=lambda error, best: error < best,
    enough=lambda waited, patience: waited == patience,
    lowered=lambda rate, factor: rate * factor,
    after_acting=lambda waited, best, error: (0, best),
    after_best=lambda waited: 0,
    new_best=lambda error, best: error,
    after_worse=lambda best, error: best,
    first=math.inf,
):
    """A student's class in which what the keywords name is another idea. `after_acting` gives the count and the best
    that go on once the rate was lowered, `after_worse` the best after an epoch that was none."""

    class Schedule:
        def __init__(self, learning_rate, factor=0.1, patience=2):
            self.learning_rate, self.factor, self.patience = learning_rate, factor, patience
            self.best, self.waited = first, 0

        def update(self, error):
            if better(error, self.best):
                self.best, self.waited = new_best(error, self.best), after_best(self.waited)
            else:
                self.waited += 1
                self.best = after_worse(self.best, error)
            if enough(self.waited, self.patience):
                self.learning_rate = lowered(self.learning_rate, self.factor)
                self.waited, self.best = after_acting(self.waited, self.best, error)
            return self.learning_rate

    return Schedule


def _lowered_once():
    """Divides by 10 the first time only."""

    class Schedule(_student()):
        def __init__(self, learning_rate, factor=0.1, patience=2):
            super().__init__(learning_rate, factor, patience)
            self.floor = learning_rate * factor

        def update(self, error):
            super().update(error)
            self.learning_rate = max(self.learning_rate, self.floor)
            return self.learning_rate

    return Schedule


def _skips_nan():
    class Schedule(_student()):
        def update(self, error):
            return self.learning_rate if math.isnan(error) else super().update(error)

    return Schedule


def _returns_the_old_rate():
    class Schedule(_student()):
        def update(self, error):
            before = self.learning_rate
            super().update(error)
            return before

    return Schedule


def _mistake(name, explanation, question, *students):
    if len(students) == 1:
        return Misconception(name, explanation, question, through(call_plateau, students[0]))
    return Misconception(name, explanation, question, matches=one_of(call_plateau, *students))


def _cases(rng):
    def case(aspect, pattern, settings=""):
        """Each letter of `pattern` is one epoch: a new best, an equal one, a worse one (a little or clearly), NaN.

        Small letters are worse than the best and better than the epoch before, where that is possible.
        """
        best, last, errors = round(float(rng.uniform(0.7, 0.9)), 3), 1.0, []
        for letter in pattern:
            if letter == "B":
                best = round(best - float(rng.uniform(0.02, 0.05)), 3)
            last = {
                "B": best,
                "=": best,
                "n": math.nan,
                "W": round(max(best, last if last == last else best) + float(rng.uniform(0.02, 0.05)), 3),
                "w": round(best + 0.4 * max(last - best, 0.01), 3) if last == last else best + 0.01,
            }[letter]
            errors.append(f"{last:.3f}" if last == last else "nan")
        rate = round(float(rng.uniform(0.02, 0.9)), 3)
        settings = f"learning_rate = {rate}" + (f", {settings}" if settings else "")
        other = ", ".join(f"{0.9 - 0.01 * i:.2f}" for i in range(len(pattern)))
        return Case(aspect, {"errors": "errors " + ", ".join(errors), "settings": settings, "other": other})

    once, again, equal, missing = "acting once", "counting afresh", "equal errors", "NaN"
    return [
        case(once, "BBWwBWWBB"),
        case(once, "BWBWwwBW", "factor = 0.5, patience = 3"),
        case(once, "BBWBBWB", "factor = 0.3, patience = 1"),
        case(again, "BBWwWwWwWB", "factor = 0.25"),
        case(again, "BWWWwBWwwWwW", "factor = 0.4, patience = 3"),
        case(again, "BWwwwWWBWwWW"),
        case(equal, "BB=B=W=B"),
        case(equal, "B==BB===B", "factor = 0.2, patience = 3"),
        case(missing, "BnBBnWBB"),
        case(missing, "nBBnnBnW", "factor = 0.6"),
        case(missing, "nnBWB", "factor = 0.35"),
        case(missing, "BWnWWB", "factor = 0.45, patience = 3"),
    ]


PlateauSchedule = Exercise(
    name="PlateauSchedule",
    cases=_cases,
    call=call_plateau,
    for_call=("other",),
    expected=through(call_plateau, TorchPlateau),
    stand_in=lambda: TorchPlateau,
    difficulty=2,
    importance=4,
    minutes=20,
    hints=(
        "An object remembers three things between two calls of update: the rate, the best error so far, and how many "
        "epochs in a row brought no new best.",
        "Start the best at infinity. Ask validation_error < best: this is False for an equal error and for NaN, as it "
        "should be. Only then look at the count.",
        "If the error is below best: store it and set the count to 0. Otherwise add 1 to the count. If the count is "
        "now patience: multiply the rate by factor and set the count to 0. Return the rate.",
    ),
    misconceptions=(
        _mistake(
            "acts one epoch too late",
            "It looks as if you wait for more than `patience` epochs without a new best.",
            "Ask yourself: with patience 2, after which bad epoch in a row should the rate fall?",
            _student(enough=lambda waited, patience: waited > patience),
        ),
        _mistake(
            "acts one epoch too early",
            "It looks as if the rate falls before `patience` epochs have passed without a new best.",
            "Ask yourself: does the epoch with the best error itself count as one without a new best?",
            _student(enough=lambda waited, patience: waited >= max(patience - 1, 1)),
            _student(enough=lambda waited, patience: waited >= patience - 1),
            _student(enough=lambda waited, patience: waited == patience - 1),
        ),
        _mistake(
            "count kept after acting",
            "It looks as if the count of bad epochs goes on after the rate was lowered, so that the rate falls again "
            "at the very next one.",
            "Ask yourself: how long does the new rate get to show what it can do?",
            _student(
                enough=lambda waited, patience: waited >= patience,
                after_acting=lambda waited, best, error: (waited, best),
            ),
        ),
        _mistake(
            "never acts twice in a row",
            "It looks as if the count goes past patience and is never equal to it again before the next best.",
            "Ask yourself: what should happen when the error stays bad for 2 · patience epochs?",
            _student(after_acting=lambda waited, best, error: (waited, best)),
        ),
        _mistake(
            "lowered only once",
            "It looks as if you always multiply the first learning rate by factor, so a second time changes nothing.",
            "Ask yourself: AlexNet's rate was divided by 10 three times. From which number does the second division "
            "start?",
            _lowered_once(),
        ),
        _mistake(
            "count kept after a new best",
            "It looks as if a new best does not set the count back to 0.",
            "Ask yourself: which epochs should be in a row, and what breaks the row?",
            _student(after_best=lambda waited: waited),
        ),
        _mistake(
            "compared with the epoch before",
            "It looks as if you compare each error with the last one, and not with the best.",
            "Ask yourself: errors 0.50, 0.60, 0.59: is the last one a new best?",
            _student(after_worse=lambda best, error: error),
            _student(after_worse=lambda best, error: error if error == error else best),
            _student(better=lambda error, last: not error >= last, after_worse=lambda best, error: error),
        ),
        _mistake(
            "best never changed",
            "It looks as if every error is compared with the first one.",
            "Ask yourself: which line stores a new best?",
            _student(new_best=lambda error, best: error if best == math.inf else best),
        ),
        _mistake(
            "best forgotten after acting",
            "It looks as if the best starts anew each time the rate is lowered. Only the count should.",
            "Ask yourself: which of best and count does the docstring set back, and which does it keep?",
            _student(after_acting=lambda waited, best, error: (0, math.inf)),
            _student(after_acting=lambda waited, best, error: (0, error)),
        ),
        _mistake(
            "equal counts as better",
            "It looks as if an error equal to the best counts as a new best.",
            "Ask yourself: has an error that stays the same improved? What is the difference between < and <= ?",
            _student(better=lambda error, best: error <= best),
        ),
        _mistake(
            "larger counts as better",
            "It looks as if you wait for the error to grow, as one would for an accuracy.",
            "Ask yourself: which is better, an error of 0.2 or one of 0.3?",
            _student(better=lambda error, best: error > best, first=-math.inf),
        ),
        _mistake(
            "NaN counts as better",
            "It looks as if NaN passes for a new best.",
            "Ask yourself: is nan >= 0.3 True or False in Python, and what follows in your else?",
            _student(better=lambda error, best: not error >= best),
            _student(better=lambda error, best: not error >= best, new_best=lambda error, best: min(best, error)),
        ),
        _mistake(
            "NaN skipped",
            "It looks as if an epoch with NaN does not count at all.",
            "Ask yourself: the docstring knows two kinds of errors, a new best and any other; which is NaN?",
            _skips_nan(),
        ),
        _mistake(
            "the first error is a best even if NaN",
            "It looks as if you take the first error for the best without asking whether it is NaN. No later error is "
            "below NaN.",
            "Ask yourself: what is 0.3 < nan, and from which best could you start so that this never happens?",
            _student(better=lambda error, best: best is None or error < best, first=None),
        ),
        _mistake(
            "factor divides",
            "It looks as if the rate grows: it is divided by factor.",
            "Ask yourself: factor is 0.1 by default. Which of · and / makes the rate ten times smaller?",
            _student(lowered=lambda rate, factor: rate / factor),
        ),
        _mistake(
            "factor subtracted",
            "It looks as if factor is taken away from the rate, or the rate multiplied by 1 − factor.",
            "Ask yourself: what is left of the rate 0.01 when it is multiplied by 0.1?",
            _student(lowered=lambda rate, factor: rate - factor),
            _student(lowered=lambda rate, factor: rate * (1 - factor)),
        ),
        _mistake(
            "factor fixed at 0.1",
            "It looks as if you divide by 10, whatever factor is.",
            "Ask yourself: which lines of update use self.factor?",
            _student(lowered=lambda rate, factor: rate / 10),
        ),
        _mistake(
            "the old rate returned",
            "It looks as if update returns the rate as it was before this epoch's error was looked at.",
            "Ask yourself: is the rate that you return the one to use next?",
            _returns_the_old_rate(),
        ),
    ),
)
