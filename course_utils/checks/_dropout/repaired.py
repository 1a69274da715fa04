"""repaired_dropout_backward: a backward pass with two bugs, both silent for one example and p = 0.5."""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.backward import backward_case, dropout_gradient, resampled
from course_utils.checks._dropout.sampled import over
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.plain import strided

SCALE, MASKS, BOTH, BOOLEANS = "scale", "masks of several examples", "both together", "masks of booleans"


def _cases(rng):
    # The broken code must earn nothing: one of its bugs shows in every case. One alone shows where the other is silent.
    return [
        backward_case(rng, SCALE, (1, 70), 0.2),
        backward_case(rng, SCALE, (1, 20), 0.7, make=strided),
        _different(backward_case(rng, MASKS, (5, 8), 0.5)),
        _different(backward_case(rng, MASKS, (8, 5), 0.5, make=strided)),
        _different(backward_case(rng, BOTH, (8, 12), 0.2)),
        _different(backward_case(rng, BOTH, (4, 9), 0.7, make=strided)),
        _different(backward_case(rng, BOOLEANS, (9, 10), 0.2, kind=bool)),
    ]


def _different(case):
    """Gives the first two examples masks of which each keeps what the other drops, in two places."""
    mask = case.inputs["keep_mask"]
    mask[0, :2], mask[1, :2], mask[1:3, 2] = (1, 0), (0, 1), (0, 1)
    return case


def _first(keep_mask):
    return np.broadcast_to(keep_mask[0], keep_mask.shape)


def _scaled_by_p(grad_out, keep_mask, drop_probability):
    return grad_out * keep_mask * over(drop_probability)


repaired_dropout_backward = Exercise(
    name="repaired_dropout_backward",
    cases=_cases,
    expected=dropout_gradient,
    outputs=("grad_x",),
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Do not read the code first: measure. Compare it with grad_out · keep_mask / (1 − p), for one example and for "
        "three, with p = 0.5 and with p = 0.2.",
        "With one example and p = 0.5 all is well. With p = 0.2 every number is off by the same factor. With three "
        "examples the zeros of two of them are in the wrong places.",
        "1 − p and p are the same at 0.5 only. And keep_mask[0] is the mask of the first example; each example has its "
        "own. There are two bugs.",
    ),
    misconceptions=(
        Misconception(
            "both bugs still there",
            "It looks as if the function still computes what the broken one did.",
            "Ask yourself: for which p, and for how many examples, is it right?",
            lambda grad_out, keep_mask, drop_probability: _scaled_by_p(grad_out, _first(keep_mask), drop_probability),
        ),
        Misconception(
            "scale mended, mask not",
            "It looks as if the factor is right now, and the first example's mask is still used for all.",
            "Ask yourself: where are the zeros of the second example, and where should they be?",
            lambda grad_out, keep_mask, drop_probability: dropout_gradient(
                grad_out, _first(keep_mask), drop_probability
            ),
        ),
        Misconception(
            "mask mended, scale not",
            "It looks as if each example has its own mask now, and what is kept is still divided by p.",
            "Ask yourself: with p = 0.2, by which number was a kept x multiplied in the forward pass?",
            _scaled_by_p,
        ),
        Misconception(
            "scale removed",
            "It looks as if you took the factor away. It was the wrong one, but there must be one.",
            "Ask yourself: with p = 0.2, by which number was a kept x multiplied in the forward pass?",
            lambda grad_out, keep_mask, drop_probability: grad_out * keep_mask,
        ),
        Misconception(
            "multiplied by 1 − p",
            "It looks as if you multiply by 1 − p where the forward pass divided by it.",
            "Ask yourself: the derivative of c · x is c; what is c here?",
            lambda grad_out, keep_mask, drop_probability: grad_out * keep_mask * (1 - drop_probability),
        ),
        Misconception(
            "mask removed",
            "It looks as if no gradient is masked any more.",
            "Ask yourself: what does the loss notice when an element of x that was dropped is changed?",
            lambda grad_out, keep_mask, drop_probability: grad_out / (1 - drop_probability),
        ),
        Misconception(
            "units that any example keeps",
            "It looks as if a unit gets a gradient in every example, as soon as one example keeps it.",
            "Ask yourself: does the gradient of one example depend on what another one has dropped?",
            lambda grad_out, keep_mask, drop_probability: (
                grad_out * np.asarray(keep_mask, dtype=bool).any(axis=0) / (1 - drop_probability)
            ),
        ),
        Misconception(
            "backward draws a new mask",
            "It looks as if you mended the mask by drawing one. The forward pass has drawn it already.",
            "Ask yourself: which network gave the output whose gradient you compute?",
            matches=lambda case, outputs: resampled(**case.inputs, got=outputs),
        ),
    ),
)
