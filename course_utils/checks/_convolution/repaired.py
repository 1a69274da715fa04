"""repaired_conv2d_backward: the backward pass of a convolution with two bugs that has to be mended."""

from __future__ import annotations

from course_utils.checks._convolution.gradients import (
    GRADIENTS,
    any_of,
    averaged,
    backward_inputs,
    call_conv2d_backward,
    changed,
    convolution_gradients,
    last_tap_wins,
    mixed_grad_weight,
    swapped_grad_weight,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _cases(rng):
    # The broken code must earn nothing: windows overlap wherever grad_x is judged, and N > 1 where grad_weight is.
    def case(aspect, part, *shapes, **more):
        return Case(aspect, backward_inputs(rng, part, *shapes, **more))

    return [
        case("gradient of x", "grad_x", 1, 2, (4, 5), 3, (2, 3)),
        case("gradient of x", "grad_x", 2, 3, (6, 5), 2, (3, 2), stride=(2, 1), make=strided),
        case("gradient of the weights", "grad_weight", 2, 2, (4, 6), 3, (2, 2), stride=2),
        case("gradient of the weights", "grad_weight", 3, 3, (5, 4), 2, (3, 2), make=strided),
        case("padding", "grad_x", 1, 2, (4, 5), 3, (3, 3), padding=1),
        case("padding", "grad_weight", 2, 2, (4, 4), 2, (2, 2), stride=2, padding=1),
        case("padding", "grad_x", 2, 2, (3, 5), 3, (2, 3), padding=(1, 2), make=strided),
        case("all three together", "all three", 2, 2, (5, 4), 3, (3, 2)),
        case("all three together", "all three", 3, 2, (7, 5), 4, (3, 3), stride=2, padding=1, make=strided),
    ]


repaired_conv2d_backward = Exercise(
    name="repaired_conv2d_backward",
    cases=_cases,
    call=call_conv2d_backward,
    expected=through(call_conv2d_backward, convolution_gradients),
    stand_in=lambda: convolution_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    difficulty=3,
    importance=3,
    minutes=15,
    hints=(
        "Do not read the code first: measure. Compare each gradient with a numerical one, for one image and for two, "
        "with a stride as large as the kernel and with a smaller one.",
        "grad_weight is right for one image and wrong for two. grad_x is right where windows lie side by side, and "
        "wrong where they overlap. Each has one bug of its own.",
        "grad_out is (N, O, OH, OW): the channels must come first, by transpose(1, 0, 2, 3), before a reshape can give "
        "one row for each. A pixel in several windows collects a gradient from each: += where the code has =.",
    ),
    misconceptions=(
        Misconception(
            "both bugs still there",
            "It looks as if the function still computes what the broken one did.",
            "Ask yourself: for which N, and for which strides, does it agree with a numerical gradient?",
            changed(grad_x=last_tap_wins, grad_weight=mixed_grad_weight),
        ),
        Misconception(
            "overlaps still overwritten",
            "It looks as if grad_weight is mended, and grad_x is still wrong where windows overlap.",
            "Ask yourself: a pixel lies in several windows; what does the line that fills grad_padded do the second "
            "time it gets there?",
            changed(grad_x=last_tap_wins),
        ),
        Misconception(
            "images and channels still mixed up",
            "It looks as if grad_x is mended, and grad_weight is still wrong for more than one image.",
            "Ask yourself: with two images, what follows channel 0 of image 0 in memory?",
            changed(grad_weight=mixed_grad_weight),
        ),
        Misconception(
            "pixels in another order than the gradients",
            "It looks as if the rows of grad_out and the columns of pixels walk through images and places in different "
            "orders.",
            "Ask yourself: to which image and place does number 1 of a row belong, and number 1 of a column?",
            changed(grad_weight=swapped_grad_weight),
        ),
        Misconception(
            "averaged over the batch",
            "It looks as if you divide by the number of images N. A numerical gradient does not.",
            "Ask yourself: does the gap to a numerical gradient grow with N, and by which factor?",
            matches=any_of(averaged(1), averaged(1, 2), averaged(0, 1, 2)),
        ),
    ),
)
