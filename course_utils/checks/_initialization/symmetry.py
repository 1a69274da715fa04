"""symmetry_classes."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_symmetry_classes(student, gradients):
    import numpy as np

    result = student(gradients)
    if isinstance(result, (list, tuple)):  # an array of indices serves as well as a list
        result = [row.tolist() if isinstance(row, np.ndarray) and row.dtype.kind in "iu" else row for row in result]
    return result


def classes(gradients):
    """The connected components of "equal within the tolerance", by powers of that relation, in PyTorch."""
    import torch

    rows = torch.tensor(np.ascontiguousarray(gradients), dtype=torch.float64)
    apart = (rows[:, None] - rows[None]).abs().amax(dim=2)
    linked = (apart <= 1e-9 * rows.abs().max()).double()
    for _ in range(len(rows).bit_length()):
        linked = ((linked @ linked) > 0).double()
    firsts = (linked > 0).int().argmax(dim=1).tolist()  # the smallest unit of each one's class
    return [[unit for unit, first in enumerate(firsts) if first == start] for start in sorted(set(firsts))]


def _grouped(same):
    """Classes where `same(row, other)` decides; each unit joins the first class whose first member matches."""

    def wrong(gradients):
        found = []
        for unit, row in enumerate(gradients):
            for members in found:
                if same(row, gradients[members[0]], np.abs(gradients).max()):
                    members.append(unit)
                    break
            else:
                found.append([unit])
        return found

    return wrong


def _close(a, b, largest):
    return bool(np.all(np.abs(a - b) <= 1e-9 * largest))


def _neighbours(gradients):
    """A new class wherever a row differs from the one before it."""
    found = [[0]]
    for unit in range(1, len(gradients)):
        if _close(gradients[unit], gradients[unit - 1], np.abs(gradients).max()):
            found[-1].append(unit)
        else:
            found.append([unit])
    return found


def _pairs(gradients):
    return sorted([a, b] for members in classes(gradients) for i, a in enumerate(members) for b in members[i + 1 :])


def _once_for_every_unit(gradients):
    found = classes(gradients)
    return [next(members for members in found if unit in members) for unit in range(len(gradients))]


def _labels(gradients):
    found = classes(gradients)
    return [next(i for i, members in enumerate(found) if unit in members) for unit in range(len(gradients))]


def _order_of_values(gradients):
    """The order of np.unique, which sorts the rows."""
    return sorted(classes(gradients), key=lambda members: tuple(gradients[members[0]]))


def _cases(rng):
    def case(aspect, groups, columns, scale=1.0, noise=0.0, make=lambda array: array, change=lambda rows: rows):
        """One row for each class, repeated for its members in random order; the noise is relative to the largest."""
        rows = change(rng.normal(size=(len(groups), columns)))
        gradients = rows[rng.permutation(np.repeat(np.arange(len(groups)), groups))]
        gradients = gradients + noise * np.abs(gradients).max() * rng.uniform(-1, 1, size=gradients.shape)
        return Case(aspect, {"gradients": make(scale * gradients)})

    def same_sums(rows):
        """Rows that share their first entry, their sum and their length with the row before."""
        rows[1::2] = rows[0::2]
        rows[1::2, 1:] = rows[1::2, 1:][:, ::-1]
        return rows

    def opposite(rows):
        rows[1::2] = -rows[0::2]
        return rows

    def differ_in_the_last(rows):
        rows[:] = rows[0]
        rows[:, -1] = np.arange(len(rows)) + 1.0
        return rows

    def cancelling(rows):
        """In each row one entry is 0, and noise far below the others' last digit is all that shows there."""
        rows[np.arange(len(rows)), rng.integers(rows.shape[1], size=len(rows))] = 0.0
        return rows

    def first_small(rows):
        rows[0] *= 1e-7
        return rows

    def agree_in_the_last(rows):
        rows[:, -1] = 1.0
        return rows

    groups, alike, rounding = "groups", "rows that look alike", "rounding"
    return [
        case(groups, (3, 2, 4), 5),
        case(groups, (4, 3, 2, 3), 4, make=strided),
        case("single units", (1, 3, 1, 2, 1), 4),
        case("single units", (1, 1, 1, 1, 1, 2), 3),
        case("all alike, all different", (6,), 4),
        case("all alike, all different", (1,) * 6, 4),
        case("all alike, all different", (5,), 3, scale=0.0),
        case(alike, (2, 3, 3, 2), 6, change=same_sums),
        case(alike, (2, 3, 2, 2), 4, change=opposite),
        case(alike, (3, 2, 3), 4, change=differ_in_the_last),
        case(alike, (2, 3, 2), 4, change=agree_in_the_last),
        case(rounding, (4, 3, 4), 5, noise=1e-14),
        case(rounding, (5, 4), 4, scale=1e-3, noise=1e-13),
        case(rounding, (4, 3, 4), 5, noise=1e-17, change=cancelling),
        case(rounding, (4, 3, 3), 5, noise=1e-14, change=first_small),
        case("tiny and huge gradients", (3, 4, 2), 4, scale=1e-12),
        case("tiny and huge gradients", (3, 4, 3), 4, scale=1e9, noise=1e-14),
    ]


symmetry_classes = Exercise(
    name="symmetry_classes",
    cases=_cases,
    call=call_symmetry_classes,
    expected=classes,
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Take the units in turn. Does the row equal that of a group you have already? Then the unit joins it. "
        "If it equals none, it opens a new group.",
        "The tolerance is one number, 1e-9 times np.abs(gradients).max(). Two rows are equal when the largest "
        "|difference| of their entries is not above it. In this way the order comes out right by itself.",
        "For each unit, loop over the groups: np.abs(gradients[unit] - gradients[group[0]]).max() <= tolerance. "
        "Python's for … else runs the else part when no break happened: there append [unit].",
    ),
    misconceptions=(
        Misconception(
            "single units left out",
            "It looks as if a unit with no equal is missing from your lists.",
            "Ask yourself: do your lists, taken together, hold every unit once?",
            lambda gradients: [members for members in classes(gradients) if len(members) > 1],
        ),
        Misconception(
            "compared to the last bit",
            "It looks as if rows must agree in every bit to be equal for you. Rounding makes them differ in the end.",
            "Ask yourself: is 0.1 + 0.2 == 0.3 true in Python?",
            _grouped(lambda a, b, largest: bool(np.all(a == b))),
        ),
        Misconception(
            "a tolerance that does not scale",
            "It looks as if your tolerance is a fixed number, like the atol of np.allclose. "
            "When all gradients are tiny, it finds all of them equal; when they are huge, none.",
            "Ask yourself: what does np.allclose(1e-12, 3e-12) say?",
            matches=one_of(
                call_symmetry_classes,
                _grouped(lambda a, b, largest: np.allclose(a, b)),
                *(_grouped(lambda a, b, largest, t=10.0**-k: bool(np.all(np.abs(a - b) <= t))) for k in range(6, 13)),
            ),
        ),
        Misconception(
            "tolerance relative to each number",
            "It looks as if your tolerance is relative to the numbers compared, or to their row. Where an entry "
            "cancels to 0, or a whole row is small, only rounding is left to compare.",
            "Ask yourself: is 1e-17 equal to 0 for you when other gradients are of order 1?",
            matches=one_of(
                call_symmetry_classes,
                *(_grouped(lambda a, b, largest, t=10.0**-k: np.allclose(a, b, rtol=t, atol=0)) for k in range(5, 11)),
                *(
                    _grouped(lambda a, b, largest, of=of: _close(a, b, np.abs(of(a, b)).max()))
                    for of in (lambda a, b: a, lambda a, b: b, lambda a, b: np.append(a, b))
                ),
            ),
        ),
        Misconception(
            "a largest gradient of 0",
            "It looks as if you divide by the largest gradient, or ask for < where <= belongs. "
            "The largest gradient may be 0.",
            "Ask yourself: which units are alike when no gradient reaches any of them?",
            _grouped(lambda a, b, largest: largest > 0 and _close(a, b, largest)),
        ),
        Misconception(
            "sums of the rows compared",
            "It looks as if you compare one number for each row, such as its sum or its length.",
            "Ask yourself: do (1, 2) and (2, 1) have the same sum?",
            matches=one_of(
                call_symmetry_classes,
                *(
                    _grouped(lambda a, b, largest, f=f: abs(f(a) - f(b)) <= 1e-9 * largest)
                    for f in (np.sum, np.mean, np.linalg.norm)
                ),
            ),
        ),
        Misconception(
            "only the first entry compared",
            "It looks as if the first entry of each row decides.",
            "Ask yourself: how many entries must agree: one, or all?",
            _grouped(lambda a, b, largest: abs(a[0] - b[0]) <= 1e-9 * largest),
        ),
        Misconception(
            "any equal entry is enough",
            "It looks as if two rows are equal for you when they agree in one entry.",
            "Ask yourself: which of np.any and np.all asks for every entry?",
            _grouped(lambda a, b, largest: bool(np.any(np.abs(a - b) <= 1e-9 * largest))),
        ),
        Misconception(
            "signs ignored",
            "It looks as if opposite rows are equal for you.",
            "Ask yourself: after a step, does a unit with gradient g stay equal to one with −g?",
            _grouped(lambda a, b, largest: _close(np.abs(a), np.abs(b), largest)),
        ),
        Misconception(
            "differences without their absolute value",
            "It looks as if your comparison is a − b <= tolerance. That also holds where b is much larger than a.",
            "Ask yourself: is 1 − 5 <= 0.001 true?",
            _grouped(lambda a, b, largest: bool(np.all(a - b <= 1e-9 * largest))),
        ),
        Misconception(
            "only neighbours compared",
            "It looks as if each row is compared with the one before it only.",
            "Ask yourself: can units 0 and 2 be equal when unit 1 is not?",
            _neighbours,
        ),
        Misconception(
            "pairs instead of groups",
            "It looks as if you list every pair of equal units.",
            "Ask yourself: three equal units: how many lists are they in?",
            _pairs,
        ),
        Misconception(
            "a list for every unit",
            "It looks as if you return one list for each unit, so that groups come up several times.",
            "Ask yourself: how do you know that a unit is in a group already?",
            _once_for_every_unit,
        ),
        Misconception(
            "numbers of groups instead of lists",
            "It looks as if you return the number of each unit's group.",
            "Ask yourself: should your result be as long as the units are many, or as the groups are?",
            matches=one_of(call_symmetry_classes, _labels, lambda gradients: np.array(_labels(gradients))),
        ),
        Misconception(
            "groups in the order of their values",
            "It looks as if your groups are sorted by the numbers in their rows, as np.unique does it.",
            "Ask yourself: in which group should unit 0 be?",
            _order_of_values,
        ),
        Misconception(
            "columns compared",
            "It looks as if you compare the columns. The units are the rows.",
            "Ask yourself: what does a loop over a two-dimensional array go through?",
            through(call_symmetry_classes, lambda gradients: classes(np.asarray(gradients).T)),
        ),
    ),
)
