"""batchnorm_backward and batchnorm2d_backward."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.gradients import (
    any_of,
    backward_inputs,
    backward_misconceptions,
    changed,
    grad_x_for,
    numerical_cases,
    whole,
)
from course_utils.checks._batchnorm.normalizing import (
    GRADIENTS,
    ROUNDING,
    batchnorm_gradients,
    call_batchnorm_backward,
    changed_gradients,
    with_count,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided


def _cases(rng):
    cases = []
    for part in GRADIENTS:
        cases += [
            Case(part, backward_inputs(rng, part, (6, 4))),
            Case(part, backward_inputs(rng, part, (4, 7), make=strided)),
        ]
    return [
        *cases,
        whole(rng, "all three together", (7, 3), None),
        whole(rng, "all three together", (5, 5), None, make=strided),
        *numerical_cases(rng, (6, 3), (5, 4)),
    ]


batchnorm_backward = Exercise(
    name="batchnorm_backward",
    cases=_cases,
    call=call_batchnorm_backward,
    expected=through(call_batchnorm_backward, batchnorm_gradients),
    stand_in=lambda: batchnorm_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    atol=ROUNDING,
    builds_on=("batchnorm_forward",),
    difficulty=5,
    importance=5,
    minutes=40,
    hints=(
        "Draw the graph first: x → mean, x − mean → variance, and all of them → x̂ → out. x reaches the loss on three "
        "paths, and grad_x is the sum of what comes back on each.",
        "∂L/∂x̂ = γ · grad_out is (N, D). Through the variance comes back a multiple of x̂, through the mean a "
        "constant: each is one number for each feature, a mean over the batch. A check: with these two terms the "
        "columns of grad_x add up to 0, and so do those of grad_x · x̂ (up to epsilon).",
        "With dx_hat = gamma * grad_out: "
        "grad_x = (dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)) / std. "
        "And grad_gamma = (grad_out * x_hat).sum(axis=0), grad_beta = grad_out.sum(axis=0).",
    ),
    misconceptions=(
        *backward_misconceptions("batch"),
        Misconception(
            "along axis 1",
            "It looks as if everything runs over the features of one example. Batch norm looks at one feature over "
            "the batch.",
            "Ask yourself: which axis of x counts the examples?",
            changed(axes=lambda x: 1),
        ),
    ),
)


# --- batchnorm2d_backward ---------------------------------------------------------------------------------------


def _along_the_width(grad_out, x, gamma, epsilon=1e-5):
    """gamma as it is meets the last axis, in grad_x alone."""
    if x.shape[3] not in (1, len(gamma)):
        return Raises("ValueError")
    return changed_gradients(grad_x=lambda p: grad_x_for(p, gamma * p.grad_out))(grad_out, x, gamma, epsilon)


def _along_the_width_variant(part, grad_out, x, gamma, **settings):
    found = _along_the_width(grad_out, x, gamma, **settings)
    return found if isinstance(found, Raises) or part == "all three" else {part: found[GRADIENTS.index(part)]}


def mixed_by_reshape(grad_out, x, gamma, epsilon=1e-5):
    """Rows of C numbers that follow each other in memory, which are pixels of one channel."""
    rows = (np.ascontiguousarray(array).reshape(-1, len(gamma)) for array in (grad_out, x))
    grad_x, grad_gamma, grad_beta = changed_gradients()(*rows, gamma, epsilon)
    return grad_x.reshape(x.shape), grad_gamma, grad_beta


def _cases_2d(rng):
    cases = []
    for part in GRADIENTS:
        cases += [
            Case(part, backward_inputs(rng, part, (2, 4, 3, 5))),
            Case(part, backward_inputs(rng, part, (3, 3, 2, 3), make=strided)),
        ]
    return [
        *cases,
        whole(rng, "all three together", (2, 3, 4, 2), None, make=strided),
        whole(rng, "all three together", (1, 2, 3, 4), None),
        whole(rng, "all three together", (5, 3, 1, 2), None),
        *numerical_cases(rng, (2, 3, 3, 2), (3, 2, 2, 4)),
    ]


batchnorm2d_backward = Exercise(
    name="batchnorm2d_backward",
    cases=_cases_2d,
    call=call_batchnorm_backward,
    expected=through(call_batchnorm_backward, batchnorm_gradients),
    stand_in=lambda: batchnorm_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    atol=ROUNDING,
    builds_on=("batchnorm_backward", "batchnorm2d_forward"),
    difficulty=4,
    importance=4,
    minutes=25,
    hints=(
        "Nothing new is differentiated. The pixels of a channel are just more examples of one feature: there are "
        "N·H·W of them.",
        "Sums and means run over axes 0, 2 and 3. Either keep these axes where the result must meet "
        "(N, C, H, W), or move the channels to the end: x.transpose(0, 2, 3, 1).reshape(-1, C) has the shape that "
        "batchnorm_backward takes.",
        "grad_beta = grad_out.sum(axis=(0, 2, 3)), grad_gamma likewise with x_hat, both (C,). With m = N·H·W: "
        "grad_x = gamma[:, None, None] / std * (grad_out - (grad_beta[:, None, None] + x_hat * "
        "grad_gamma[:, None, None]) / m).",
    ),
    misconceptions=(
        *backward_misconceptions("batch and its pixels"),
        Misconception(
            "N where N·H·W belongs",
            "It looks as if the sums in grad_x are divided by the number of images alone.",
            "Ask yourself: how many numbers share one mean?",
            changed(grad_x=with_count(len)),
        ),
        Misconception(
            "H·W where N·H·W belongs",
            "It looks as if the sums in grad_x are divided by the number of pixels of one image.",
            "Ask yourself: how many numbers share one mean?",
            changed(grad_x=with_count(lambda x: x.shape[2] * x.shape[3])),
        ),
        Misconception(
            "the channels counted too",
            "It looks as if the sums in grad_x are divided by all of x.size. Each channel has its own mean.",
            "Ask yourself: how many numbers share one mean?",
            changed(grad_x=with_count(lambda x: x.size)),
        ),
        Misconception(
            "averaged over the images alone",
            "It looks as if every pixel has a mean and a variance of its own, taken over the images.",
            "Ask yourself: which shapes have gamma and grad_gamma?",
            matches=any_of(
                changed_gradients(axes=lambda x: 0),
                changed_gradients(
                    axes=lambda x: 0,
                    grad_gamma=lambda p: (p.grad_out * p.x_hat).sum(axis=(0, 2, 3)),
                    grad_beta=lambda p: p.grad_out.sum(axis=(0, 2, 3)),
                ),
            ),
        ),
        Misconception(
            "every image by itself",
            "It looks as if the statistics are those of one image. That is instance norm.",
            "Ask yourself: do the other images of the batch change grad_x of this one?",
            matches=any_of(
                changed_gradients(
                    axes=lambda x: (2, 3),
                    grad_gamma=lambda p: (p.grad_out * p.x_hat).sum(axis=(0, 2, 3)),
                    grad_beta=lambda p: p.grad_out.sum(axis=(0, 2, 3)),
                )
            ),
        ),
        Misconception(
            "gradients of gamma and beta for each pixel",
            "It looks as if grad_gamma and grad_beta are summed over the images alone and keep the pixels.",
            "Ask yourself: could you subtract this gradient from gamma?",
            changed(
                grad_gamma=lambda p: (p.grad_out * p.x_hat).sum(axis=0), grad_beta=lambda p: p.grad_out.sum(axis=0)
            ),
        ),
        Misconception(
            "gamma along the width",
            "It looks as if gamma, of shape (C,), is used as it is. NumPy lines it up with the last axis, the width.",
            "Ask yourself: which shape must gamma have to broadcast along axis 1 of (N, C, H, W)?",
            _along_the_width_variant,
        ),
        Misconception(
            "reshaped without moving the channels",
            "It looks as if you reshape to (−1, C). The channels are not the last axis, so pixels of one channel end "
            "up in different columns.",
            "Ask yourself: for x of shape (1, 2, 2, 2), which numbers are in row 0 of x.reshape(-1, 2)?",
            matches=any_of(mixed_by_reshape),
        ),
    ),
)
