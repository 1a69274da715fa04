"""diagnose: what a loss curve says about the learning rate, by stated rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean, median

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


def _cut(size: Callable):
    """A mean over `size(n)` of n values at the end for a quarter, and over as many before them."""
    return {
        "ended": lambda curve: fmean(curve[-size(len(curve)) :]),
        "previous": lambda curve: fmean(curve[-2 * size(len(curve)) : -size(len(curve))]),
    }


def _third_and_fourth(last: int | None):
    """The quarters counted from the front; the fourth ends at `last` quarters, or with the curve."""

    def part(curve, first, end):
        quarter = len(curve) // 4
        return fmean(curve[first * quarter : None if end is None else end * quarter])

    return {"ended": lambda curve: part(curve, 3, last), "previous": lambda curve: part(curve, 2, 3)}


def _changes(curve):
    return [b - a for a, b in zip(curve, curve[1:], strict=False)]


def _up_and_down(curve):
    return sum(c for c in _changes(curve) if c > 0), -sum(c for c in _changes(curve) if c < 0)


def _counted(curve):
    return sum(c > 0 for c in _changes(curve)), sum(c < 0 for c in _changes(curve))


def _rules(
    ended: Callable = lambda curve: _quarters(curve)[1],
    previous: Callable = lambda curve: _quarters(curve)[0],
    exploded: Callable = lambda start, end, curve: end > TOO_FAR * start,
    good: Callable = lambda start, end, curve: end <= FAR_ENOUGH * start,
    falling: Callable = lambda start, previous, end: previous - end >= STILL_FALLING * (start - end),
    moves: Callable = _up_and_down,
    steady: Callable = lambda up, down: up <= STEADY * down,
    names: tuple = (EXPLODING, GOOD, LOW, HIGH),
    order: tuple = (0, 1, 2),
):
    """The rules one after the other; what a keyword names can be exchanged for another idea."""

    def name(curve):
        start, end = curve[0], ended(curve)
        holds = (
            lambda: _broken(curve) or exploded(start, end, curve),
            lambda: good(start, end, curve),
            lambda: falling(start, previous(curve), end) and steady(*moves(curve)),
        )
        return names[next((i for i in order if holds[i]()), 3)]

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
            "good asked before exploding",
            "It looks as if a curve that ends low is good for you, even when some value of it is NaN or infinite.",
            "Ask yourself: which rule of the docstring stands first?",
            _rules(order=(1, 0, 2)),
        ),
        _mistake(
            "low asked before good",
            "It looks as if a curve that ends low but is still falling gets the name low.",
            "Ask yourself: when the rules of both good and low hold, which stands first in the docstring?",
            _rules(order=(0, 2, 1)),
        ),
        _mistake(
            "a quarter rounded up",
            "It looks as if your quarter is rounded up, or to the nearest whole number.",
            "Ask yourself: how many of 11 values are a quarter by the docstring's n // 4, and how many by yours?",
            _rules(**_cut(lambda n: math.ceil(n / 4))),
            _rules(**_cut(lambda n: round(n / 4))),
        ),
        _mistake(
            "quarters cut from the front",
            "It looks as if you count quarters from the front. Where 4 does not divide the number of values, your last "
            "one is not the last n // 4 values.",
            "Ask yourself: with 11 values and quarter = 2, which values are curve[3 * quarter : 4 * quarter], and "
            "which curve[-quarter:]?",
            _rules(**_third_and_fourth(4)),
            _rules(**_third_and_fourth(None)),
        ),
        _mistake(
            "median for mean",
            "It looks as if you take the median of a quarter, where the docstring says mean.",
            "Ask yourself: what are the mean and the median of 0.1, 2, 0.1, 1.9, 0.1?",
            _rules(ended=lambda curve: median(curve[-(len(curve) // 4) :])),
            _rules(
                ended=lambda curve: median(curve[-(len(curve) // 4) :]),
                previous=lambda curve: median(curve[-2 * (len(curve) // 4) : -(len(curve) // 4)]),
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
            "rises counted, not summed",
            "It looks as if up is the number of rises, and down the number of falls. How large they are should count.",
            "Ask yourself: in a sawtooth of small falls and rare large rises, which are more, and which sum is larger?",
            _rules(moves=_counted),
        ),
        _mistake(
            "only the latest jumps looked at",
            "It looks as if up and down are taken over the last part of the curve only.",
            "Ask yourself: a loss jumps for ten epochs and then falls calmly; what are up and down of the whole curve?",
            _rules(moves=lambda curve: _up_and_down(curve[-(len(curve) // 4) :])),
            _rules(moves=lambda curve: _up_and_down(curve[-(len(curve) // 4) - 1 :])),
            _rules(moves=lambda curve: _up_and_down(curve[-2 * (len(curve) // 4) :])),
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
