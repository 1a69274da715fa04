"""A toy exercise for tests of the machinery: `shift(x, by)` is x + by."""

from __future__ import annotations

import numpy as np

from course_utils.checks.exercise import Case, Exercise, Misconception


def cases(rng):
    return [
        Case("vectors", {"x": rng.normal(size=3), "by": 2.0}),
        Case("vectors", {"x": rng.normal(size=4), "by": -1.5}),
        Case("matrices", {"x": rng.normal(size=(2, 3)), "by": 0.5}),
    ]


def expected(x, by):
    return x + by


def other_sign(x, by):
    return x - by


def truncated(x, by):
    return x + np.trunc(by)


SHIFT = Exercise(
    "shift",
    cases=cases,
    hints=("Adding a number moves every element.", "NumPy broadcasts numbers over arrays.", "Try x + by."),
    difficulty=1,
    importance=2,
    minutes=1,
    expected=expected,
    time_limit=0.2,
    misconceptions=(
        Misconception("other sign", "It looks as if you subtract.", "Ask yourself: which way?", variant=other_sign),
        Misconception("whole steps", "It looks as if you truncate.", "Ask yourself: is by whole?", variant=truncated),
    ),
)
TWICE = Exercise(
    "twice",
    cases=lambda rng: [Case("values", {"x": rng.normal(size=3)})],
    hints=("What is x + x?", "It is the same as two x.", "Try 2 * x."),
    difficulty=1,
    importance=1,
    minutes=1,
    expected=lambda x: 2 * x,
    builds_on=("shift",),
)
TOYS = {"shift": SHIFT, "twice": TWICE}
STUB = 'def shift(x, by):\n    """x + by"""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
OUTLINE = {
    "99_toy": {
        "notebook": "toy",
        "title": "Toys",
        "exercises": [
            {"name": "shift", "points": 6, "stub": STUB},
            {"name": "twice", "points": 2, "stub": "twice = None"},
        ],
        "written": [],
    }
}
