"""repaired_batchnorm2d_backward: a backward pass with two bugs that has to be mended."""

from __future__ import annotations

from course_utils.checks._batchnorm.forward import SCALE, inputs
from course_utils.checks._batchnorm.gradients import backward_inputs, changed, gamma_on_one_term
from course_utils.checks._batchnorm.normalizing import (
    GRADIENTS,
    batchnorm_gradients,
    call_batchnorm_backward,
    right_grad_x,
    with_count,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _broken(p):
    """What the broken code does: both bugs."""
    return gamma_on_one_term(p, p.count / len(p.x))


def _cases(rng):
    # The broken code must earn nothing: grad_x is judged wherever there are several pixels, or gammas other than 1.
    def case(aspect, part, shape, affine=True, **more):
        made = inputs(rng, shape, spread=SCALE, affine=affine)
        return Case(aspect, backward_inputs(rng, part, shape, made, **more))

    return [
        case("several pixels", "grad_x", (2, 3, 4, 5), affine=False),
        case("several pixels", "grad_x", (3, 2, 1, 4), affine=False, make=strided),
        case("several pixels", "grad_x", (1, 3, 3, 2), affine=False),
        case("gamma", "grad_x", (6, 3, 1, 1)),
        case("gamma", "grad_x", (5, 4, 1, 1), make=strided),
        case("pixels and gamma", "grad_x", (2, 4, 3, 5)),
        case("pixels and gamma", "grad_x", (3, 3, 2, 3), epsilon=0.3, make=strided),
        case("all three together", "all three", (2, 3, 5, 3)),
        case("all three together", "all three", (4, 2, 2, 3), make=strided),
    ]


repaired_batchnorm2d_backward = Exercise(
    name="repaired_batchnorm2d_backward",
    cases=_cases,
    call=call_batchnorm_backward,
    expected=through(call_batchnorm_backward, batchnorm_gradients),
    stand_in=lambda: batchnorm_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    difficulty=3,
    importance=3,
    minutes=15,
    hints=(
        "Do not read the code first: measure. Compare each gradient with a numerical one, for images of one pixel and "
        "of several, with gamma = 1 and with other gammas.",
        "grad_gamma and grad_beta are right. grad_x is wrong as soon as an image has more than one pixel, and as soon "
        "as a gamma is not 1. These are two bugs.",
        "count must say how many numbers share one mean: x.size // x.shape[1]. And gamma multiplies all three terms: "
        "g * (count * grad_out - b - x_hat * s) / (count * std).",
    ),
    misconceptions=(
        Misconception(
            "both bugs still there",
            "It looks as if grad_x is still what the broken function computed.",
            "Ask yourself: for which images, and for which gammas, does it agree with a numerical gradient?",
            changed(grad_x=_broken),
        ),
        Misconception(
            "still divided by the number of images",
            "It looks as if gamma is mended, and the sums are still divided by the number of images alone.",
            "Ask yourself: how many numbers share one mean when an image has several pixels?",
            changed(grad_x=with_count(len)),
        ),
        Misconception(
            "gamma still before one term",
            "It looks as if the count is mended, and gamma still multiplies the first of the three terms alone.",
            "Ask yourself: are the sums that come back through mean and variance sums of ∂L/∂out or of ∂L/∂x̂?",
            changed(grad_x=gamma_on_one_term),
        ),
        Misconception(
            "pixels counted without the images",
            "It looks as if the sums are divided by the number of pixels of one image.",
            "Ask yourself: how many numbers share one mean when there are several images?",
            changed(grad_x=with_count(lambda x: x.shape[2] * x.shape[3])),
        ),
        Misconception(
            "channels counted too",
            "It looks as if the sums are divided by all of x.size. Each channel has a mean of its own.",
            "Ask yourself: how many numbers share one mean when there are several channels?",
            changed(grad_x=with_count(lambda x: x.size)),
        ),
        Misconception(
            "gamma removed",
            "It looks as if gamma is gone from grad_x altogether.",
            "Ask yourself: when gamma is doubled, what happens to out, and to the gradient of x?",
            changed(grad_x=lambda p: right_grad_x(p) / p.gamma),
        ),
        Misconception(
            "gamma twice",
            "It looks as if the sums got a gamma, and the whole got one more.",
            "Ask yourself: when gamma is doubled, by how much does grad_x grow?",
            changed(grad_x=lambda p: right_grad_x(p) * p.gamma),
        ),
    ),
)
