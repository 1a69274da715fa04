"""What an exercise is: the words of the bank (cases, misconceptions, hints) as plain data classes.

A bank file (``course_utils/checks/<notebook>.py``) holds ``EXERCISES``, a tuple of `Exercise`.
Nothing here runs anything: `run` calls the student's code, `verdict` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Solution cells that reach for these would copy the course's own answers.
COURSE_INTERNALS = (
    "course_utils._training",
    "course_utils.checks",
    "course_utils.experiments",
    "course_utils.models",
    "course_utils.train",
    "course_utils.working",
    "course_utils.solution",
    "autograder",
)


@dataclass(frozen=True)
class Case:
    """Inputs for one call, labelled with the aspect they test.

    `inputs` is plain data (arrays, numbers, strings, and lists, tuples or string-keyed dicts of them)
    and is all that the student's process receives. `hidden` stays with whoever decides
    (the labels of unseen images, say); only `verify` and `matches` see it.
    """

    aspect: str
    inputs: Mapping[str, Any]
    hidden: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Raises:
    """An expected value that is an exception: its type's name, and texts its message must contain."""

    kind: str
    contains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Misconception:
    """A known wrong idea: its name, what it looks like, and what to reconsider.

    Exactly one of these says when it applies:
    `variant(**inputs)` returns what a student with this idea would have computed (an oracle variant);
    `matches(case, outputs)` is for exercises where only a property decides.
    """

    name: str
    explanation: str  # one sentence to the student: "It looks as if …"
    question: str  # one sentence: "Ask yourself: …"
    variant: Callable[..., Any] | None = None
    matches: Callable[[Case, Any], bool] | None = None

    def __post_init__(self) -> None:
        if (self.variant is None) == (self.matches is None):
            raise ValueError(f"misconception {self.name!r} needs either a variant or matches, not both")


def call_directly(student, **inputs):
    return student(**inputs)


@dataclass(frozen=True)
class Exercise:
    """One name the student defines, and how it is tried and decided.

    `cases(rng)` makes the cases from a `numpy.random.Generator`.
    `call(student, **inputs)` says how to use what the student defined. Its source is sent to the
    student's process, so it is a top-level function without globals, closures, defaults or annotations;
    what it needs it imports inside. It returns plain data. Where the student's result has a form that it cannot use, it
    raises a TypeError whose message starts with "the result ", which is then shown as it is.
    `expected(**inputs)` is the oracle (or a `Raises`), or `verify(case, outputs)` returns None when the outputs
    are right and one sentence about the first thing that is wrong otherwise.
    `outputs` names the elements of a returned tuple, for messages ("grad_x").
    `for_call` names inputs that only `call` uses; messages to the student leave them out.
    `rtol` is relative to each value, `atol` to the largest expected magnitude; both are for
    float64 and are loosened for narrower floats.
    `time_limit` is in CPU seconds for all cases of one seed together.
    `trains` marks an exercise that trains: the judge tries it on one secret seed only.
    `hands_in` names a file that a student hands in beside the notebook and that `call` reads in place of running
    anything: what takes minutes to train is judged by its weights.
    `fresh` forbids results that share memory with an input.
    `forbidden` are dotted names that may not be used ("torch" forbids "torch.nn" too).
    `builds_on` names exercises whose functions a student may reasonably reuse here: where one of those fails its own
    check, a correct one is lent for the trial. Never one that does what this exercise asks for.
    `weights` gives aspects unequal shares of the points; the default is equal shares.
    `stand_in()` returns what experiments use while the student's own does not pass yet;
    the default is `expected` itself, so it is only needed where that is not a drop-in replacement (classes, `verify`).
    """

    name: str
    cases: Callable[[np.random.Generator], Sequence[Case]]
    hints: tuple[str, str, str]
    difficulty: int  # 1 to 5
    importance: int  # 1 to 5
    minutes: int
    call: Callable[..., Any] = call_directly
    expected: Callable[..., Any] | None = None
    verify: Callable[[Case, Any], str | None] | None = None
    misconceptions: tuple[Misconception, ...] = ()
    outputs: tuple[str, ...] = ()
    for_call: tuple[str, ...] = ()
    rtol: float = 1e-7
    atol: float = 1e-9
    time_limit: float = 2.0
    trains: bool = False
    hands_in: str = ""
    fresh: bool = False
    forbidden: tuple[str, ...] = ("torch", "scipy", "sklearn")
    builds_on: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    stand_in: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        if (self.expected is None) == (self.verify is None):
            raise ValueError(f"exercise {self.name!r} needs either expected or verify, not both")
        if len(self.hints) != 3:
            raise ValueError(f"exercise {self.name!r} needs three hints")
        names = [m.name for m in self.misconceptions]
        if len(set(names)) != len(names):
            raise ValueError(f"exercise {self.name!r} has two misconceptions of one name")

    def aspects(self, cases: Sequence[Case]) -> tuple[str, ...]:
        """The aspects of these cases, in the order in which they first appear."""
        return tuple(dict.fromkeys(case.aspect for case in cases))

    def replacement(self) -> Any:
        """What stands in for the student's own where that does not pass: `stand_in()`, or the oracle itself."""
        return self.stand_in() if self.stand_in else self.expected
