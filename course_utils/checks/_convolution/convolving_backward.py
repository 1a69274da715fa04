"""conv2d_backward."""

from __future__ import annotations

from itertools import permutations

from course_utils.checks._convolution.geometry import STRIDE_IN_SIZE_ONLY, no_pairs
from course_utils.checks._convolution.gradients import (
    GRADIENTS,
    any_of,
    averaged,
    backward_inputs,
    call_conv2d_backward,
    changed,
    changed_gradients,
    convolution_gradients,
    cut_with_minus_zero,
    dense_grad_weight,
    dense_grad_x,
    first_corner,
    last_filter_wins,
    last_tap_wins,
    last_window_wins,
    mixed_grad_weight,
    permuted,
    turned_grad_weight,
    turned_grad_x,
    uncropped,
    untouched_left_out,
    untouched_left_out_and_cut,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _cases(rng):
    def case(aspect, part, *shapes, **more):
        return Case(aspect, backward_inputs(rng, part, *shapes, **more))

    def each(aspect, *shapes, **more):
        return [case(aspect, part, *shapes, **more) for part in ("grad_x", "grad_weight")]

    return [
        case("grad_x", "grad_x", 2, 2, (4, 5), 3, (2, 3)),
        case("grad_x", "grad_x", 3, 3, (5, 4), 2, (3, 2), make=strided),
        case("grad_weight", "grad_weight", 2, 2, (4, 5), 3, (2, 3)),
        case("grad_weight", "grad_weight", 3, 3, (5, 4), 2, (3, 2), make=strided),
        case("grad_bias", "grad_bias", 2, 3, (4, 4), 2, (2, 2)),
        case("grad_bias", "grad_bias", 3, 2, (4, 5), 3, (2, 3)),
        case("grad_bias", "grad_bias", 4, 2, (4, 5), 4, (2, 3), stride=2, padding=1, make=strided),
        *each("stride", 2, 2, (7, 5), 3, (3, 3), stride=2),
        *each("stride", 2, 3, (6, 8), 2, (2, 3), stride=3),  # the last pixels are in no window
        *each("padding", 2, 2, (4, 5), 3, (3, 3), padding=1),
        *each("padding", 2, 2, (6, 4), 3, (2, 3), padding=2, stride=2, make=strided),
        case("all three, pairs", "all three", 2, 2, (7, 6), 3, (3, 2), stride=(1, 2), padding=(0, 2)),
        case("all three, pairs", "all three", 3, 3, (6, 8), 2, (2, 3), stride=(2, 1), padding=(1, 0), make=strided),
        case("all three, pairs", "all three", 2, 2, (5, 7), 3, (3, 3), stride=(2, 3), padding=(2, 1)),
    ]


conv2d_backward = Exercise(
    name="conv2d_backward",
    cases=_cases,
    call=call_conv2d_backward,
    expected=through(call_conv2d_backward, convolution_gradients),
    stand_in=lambda: convolution_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    builds_on=("im2col", "conv2d_forward"),
    difficulty=4,
    importance=5,
    minutes=40,
    hints=(
        "In the forward pass every product multiplies one weight by one pixel and goes to one output. In the backward "
        "pass it gives output's gradient times the pixel to the weight, and output's gradient times the weight to the "
        "pixel. Loop over the products as in the forward pass, and add up.",
        "For a place (i, j) of the kernel, weight[:, :, i, j] meets the pixels padded[:, :, i : i + sh*OH : sh, "
        "j : j + sw*OW : sw]. These are (N, C, OH, OW), as many as grad_out (N, O, OH, OW) has places. "
        "One product sums over N, OH and OW, the other over O. In the end cut the padding off.",
        "With that slice called touched: grad_weight[:, :, i, j] = np.einsum('nohw,nchw->oc', grad_out, "
        "padded[touched]) and grad_padded[touched] += np.einsum('nohw,oc->nchw', grad_out, weight[:, :, i, j]). "
        "grad_bias = grad_out.sum(axis=(0, 2, 3)).",
    ),
    misconceptions=(
        Misconception(
            "overlaps overwritten",
            "It looks as if a pixel in several windows keeps only one of its gradients: = where += belongs.",
            "Ask yourself: in how many windows does a pixel in the middle of the image lie?",
            matches=any_of(
                changed_gradients(grad_x=last_tap_wins),
                changed_gradients(grad_x=last_window_wins),
                changed_gradients(grad_x=last_filter_wins),
            ),
        ),
        Misconception(
            "kernel flipped",
            "It looks as if the kernel is turned by 180° where it should not be, or not turned where it should.",
            "Ask yourself: output r used row r + i of the image with weight i; which weight brings its gradient back "
            "to row r + i?",
            matches=any_of(
                changed_gradients(grad_x=turned_grad_x),
                changed_gradients(grad_weight=turned_grad_weight),
                changed_gradients(grad_x=turned_grad_x, grad_weight=turned_grad_weight),
            ),
        ),
        Misconception(
            STRIDE_IN_SIZE_ONLY,
            "It looks as if gradients go to windows one pixel apart, whatever the stride.",
            "Ask yourself: which columns of the image did output column 1 see when the stride was 2?",
            matches=any_of(
                changed_gradients(grad_x=dense_grad_x),
                changed_gradients(grad_weight=dense_grad_weight),
                changed_gradients(grad_x=dense_grad_x, grad_weight=dense_grad_weight),
            ),
        ),
        Misconception(
            "images and channels mixed up",
            "It looks as if grad_out is reshaped to one row for each output channel while the images stand in front.",
            "Ask yourself: with two images, what follows channel 0 of image 0 in memory?",
            changed(grad_weight=mixed_grad_weight),
        ),
        Misconception(
            "pixels in no window left out",
            "It looks as if grad_x ends at the last pixel that a window touches. The rest of x has gradients too: 0.",
            "Ask yourself: size 6, kernel 2, stride 3: which rows are in no window, and which shape must grad_x have?",
            matches=any_of(
                changed_gradients(grad_x=untouched_left_out),
                changed_gradients(grad_x=untouched_left_out_and_cut),
            ),
        ),
        Misconception(
            "padding left on",
            "It looks as if grad_x still has the padding around it.",
            "Ask yourself: which shape does x have, and which the padded image?",
            changed(grad_x=uncropped),
        ),
        Misconception(
            "padding cut off at one end",
            "It looks as if the padding is cut off below and on the right only, twice as much of it.",
            "Ask yourself: in which row of the padded image does row 0 of x stand?",
            changed(grad_x=first_corner),
        ),
        Misconception(
            "cut with −0",
            "It looks as if the padding is cut off by a slice p:-p. With p = 0 that is 0:0, and nothing is left.",
            "Ask yourself: what is np.arange(5)[0:-0], and which slice uses the height of x instead?",
            changed(grad_x=cut_with_minus_zero),
        ),
        Misconception(
            "averaged over the batch",
            "It looks as if you divide by the number of images N. "
            "If the loss is a mean, grad_out has that 1/N already.",
            "Ask yourself: does out[n, o, r, s] itself contain a division by N?",
            matches=any_of(averaged(1, 2), averaged(0, 1, 2), averaged(1), averaged(2)),
        ),
        Misconception(
            "bias gradient summed to one number",
            "It looks as if grad_bias adds up all of grad_out. Each output channel has a bias of its own.",
            "Ask yourself: which elements of out does bias[0] touch?",
            changed(grad_bias=lambda grad_out, *inputs: grad_out.sum()),
        ),
        Misconception(
            "bias gradient only over the batch",
            "It looks as if grad_bias sums over the images and not over the places of the output.",
            "Ask yourself: at how many places of the output is bias[0] added?",
            changed(grad_bias=lambda grad_out, *inputs: grad_out.sum(axis=0)),
        ),
        Misconception(
            "bias gradient for each image",
            "It looks as if grad_bias sums over the places of the output and not over the images.",
            "Ask yourself: is there one bias for each image?",
            changed(grad_bias=lambda grad_out, *inputs: grad_out.sum(axis=(2, 3))),
        ),
        Misconception(
            "bias gradient averaged over places",
            "It looks as if grad_bias is a mean over the places of the output instead of a sum.",
            "Ask yourself: if two places both push a bias by 1, how large is the total push?",
            matches=any_of(
                changed_gradients(grad_bias=lambda grad_out, *inputs: grad_out.mean(axis=(2, 3)).sum(axis=0)),
                changed_gradients(grad_bias=lambda grad_out, *inputs: grad_out.mean(axis=(0, 2, 3))),
            ),
        ),
        Misconception(
            "right values, other order",
            "It looks as if the three gradients are right and come in another order.",
            "Ask yourself: in which order does the task name the results?",
            matches=any_of(*map(permuted, list(permutations(range(3)))[1:])),
        ),
        no_pairs(through(call_conv2d_backward, convolution_gradients)),
    ),
)
