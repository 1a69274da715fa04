"""relu_interpolation: a sum of shifted ReLUs through every knot."""

from __future__ import annotations

import numpy as np

from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _hinges(knots):
    """Row j, column i: relu(knots[j+1] − knots[i]); the conditions "f passes through knot j+1" as a matrix."""
    return np.maximum(np.subtract.outer(knots[1:], knots[:-1]), 0.0)


def interpolate(knots, values):
    """The coefficients as the solution of the interpolation conditions, a triangular linear system."""
    return np.linalg.solve(_hinges(knots), values[1:] - values[0])


def _slopes(knots, values):
    return np.diff(values) / np.diff(knots)


def _spacing_forgotten(knots, values):
    rises = np.diff(values).astype(float)
    return np.diff(rises, prepend=0.0)


def _reversed_change(knots, values):
    slopes = _slopes(knots, values)
    return np.concatenate([slopes[:1], slopes[:-1] - slopes[1:]])


def _no_start(knots, values):
    return np.linalg.solve(_hinges(knots), values[1:].astype(float))


def _first_slope_missing(knots, values):
    coefficients = interpolate(knots, values)
    coefficients[0] = 0.0
    return coefficients


def _last_coefficient(knots, values):
    coefficients = _slopes(knots, values)
    for i in range(1, len(coefficients)):
        coefficients[i] -= coefficients[i - 1]
    return coefficients


def _one_too_few(knots, values):
    return np.diff(_slopes(knots, values))


def _whole_numbers(knots, values):
    return np.trunc(np.round(interpolate(knots, values), 9))


def _cases(rng):
    def curve(count, even=False):
        gaps = np.full(count - 1, 0.5) if even else rng.uniform(0.3, 2.0, size=count - 1)
        knots = float(rng.uniform(-3, -1)) + np.concatenate([[0.0], np.cumsum(gaps)])
        values = rng.normal(size=count) * 2
        values[0] = float(rng.choice([-1, 1]) * rng.uniform(0.5, 2.0))  # never 0: f starts at values[0]
        return knots, values

    def case(aspect, knots, values):
        return Case(aspect, {"knots": knots, "values": values})

    unit = np.arange(5.0) - 2.0
    knots, values = curve(6)
    values[2] = values[1] + (values[1] - values[0]) / (knots[1] - knots[0]) * (knots[2] - knots[1])  # no kink here
    # Gaps of 4 and different odd rises: no slope is a whole number. The first is steeper than 1.
    whole_knots = np.array([-4, 0, 4, 8])
    rises = rng.choice([-5, 5]), *rng.choice([-7, -3, -1, 1, 3, 7], size=2, replace=False)
    whole_values = np.cumsum([int(rng.integers(1, 4)), *rises])
    return [
        case("first segment", *curve(2)),
        case("first segment", *curve(2)),
        case("knots one apart", unit, curve(5)[1]),
        case("knots one apart", unit[:3], curve(3)[1]),
        case("any spacing", *curve(7)),
        case("any spacing", *curve(5, even=True)),
        case("any spacing", knots, values),
        case("any spacing", *(strided(array) for array in curve(4))),
        case("whole-number knots and values", whole_knots, whole_values),
        case("whole-number knots and values", whole_knots + 3, -whole_values),
    ]


relu_interpolation = Exercise(
    name="relu_interpolation",
    cases=_cases,
    expected=interpolate,
    rtol=1e-6,
    atol=1e-8,
    difficulty=3,
    importance=3,
    minutes=20,
    hints=(
        "Between two knots f is a straight line. Each ReLU bends that line at its own knot and nowhere else.",
        "Write down the slope of f in the first segment, then in the second: cᵢ is added to the slope at knot i and "
        "stays. "
        "So the slope in segment i is c₀ + … + cᵢ. Which slopes must the segments have to pass through the values?",
        "With slopes = np.diff(values) / np.diff(knots): c[0] is slopes[0], and every later c[i] is "
        "slopes[i] − slopes[i − 1]. The result has one entry per segment.",
    ),
    misconceptions=(
        Misconception(
            "slopes instead of slope changes",
            "It looks as if cᵢ is the slope of segment i. But the ReLUs before it are still rising there.",
            "Ask yourself: at a point in the second segment, which ReLUs add to the slope of f?",
            _slopes,
        ),
        Misconception(
            "spacing of the knots forgotten",
            "It looks as if you used the rise between two values as the slope, without dividing by the distance of "
            "the knots.",
            "Ask yourself: what is the slope of a line that rises by 1 over a distance of 4?",
            _spacing_forgotten,
        ),
        Misconception(
            "slope change reversed",
            "It looks as if your changes of slope have the opposite sign: the old slope minus the new one.",
            "Ask yourself: f turns steeper at a knot; is that coefficient positive or negative?",
            _reversed_change,
        ),
        Misconception(
            "starting value ignored",
            "It looks as if your ReLUs build the values from 0, although f already starts at values[0].",
            "Ask yourself: how far above values[0] must the ReLUs lift f at the second knot?",
            _no_start,
        ),
        Misconception(
            "first slope left out",
            "It looks as if your first coefficient is 0, so f is flat in the first segment.",
            "Ask yourself: which ReLU makes f rise between the first knot and the second?",
            _first_slope_missing,
        ),
        Misconception(
            "last coefficient subtracted, not the last slope",
            "It looks as if each slope is reduced by the coefficient before it. "
            "By then all earlier coefficients have added to the slope.",
            "Ask yourself: c₀ and c₁ are set; how steep is f just before the third ReLU begins?",
            _last_coefficient,
        ),
        Misconception(
            "one coefficient too few",
            "It looks as if you return the changes of slope alone, without the first slope.",
            "Ask yourself: f is flat before knot 0; what is the change of slope there?",
            _one_too_few,
        ),
        Misconception(
            "rounded to whole numbers",
            "It looks as if your coefficients lost their decimals: the array they go into holds integers.",
            "Ask yourself: what is the dtype of np.zeros_like(values) when values are integers?",
            _whole_numbers,
        ),
    ),
)
