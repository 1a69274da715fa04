"""repaired_linear_backward: an affine backward pass with two bugs that has to be mended."""

from __future__ import annotations

from course_utils.checks._backprop.affine import (
    GRADIENTS,
    affine_gradients,
    affine_inputs,
    call_affine_backward,
    changed_gradients,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _repair_cases(rng):
    # The broken code must earn nothing: each aspect judges the weight or the bias gradient, the latter with N > 1.
    return [
        Case("weight gradient", affine_inputs(rng, "grad_weight", 4, 3, 5)),
        Case("weight gradient", affine_inputs(rng, "grad_weight", 5, 4, 2, make=strided)),
        Case("weight gradient", affine_inputs(rng, "grad_weight", 1, 2, 3)),
        Case("bias gradient", affine_inputs(rng, "grad_bias", 4, 2, 3)),
        Case("bias gradient", affine_inputs(rng, "grad_bias", 3, 3, 3)),
        Case("square weights", affine_inputs(rng, "all three", 4, 3, 3)),
        Case("square weights", affine_inputs(rng, "all three", 3, 3, 3)),
        Case("all three together", affine_inputs(rng, "all three", 6, 2, 4)),
        Case("all three together", affine_inputs(rng, "all three", 2, 5, 3, make=strided)),
    ]


repaired_linear_backward = Exercise(
    name="repaired_linear_backward",
    cases=_repair_cases,
    call=call_affine_backward,
    expected=through(call_affine_backward, affine_gradients),
    stand_in=lambda: affine_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Do not read the code first: measure. Compare each of the three gradients with a numerical one, "
        "and look at the shapes before the values.",
        "Use 4 examples, 3 inputs and 5 outputs, so that no two sizes agree. One gradient then has the wrong shape. "
        "Another has the right shape and is too small, by a factor you can name.",
        "weight is (out, in), so its gradient is grad_out.T @ x. The bias was used once by every example, "
        "so its gradient is a sum over axis 0, not a mean. There are two bugs.",
    ),
    misconceptions=(
        Misconception(
            "both bugs still there",
            "It looks as if the function still computes what the broken one did.",
            "Ask yourself: for 4 examples, 3 inputs and 5 outputs, what shape does each gradient have, and what "
            "should it be?",
            changed_gradients(grad_weight=lambda g, x, w: x.T @ g, grad_bias=lambda g, x, w: g.mean(axis=0)),
        ),
        Misconception(
            "weight gradient still transposed",
            "It looks as if the bias gradient is mended and the weight gradient is still (in, out).",
            "Ask yourself: with a square weight the shapes agree; do the values?",
            changed_gradients(grad_weight=lambda g, x, w: x.T @ g),
        ),
        Misconception(
            "bias gradient still averaged",
            "It looks as if the weight gradient is mended and the bias gradient is still a mean over the batch.",
            "Ask yourself: by which factor is it smaller than a numerical gradient, and what has that factor to do "
            "with N?",
            changed_gradients(grad_bias=lambda g, x, w: g.mean(axis=0)),
        ),
        Misconception(
            "weight gradient reshaped instead of transposed",
            "It looks as if you reshaped the weight gradient until its shape was right. "
            "The numbers are in the wrong places.",
            "Ask yourself: which product gives (out, in) at once, without a reshape?",
            changed_gradients(grad_weight=lambda g, x, w: (x.T @ g).reshape(w.shape)),
        ),
        Misconception(
            "both gradients averaged",
            "It looks as if you made the two agree by averaging the weight gradient as well.",
            "Ask yourself: which of the two does a numerical gradient agree with, the sum or the mean?",
            changed_gradients(grad_weight=lambda g, x, w: g.T @ x / len(x), grad_bias=lambda g, x, w: g.mean(axis=0)),
        ),
    ),
)
