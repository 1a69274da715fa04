"""unbroadcast: a gradient summed back to the shape that was broadcast."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided


def summed_back(grad, shape):
    """The gradient that PyTorch gives a tensor of this shape after it was expanded to grad's shape."""
    import torch

    leaf = torch.zeros(tuple(shape), dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(leaf.expand(grad.shape), leaf, tensor(grad))[0].numpy()


def _leading(grad, shape):
    return tuple(range(grad.ndim - len(shape)))


def _stretched(grad, shape):
    extra = grad.ndim - len(shape)
    return tuple(extra + i for i, n in enumerate(shape) if n == 1)


def _leading_kept(grad, shape):
    """Only the ones in `shape` are looked at, and they are counted from the left."""
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def _ones_kept_stretched(grad, shape):
    return grad.sum(axis=_leading(grad, shape))


def _ones_dropped(grad, shape):
    return grad.sum(axis=_leading(grad, shape) + _stretched(grad, shape))


def _axes_move_up(new=False, stretched=False):
    """Sums axis after axis without keepdims, although each sum moves the later axes up: the new ones, or the ones."""

    def wrong(grad, shape):
        try:
            if new:
                for axis in range(grad.ndim - len(shape)):
                    grad = grad.sum(axis=axis)
            else:
                grad = grad.sum(axis=_leading(grad, shape))
            for axis, n in enumerate(shape):
                if n == 1:
                    grad = grad.sum(axis=axis, keepdims=not stretched)
        except np.exceptions.AxisError:
            return Raises("AxisError")
        return grad

    return wrong


def _averaged(grad, shape):
    return summed_back(grad, shape) * (np.prod(shape) / grad.size)


def _first_slice(grad, shape):
    grad = grad[(0,) * (grad.ndim - len(shape))]
    return grad[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


def _from_the_left(grad, shape):
    grad = grad.sum(axis=tuple(range(len(shape), grad.ndim)))
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def _cases(rng):
    def case(aspect, grad_shape, shape, make=lambda array: array):
        return Case(aspect, {"grad": make(rng.normal(size=grad_shape) + 0.5), "shape": shape})

    return [
        case("new leading axes", (4, 3), (3,)),
        case("new leading axes", (3, 3), (3,)),
        case("new leading axes", (5, 2, 3), (3,), strided),
        case("new leading axes", (2, 4, 3), (4, 3)),
        case("stretched axes of one", (4, 3), (4, 1)),
        case("stretched axes of one", (4, 3), (1, 3), strided),
        case("stretched axes of one", (2, 3, 4), (1, 3, 1)),
        case("both at once", (5, 4, 3), (4, 1)),
        case("both at once", (2, 4, 4), (1, 4), strided),
        case("both at once", (2, 5, 4, 3), (1, 4, 1)),
        case("down to a scalar", (3, 2), ()),
        case("down to a scalar", (4,), ()),
        case("axes that were not stretched", (4, 3), (4, 3)),
        case("axes that were not stretched", (6, 1, 3), (1, 3)),
        case("axes that were not stretched", (2, 4, 1), (4, 1), strided),
    ]


unbroadcast = Exercise(
    name="unbroadcast",
    cases=_cases,
    expected=summed_back,
    difficulty=3,
    importance=4,
    minutes=15,
    hints=(
        "Broadcasting copies a number into several places. "
        "Its gradient is the sum of the gradients at all those places.",
        "NumPy lines shapes up from the right. So there are two kinds of axes to sum: new ones in front, "
        "which must vanish, and those where `shape` has a 1, which must stay as a 1.",
        "First sum over axis=tuple(range(grad.ndim − len(shape))). "
        "Then sum over every axis where shape is 1, with keepdims=True.",
    ),
    misconceptions=(
        Misconception(
            "leading axes not summed",
            "It looks as if only the axes of length one are summed. "
            "The axes that broadcasting put in front are still there, or shift the counting.",
            "Ask yourself: a bias of shape (3,) was added to (4, 3); how many axes must your result have?",
            _leading_kept,
        ),
        Misconception(
            "stretched axes not summed",
            "It looks as if only the new axes in front are summed. An axis of length one was stretched as well.",
            "Ask yourself: (4, 1) was broadcast to (4, 3); how often was each of its numbers used?",
            _ones_kept_stretched,
        ),
        Misconception(
            "axes of one dropped",
            "It looks as if the axes of length one have vanished from your result.",
            "Ask yourself: what does keepdims=True change in a sum?",
            _ones_dropped,
        ),
        Misconception(
            "axes of one move up while they are summed",
            "It looks as if you sum the axes of length one by one, without keepdims. "
            "Each sum removes an axis, and all later ones move up by one.",
            "Ask yourself: after grad.sum(axis=0), what is the number of the axis that was axis 2?",
            _axes_move_up(stretched=True),
        ),
        Misconception(
            "new axes move up while they are summed",
            "It looks as if you sum axis 0, then axis 1, and so on. "
            "After the first sum, the next new axis is axis 0 again.",
            "Ask yourself: after grad.sum(axis=0), what is the number of the axis that was axis 1?",
            _axes_move_up(new=True),
        ),
        Misconception(
            "all axes move up while they are summed",
            "It looks as if you count the axes of the gradient that came in, although every sum removes one.",
            "Ask yourself: after grad.sum(axis=0), what is the number of the axis that was axis 1?",
            _axes_move_up(new=True, stretched=True),
        ),
        Misconception(
            "averaged instead of summed",
            "It looks as if you take the mean over the copies.",
            "Ask yourself: if a number is used twice and each use has gradient 1, what happens to the loss when it "
            "grows by 1?",
            _averaged,
        ),
        Misconception(
            "one copy kept, the others dropped",
            "It looks as if you keep the gradient of the first copy and forget the others.",
            "Ask yourself: do the gradients at all copies count, or only one?",
            _first_slice,
        ),
        Misconception(
            "axes matched from the left",
            "It looks as if you line the shapes up at their first axis. Broadcasting lines them up at the last one.",
            "Ask yourself: when (3,) meets (4, 3), which axis of the result do the three numbers run along?",
            _from_the_left,
        ),
    ),
)
