"""The backward pass of a convolution, and the ways in which it goes wrong: for the exercises that ask for it."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.convolving import convolution_inputs
from course_utils.checks._convolution.geometry import pad, pair, right, slide
from course_utils.checks.describe import one_of, tensor, through

GRADIENTS = ("grad_x", "grad_weight", "grad_bias")


def convolution_gradients(grad_out, x, weight, stride=1, padding=0):
    """The gradients of sum(grad_out * out), by PyTorch."""
    import torch

    leaves = tensor(x, True), tensor(weight, True), tensor(np.zeros(len(weight)), True)
    out = torch.nn.functional.conv2d(*leaves, pair(stride), pair(padding))
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(out, leaves, tensor(grad_out)))


def call_conv2d_backward(student, part, grad_out, x, weight, **settings):
    gradients = student(grad_out, x, weight, **settings)
    if part == "all three" or not isinstance(gradients, (tuple, list)) or len(gradients) != 3:
        return gradients
    return {part: gradients[("grad_x", "grad_weight", "grad_bias").index(part)]}


def changed_gradients(**changes):
    """A backward pass that is right but for some gradients, given as functions of all its arguments."""

    def wrong(grad_out, x, weight, stride=1, padding=0):
        inputs = (grad_out, x, weight, pair(stride), pair(padding))
        gradients = dict(zip(GRADIENTS, convolution_gradients(*inputs), strict=True))
        gradients.update((name, change(*inputs)) for name, change in changes.items())
        return tuple(gradients.values())

    return wrong


def changed(**changes):
    """The variant of `changed_gradients` on one part."""
    return through(call_conv2d_backward, changed_gradients(**changes))


def any_of(*functions):
    """`one_of` for backward passes."""
    return one_of(call_conv2d_backward, *functions)


def uncropped(grad_out, x, weight, stride, padding):
    """The gradient of the padded image."""
    (ph, pw) = padding
    return convolution_gradients(grad_out, pad(x, ph, ph, pw, pw), weight, stride)[0]


def cropped(grad, x, padding):
    """Without the border."""
    (ph, pw), (height, width) = padding, x.shape[2:]
    return grad[:, :, ph : ph + height, pw : pw + width]


def last_tap_wins(grad_out, x, weight, stride, padding):
    """grad_x with = for +=, in loops over the places of the kernel."""
    (sh, sw), (rows, columns) = stride, grad_out.shape[2:]
    grad = np.zeros_like(uncropped(grad_out, x, weight, stride, padding))
    for i, j in np.ndindex(weight.shape[2:]):
        share = np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
        grad[:, :, i : i + sh * rows : sh, j : j + sw * columns : sw] = share
    return cropped(grad, x, padding)


def last_window_wins(grad_out, x, weight, stride, padding):
    """grad_x with = for +=, in loops over the windows."""
    (sh, sw), (kh, kw) = stride, weight.shape[2:]
    grad = np.zeros_like(uncropped(grad_out, x, weight, stride, padding))
    for r, s in np.ndindex(grad_out.shape[2:]):
        share = np.einsum("no,ocij->ncij", grad_out[:, :, r, s], weight)
        grad[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw] = share
    return cropped(grad, x, padding)


def last_filter_wins(grad_out, x, weight, stride, padding):
    """As `last_window_wins`, with a loop over the filters too."""
    return last_window_wins(grad_out[:, -1:], x, weight[-1:], stride, padding)


def mixed_grad_weight(grad_out, x, weight, stride, padding):
    """grad_weight from grad_out.reshape(O, −1), which mixes images and channels."""
    mixed = grad_out.reshape(len(weight), -1).reshape(len(weight), len(x), *grad_out.shape[2:]).swapaxes(0, 1)
    return convolution_gradients(mixed, x, weight, stride, padding)[1]


def swapped_grad_weight(grad_out, x, weight, stride, padding):
    """grad_weight from rows of grad_out that take the places first and then the images, and pixels the other way."""
    places_first = grad_out.transpose(1, 2, 3, 0).reshape(len(weight), len(x), *grad_out.shape[2:]).swapaxes(0, 1)
    return convolution_gradients(places_first, x, weight, stride, padding)[1]


def first_corner(grad_out, x, weight, stride, padding):
    return uncropped(grad_out, x, weight, stride, padding)[:, :, : x.shape[2], : x.shape[3]]


def cut_with_minus_zero(grad_out, x, weight, stride, padding):
    (ph, pw) = padding
    return uncropped(grad_out, x, weight, stride, padding)[:, :, ph:-ph, pw:-pw]


def _touched_only(grad_out, x, weight, stride, padding):
    """The gradient of the padded image up to the last row and column that a window touches."""
    (sh, sw), (rows, columns), (kh, kw) = stride, grad_out.shape[2:], weight.shape[2:]
    grad = uncropped(grad_out, x, weight, stride, padding)
    return grad[:, :, : (rows - 1) * sh + kh, : (columns - 1) * sw + kw]


def untouched_left_out(grad_out, x, weight, stride, padding):
    """grad_x from a full convolution of spread gradients, without the last pixels that are in no window."""
    return cropped(_touched_only(grad_out, x, weight, stride, padding), x, padding)


def untouched_left_out_and_cut(grad_out, x, weight, stride, padding):
    """As `untouched_left_out`, with as much cut off below and on the right as above and on the left."""
    (ph, pw), grad = padding, _touched_only(grad_out, x, weight, stride, padding)
    return grad[:, :, ph : grad.shape[2] - ph, pw : grad.shape[3] - pw]


def turned_grad_x(grad_out, x, weight, stride, padding):
    return convolution_gradients(grad_out, x, weight[..., ::-1, ::-1], stride, padding)[0]


def turned_grad_weight(grad_out, x, weight, stride, padding):
    return convolution_gradients(grad_out, x, weight, stride, padding)[1][..., ::-1, ::-1]


def dense_grad_x(grad_out, x, weight, stride, padding):
    """Output column s is taken to come from the window at s, not at s · stride."""
    (ph, pw), (rows, columns), (kh, kw) = padding, grad_out.shape[2:], weight.shape[2:]
    grad = np.zeros((*x.shape[:2], x.shape[2] + 2 * ph, x.shape[3] + 2 * pw))
    for i, j in np.ndindex(kh, kw):
        share = np.einsum("nohw,oc->nchw", grad_out, weight[:, :, i, j])
        grad[:, :, i : i + rows, j : j + columns] += share
    return cropped(grad, x, padding)


def dense_grad_weight(grad_out, x, weight, stride, padding):
    (ph, pw), (rows, columns) = padding, grad_out.shape[2:]
    windows = slide(pad(x, ph, ph, pw, pw), weight.shape[2:])[:, :, :rows, :columns]
    return np.einsum("nohw,nchwij->ocij", grad_out, windows)


def averaged(*which):
    """The gradients at these places are divided by N."""

    def wrong(grad_out, x, weight, **settings):
        gradients = convolution_gradients(grad_out, x, weight, **settings)
        return tuple(g / len(x) if i in which else g for i, g in enumerate(gradients))

    return wrong


def permuted(order):
    return lambda *inputs, **settings: tuple(convolution_gradients(*inputs, **settings)[i] for i in order)


def backward_inputs(rng, part, images, channels, size, outputs, kernel, make=lambda a: a, **settings):
    inputs = convolution_inputs(rng, images, channels, size, outputs, kernel, **settings)
    stride, padding = pair(settings.get("stride", 1)), pair(settings.get("padding", 0))
    rows, columns = right(inputs["x"], kernel, stride, padding, 0.0).shape[2:4]
    grad_out = rng.normal(size=(images, outputs, rows, columns)) + 0.3
    x, weight = make(inputs["x"]), make(inputs["weight"])
    return {"part": part, "grad_out": make(grad_out), "x": x, "weight": weight, **settings}
