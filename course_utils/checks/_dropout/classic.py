"""classic_dropout: the convention of 2014. What is 0 in the result was dropped, since no x is 0."""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.sampled import (
    CALLS,
    any_of,
    by_mode,
    call_with_rng,
    drawn,
    drawn_once,
    every_mask,
    in_training,
    keep,
    nonzero,
    over,
    same_along,
    same_within,
    seeded,
    swapped,
    verify_masks,
)
from course_utils.checks.compare import difference
from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.plain import strided

TRAINING, SHAPES, EVALUATION, NEW = "training", "any shape", "evaluation", "a new mask at each call"


def _cases(rng):
    return [
        seeded(rng, TRAINING, x=nonzero(rng, 60, 50), keep_probability=0.8),
        seeded(rng, TRAINING, x=nonzero(rng, 45, 55), keep_probability=0.3, training=True),
        seeded(rng, SHAPES, x=strided(nonzero(rng, 40, 3, 4, 5)), keep_probability=0.7),
        seeded(rng, SHAPES, x=strided(nonzero(rng, 700)), keep_probability=0.8),
        seeded(rng, EVALUATION, x=nonzero(rng, 50, 40), keep_probability=0.8, training=False),
        seeded(rng, EVALUATION, x=strided(nonzero(rng, 2, 3, 4, 2)), keep_probability=0.3, training=False),
        seeded(rng, NEW, CALLS, x=nonzero(rng, 60, 70), keep_probability=0.3),
    ]


def read_zeros(case, out, factor):
    """The mask, where out is x · mask · factor."""
    x = case.inputs["x"]
    if not isinstance(out, np.ndarray) or out.shape != x.shape:
        return None
    kept = out != 0
    return kept if agrees(x * kept * factor, out) else None


def _as_it_is(q):
    return 1.0


def _value_fault(case, out):
    x, q = case.inputs["x"], keep(case)
    if not in_training(case):
        return difference(q * x, out, ("out",))
    readable = isinstance(out, np.ndarray) and out.shape == x.shape
    return difference(x * (out != 0) if readable else x, out, ("out",))


def _evaluates_to(*factors):
    """A `matches` for evaluation: x is multiplied by one of these factors of q."""
    return lambda case, outputs: any(agrees(case.inputs["x"] * f(keep(case)), outputs) for f in factors)


def _active(case, out):
    """Some of the elements are 0 in evaluation."""
    if in_training(case):
        return False
    masks = [read_zeros(case, out, factor) for factor in (1.0, keep(case), 1 / keep(case))]
    return any(mask is not None and not mask.all() for mask in masks)


_RIGHT_EVALUATION = _evaluates_to(lambda q: q)

classic_dropout = Exercise(
    name="classic_dropout",
    cases=_cases,
    call=call_with_rng,
    verify=verify_masks(_value_fault, read_zeros, _as_it_is),
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "In training, multiply x by a mask and by nothing else. When the network is used, no unit is missing: by what "
        "must each number be multiplied, so that the next layer gets what it got on average?",
        "rng.random(x.shape) gives one number for each element, and a share q of them is below q. In evaluation "
        "nothing is drawn, and one multiplication is enough.",
        "if not training: return keep_probability * x. Otherwise return x * (rng.random(x.shape) < keep_probability).",
    ),
    misconceptions=(
        Misconception(
            "inverted dropout",
            "It looks as if you divide by q in training and leave x alone in evaluation. That is inverted dropout.",
            "Ask yourself: in the paper of 2014, when are the weights scaled, and by which factor?",
            matches=by_mode(drawn(read_zeros, lambda q: 1 / q), _evaluates_to(_as_it_is)),
        ),
        Misconception(
            "scaling at both times",
            "It looks as if you scale in training as well as in evaluation.",
            "Ask yourself: with q = 0.8, what is the mean of out in training, and what is it in evaluation?",
            matches=by_mode(drawn(read_zeros, lambda q: 1 / q), _RIGHT_EVALUATION),
        ),
        Misconception(
            "no scaling",
            "It looks as if evaluation gives x as it is. The next layer then gets more than it got in training.",
            "Ask yourself: in training a share 1 − q of the inputs is missing; what has to make up for it later?",
            matches=by_mode(drawn(read_zeros, _as_it_is), _evaluates_to(_as_it_is)),
        ),
        Misconception(
            "scaled in training instead",
            "It looks as if you multiply by q in training, where a part of the signal is missing already.",
            "Ask yourself: what is the mean of q · x · m, when m is 1 with probability q?",
            matches=by_mode(drawn(read_zeros, lambda q: q), _evaluates_to(_as_it_is, lambda q: q)),
        ),
        Misconception(
            "divided in evaluation",
            "It looks as if evaluation divides by q. Then the next layer gets more than it got in training, not less.",
            "Ask yourself: when no unit is missing any more, must each give more or less than before?",
            matches=by_mode(drawn(read_zeros, _as_it_is), _evaluates_to(lambda q: 1 / q)),
        ),
        Misconception(
            "scaled by 1 − q",
            "It looks as if evaluation multiplies by 1 − q, the probability of dropping.",
            "Ask yourself: if nearly everything was kept, q = 0.99, what should evaluation give?",
            matches=by_mode(drawn(read_zeros, _as_it_is), _evaluates_to(lambda q: 1 - q)),
        ),
        Misconception(
            "keep and drop swapped",
            "It looks as if q is the probability of dropping an element. Here it is the probability of keeping it.",
            "Ask yourself: with q = 0.8, are most elements kept or dropped?",
            matches=by_mode(
                any_of(*(drawn(read_zeros, factor, swapped) for factor in (_as_it_is, lambda q: over(1 - q)))),
                _evaluates_to(lambda q: q, lambda q: 1 - q, _as_it_is),
            ),
        ),
        Misconception(
            "active in evaluation",
            "It looks as if elements are dropped in evaluation too.",
            "Ask yourself: should the same image get two different answers, when the network is used twice?",
            matches=_active,
        ),
        Misconception(
            "one mask for all examples",
            "It looks as if you draw one mask and use it for every example of the batch.",
            "Ask yourself: how many random numbers does your call of rng return, and how many elements has x?",
            matches=drawn(read_zeros, _as_it_is, same_along(0)),
        ),
        Misconception(
            "whole examples dropped",
            "It looks as if an example is kept or dropped as a whole.",
            "Ask yourself: how many random numbers does your call of rng return, and how many elements has x?",
            matches=drawn(read_zeros, _as_it_is, same_within),
        ),
        Misconception(
            "one draw for everything",
            "It looks as if one random number decides about the whole array.",
            "Ask yourself: which argument of rng.random says how many numbers to draw?",
            matches=drawn_once(read_zeros, _as_it_is),
        ),
        *every_mask(read_zeros, _as_it_is),
    ),
)


def by_torch(x, keep_probability, rng, training=True):
    """The mask from PyTorch, seeded from rng; what experiments use meanwhile."""
    import torch

    if not training:
        return keep_probability * x
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    return x * torch.empty(x.shape, dtype=torch.float64).bernoulli_(keep_probability, generator=generator).numpy()
