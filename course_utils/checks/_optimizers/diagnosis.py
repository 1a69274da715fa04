"""diagnose: what a loss curve says about the learning rate, by stated rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean

from course_utils.checks._optimizers.curves import (
    EXPLODING,
    FAR_ENOUGH,
    GOOD,
    HIGH,
    LOW,
    STEADY,
    STILL_FALLING,
    TOO_FAR,
    curve_cases,
    diagnosed,
)
from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Exercise, Misconception


def call_diagnose(student, curves):
    names = student(curves)
    names = names.tolist() if hasattr(names, "tolist") else names
    if not isinstance(names, (list, tuple)):
        raise TypeError("the result " + ("is None: is a return missing?" if names is None else "is not a list"))
    if len(names) != len(curves):
        raise TypeError(f"the result holds {len(names)} names for {len(curves)} curves")
    found = {}
    for i, (curve, name) in enumerate(zip(curves, names, strict=True)):
        middle = curve[len(curve) // 2]
        kind = "not all finite, " if any(value - value != 0 for value in curve) else ""
        found[f"curve {i} ({len(curve)} values, {kind}{curve[0]:.3g} … {middle:.3g} … {curve[-1]:.3g})"] = name
    return found


# --- what students write --------------------------------------------------------------------------------------------


def _broken(curve):
    return not all(map(math.isfinite, curve))


def _has_nan(curve):
    return any(map(math.isnan, curve))


def _missed(surely: Callable, at_most: Callable) -> Callable:
    """A `matches`: wrong are all curves for which `surely` holds, and no others than those for which `at_most` does."""

    def matches(case, outputs):
        curves = case.inputs["curves"]
        truth = call_diagnose(diagnosed, curves)
        if not isinstance(outputs, dict) or outputs.keys() != truth.keys():
            return False
        wrong = [outputs[key] != name for key, name in truth.items()]
        return all(
            at_most(curve) if is_wrong else not surely(curve) for curve, is_wrong in zip(curves, wrong, strict=True)
        )

    return matches


def _quarters(curve):
    quarter = len(curve) // 4
    return fmean(curve[-2 * quarter : -quarter]), fmean(curve[-quarter:])


def _up_and_down(curve):
    changes = [b - a for a, b in zip(curve, curve[1:], strict=False)]
    return sum(c for c in changes if c > 0), -sum(c for c in changes if c < 0)


def _rules(
    ended: Callable = lambda curve: _quarters(curve)[1],
    previous: Callable = lambda curve: _quarters(curve)[0],
    exploded: Callable = lambda start, end, curve: end > TOO_FAR * start,
    good: Callable = lambda start, end, curve: end <= FAR_ENOUGH * start,
    falling: Callable = lambda start, previous, end: previous - end >= STILL_FALLING * (start - end),
    steady: Callable = lambda up, down: up <= STEADY * down,
    names: tuple = (EXPLODING, GOOD, LOW, HIGH),
):
    """The rules one after the other; what a keyword names can be exchanged for another idea."""
    exploding, fine, low, high = names

    def name(curve):
        start, end = curve[0], ended(curve)
        if _broken(curve) or exploded(start, end, curve):
            return exploding
        if good(start, end, curve):
            return fine
        return low if falling(start, previous(curve), end) and steady(*_up_and_down(curve)) else high

    return lambda curves: [name(curve) for curve in curves]


def _mistake(name, explanation, question, *students):
    if len(students) == 1:
        return Misconception(name, explanation, question, through(call_diagnose, students[0]))
    return Misconception(name, explanation, question, matches=one_of(call_diagnose, *students))


diagnose = Exercise(
    name="diagnose",
    cases=curve_cases,
    call=call_diagnose,
    expected=through(call_diagnose, diagnosed),
    stand_in=lambda: diagnosed,
    difficulty=2,
    importance=4,
    minutes=25,
    hints=(
        "Go through the rules in their order and stop at the first that holds. Ask for NaN and infinity before "
        "anything else: every comparison with NaN is False.",
        "With quarter = len(curve) // 4, the last quarter is curve[-quarter:], the one before it "
        "curve[-2 * quarter : -quarter]. np.diff(curve) holds the changes: up is the sum of the positive ones, down "
        "minus the sum of the negative ones.",
        "not np.isfinite(curve).all() or end > 2 * start: exploding. Else end <= start / 5: good. Else "
        "up <= down / 2 and previous − end >= (start − end) / 20: low. Else high.",
    ),
    misconceptions=(
        Misconception(
            "NaN not seen",
            "It looks as if a curve with NaN or infinity gets past your tests. Every comparison with NaN is False, and "
            "so it ends up wherever your last else leads.",
            "Ask yourself: is nan > 4.6 True or False, and which function asks for NaN itself?",
            matches=_missed(_has_nan, _broken),
        ),
        Misconception(
            "only the last value asked for NaN",
            "It looks as if you ask only the last value, or the last quarter, whether it is NaN or infinite.",
            "Ask yourself: can a mean over a curve be NaN although its last value is not?",
            matches=_missed(
                lambda curve: _broken(curve) and not _broken(curve[-(len(curve) // 4) :]),
                lambda curve: _broken(curve) and not _broken(curve[-1:]),
            ),
        ),
        Misconception(
            "infinity not seen",
            "It looks as if you ask for NaN and not for infinity.",
            "Ask yourself: what does np.isnan(np.inf) say, and what np.isfinite(np.inf)?",
            matches=_missed(
                lambda curve: not _has_nan(curve) and _broken(curve) and not _broken(curve[len(curve) // 2 :]),
                lambda curve: not _has_nan(curve) and _broken(curve),
            ),
        ),
        _mistake(
            "the last value for the end",
            "It looks as if one value decides for you how the curve ends: the last one.",
            "Ask yourself: what if the last epoch was a lucky one? Over which values should you take the mean?",
            _rules(ended=lambda curve: curve[-1]),
        ),
        _mistake(
            "the smallest value for the end",
            "It looks as if the best value of a curve decides for you, wherever it is.",
            "Ask yourself: what if the loss was low for a while and then went up again?",
            _rules(ended=lambda curve: min(curve)),
            _rules(good=lambda start, end, curve: min(curve) <= FAR_ENOUGH * start),
        ),
        _mistake(
            "the largest value counts as exploding",
            "It looks as if a single large value is enough for you to call a curve exploding.",
            "Ask yourself: what if the loss came down again afterwards?",
            _rules(exploded=lambda start, end, curve: max(curve) > TOO_FAR * start),
        ),
        _mistake(
            "any end above the start explodes",
            "It looks as if a curve that ends only a little above its start counts as exploding for you.",
            "Ask yourself: how many times larger than the start must the end be?",
            _rules(exploded=lambda start, end, curve: end > start),
        ),
        _mistake(
            "a fixed number for a good end",
            "It looks as if you compare the end with a fixed number. It should be measured by the start.",
            "Ask yourself: a loss that starts at 60 and ends at 6, did it learn? And one that starts at 0.1?",
            _rules(good=lambda start, end, curve: end <= 0.2),
            _rules(good=lambda start, end, curve: end <= 0.5),
            _rules(good=lambda start, end, curve: end <= 1.0),
        ),
        _mistake(
            "jumps not looked at",
            "It looks as if only the last two quarters tell low from high for you. A curve that jumps up and down may "
            "fall a little from one to the other.",
            "Ask yourself: what do up and down say about a zigzag?",
            _rules(steady=lambda up, down: True),
        ),
        _mistake(
            "only jumps looked at",
            "It looks as if every curve that does not jump counts as low for you, even when it no longer falls.",
            "Ask yourself: what distinguishes a loss that is still on its way from one that got stuck?",
            _rules(falling=lambda start, previous, end: True),
        ),
        _mistake(
            "every rise counts as jumping",
            "It looks as if one small rise is enough for you to call a curve high.",
            "Ask yourself: how large may up be, compared with down?",
            _rules(steady=lambda up, down: up <= 0),
        ),
        _mistake(
            "the fall measured by the start",
            "It looks as if you compare the fall of the last quarter with the start, and not with the whole fall.",
            "Ask yourself: in the lecture's curve the loss falls from 2.302576 to 2.302420. Is it still falling?",
            _rules(falling=lambda start, previous, end: previous - end >= STILL_FALLING * start),
        ),
        _mistake(
            "any fall counts as still falling",
            "It looks as if the smallest fall from one quarter to the next is enough for you.",
            "Ask yourself: a loss that settles keeps falling a little for ever. Which share of the whole fall counts?",
            _rules(falling=lambda start, previous, end: previous - end > 0),
            _rules(falling=lambda start, previous, end: previous - end >= 0),
            _rules(falling=lambda start, previous, end: previous >= end),
        ),
        _mistake(
            "a curve that does not move",
            "It looks as if a constant curve is not low for you: you ask for < or > where the docstring has ≤ or ≥, "
            "or divide by the fall.",
            "Ask yourself: if all values are equal, what are up, down and both sides of the last comparison?",
            _rules(steady=lambda up, down: up < STEADY * down),
            _rules(falling=lambda start, previous, end: previous - end > STILL_FALLING * (start - end)),
        ),
        _mistake(
            "low and high swapped",
            "It looks as if you call a curve low that got stuck, and one high that is still falling.",
            "Ask yourself: is low what the loss is, or the learning rate?",
            _rules(names=(EXPLODING, GOOD, HIGH, LOW)),
        ),
    ),
)
