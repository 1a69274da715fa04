"""repaired_adam: the notebook's broken Adam, mended.

Three things are wrong there: t counts tensors, the corrected mean is stored back, epsilon stands inside the root. With
one tensor, one step and gradients far above 1e-4 nothing shows, so three of the aspects bring out one mistake each.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from course_utils.checks._optimizers import adam
from course_utils.checks._optimizers.harness import (
    HIDDEN,
    LARGE,
    TOLERANCE,
    call_optimizer,
    common,
    like,
    steps,
)
from course_utils.checks.exercise import Exercise, Misconception

# What each mistake does to the right rule.
MISTAKES = {
    "the count": {"step": adam.counting_tensors},
    "the stored mean": adam.stored_back("m"),
    "epsilon": {"divisor": lambda self, v: np.sqrt(self.corrected(v, self.beta2) + self.epsilon)},
}
QUESTIONS = {
    "the count": "with two parameters, what is t after the first step",
    "the stored mean": "after m /= …, from which number does the next step start",
    "epsilon": "with v̂ = 0 and ε = 10⁻⁸, what are √v̂ + ε and √(v̂ + ε)",
}


def _left(names):
    """The misconception that these mistakes are still there and the others are mended."""
    listed = " and ".join(names)
    methods = {name: method for mistake in names for name, method in MISTAKES[mistake].items()}
    return Misconception(
        f"{listed} still wrong" if len(names) < 3 else "all three still wrong",
        f"It looks as if {'one' if len(names) == 2 else 'two'} of the three mistakes "
        f"{'is' if len(names) == 2 else 'are'} mended. Look at {listed} again."
        if len(names) < 3
        else "It looks as if all three mistakes are still there.",
        f"Ask yourself: {QUESTIONS[names[0]]}?",
        like(adam.Rule, **methods),
    )


ADAM = {m.name: m for m in (*common(adam.Rule, adam.truth), *adam.averages(adam.Rule), *adam.MISCONCEPTIONS)}

# What goes wrong while mending.
WHILE_MENDING = (
    "no bias correction",
    "t starting at 0",
    "t always 1",
    "first average not corrected",
    "second average not corrected",
    "epsilon missing",
    "epsilon fixed",
    "epsilon before the correction",
    "new arrays instead of changed ones",
    "gradients modified in place",
)


def _cases(rng):
    other = {"beta1": 0.7, "beta2": 0.9}
    return [
        steps(rng, "several tensors", 1, **LARGE, shapes=((2, 3), (2, 3)), learning_rate=0.1),
        steps(rng, "several tensors", 1, **LARGE, shapes=((3,), (2, 4)), learning_rate=0.05, **other),
        steps(rng, "many steps", 5, **LARGE, learning_rate=0.1, **other),
        steps(rng, "many steps", 50, **LARGE, learning_rate=0.05),
        steps(rng, "small gradients", 1, scale=1e-4, learning_rate=0.1),
        steps(rng, "small gradients", 1, still=True, scale=1e-4),
        steps(rng, "all together", 3, shapes=((2, 3), (2, 3)), scale=1e-4, curvature=0.0, manner="watched"),
        steps(rng, "all together", 4, shapes=((2, 3), (2, 3)), scale=1e-4, manner="twins", learning_rate=0.05),
        steps(
            rng,
            "all together",
            50,
            shapes=((3,), (2, 4), (1, 3, 2, 2)),
            scale=1e-3,
            learning_rate=0.05,
            rates=((20, 0.01),),
            epsilon=1e-6,
            **other,
        ),
    ]


repaired_adam = Exercise(
    name="repaired_adam",
    cases=_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=adam.truth,
    stand_in=lambda: adam.TorchAdam,
    **TOLERANCE,
    difficulty=3,
    importance=4,
    minutes=15,
    hints=(
        "With one tensor and one step of large gradients everything agrees. So vary one thing at a time: two tensors, "
        "two steps, tiny gradients. Each of the three shows one mistake.",
        "Read step slowly with two parameters in mind: which lines run once per step, and which once per tensor? "
        "Which arrays live on after step, and what do they hold then?",
        "Move self.steps += 1 before the loop, write m_hat = m / (1 - beta1**self.steps) instead of m /= …, and divide "
        "by np.sqrt(v_hat) + self.epsilon.",
    ),
    misconceptions=(
        *(_left(names) for count in (3, 2, 1) for names in combinations(MISTAKES, count)),
        *(ADAM[name] for name in WHILE_MENDING),
    ),
)
