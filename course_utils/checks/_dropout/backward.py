"""dropout_backward: the gradient of inverted dropout, by PyTorch."""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.sampled import nonzero, over
from course_utils.checks.describe import agrees, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def dropout_gradient(grad_out, keep_mask, drop_probability):
    """The gradient of x · mask / (1 − p) at any x, by PyTorch."""
    import torch

    x = torch.zeros(grad_out.shape, dtype=torch.float64, requires_grad=True)
    out = torch.where(tensor(keep_mask) != 0, x / (1 - drop_probability), 0.0)
    return torch.autograd.grad(out, x, tensor(grad_out))[0].numpy()


def by_torch(grad_out, keep_mask, drop_probability):
    """The same gradient without a graph, in the precision of `grad_out`; what experiments use meanwhile."""
    import torch

    kept = torch.as_tensor(np.asarray(keep_mask, dtype=bool))
    return torch.where(kept, torch.as_tensor(grad_out) / (1 - drop_probability), 0.0).numpy()


def backward_case(rng, aspect, shape, p, make=lambda array: array, kind=float):
    """A gradient without zeros, and a mask that keeps and drops something (and something else than that)."""
    mask = rng.random(shape) >= p
    if p > 0:
        mask.flat[:2] = True, False
    return Case(
        aspect,
        {"grad_out": make(nonzero(rng, *shape)), "keep_mask": make(mask.astype(kind)), "drop_probability": p},
    )


def _cases(rng):
    return [
        backward_case(rng, "gradient", (8, 10), 0.2),
        backward_case(rng, "gradient", (7, 5), 0.7),
        backward_case(rng, "any shape", (2, 3, 4, 5), 0.3, make=strided),
        backward_case(rng, "any shape", (90,), 0.2, make=strided),
        backward_case(rng, "any shape", (3, 4), 0.0),
        backward_case(rng, "masks of booleans", (9, 10), 0.2, kind=bool),
        backward_case(rng, "masks of booleans", (3, 2, 2, 4), 0.7, make=strided, kind=bool),
    ]


def resampled(grad_out, keep_mask, drop_probability, got) -> bool:
    """Whether a result is the gradient for some other mask: not for the given one, and for none made of it."""
    if not isinstance(got, np.ndarray) or got.shape != grad_out.shape:
        return False
    used = got != 0
    kept = np.asarray(keep_mask, dtype=bool)
    made_of_it = kept, ~kept, kept[0], kept[-1], kept.all(axis=0), kept.any(axis=0)
    if used.all() or not used.any() or any((used == mask).all() for mask in made_of_it):
        return False
    return agrees(grad_out * used / (1 - drop_probability), got)


dropout_backward = Exercise(
    name="dropout_backward",
    cases=_cases,
    expected=dropout_gradient,
    stand_in=lambda: by_torch,
    outputs=("grad_x",),
    difficulty=1,
    importance=5,
    minutes=5,
    hints=(
        "out = x · keep_mask / (1 − p). For each element, by which number is x multiplied?",
        "That number is the derivative. It is 0 where the element was dropped and above 1 where it was kept. Nothing "
        "is drawn again.",
        "grad_x = grad_out * keep_mask / (1 - drop_probability).",
    ),
    misconceptions=(
        Misconception(
            "scale forgotten",
            "It looks as if you mask the gradient and do not divide by 1 − p.",
            "Ask yourself: if x grows by 1 and is kept, by how much does out grow?",
            lambda grad_out, keep_mask, drop_probability: grad_out * keep_mask,
        ),
        Misconception(
            "mask forgotten",
            "It looks as if you scale the gradient and do not mask it.",
            "Ask yourself: what does the loss notice when an element of x that was dropped is changed?",
            lambda grad_out, keep_mask, drop_probability: grad_out / (1 - drop_probability),
        ),
        Misconception(
            "gradient passed on unchanged",
            "It looks as if grad_x is grad_out: the backward pass knows nothing of dropout.",
            "Ask yourself: what does the loss notice when an element of x that was dropped is changed?",
            lambda grad_out, keep_mask, drop_probability: grad_out * 1.0,
        ),
        Misconception(
            "divided by p",
            "It looks as if you divide by p, the probability of dropping.",
            "Ask yourself: by which number was a kept x multiplied in the forward pass?",
            lambda grad_out, keep_mask, drop_probability: grad_out * keep_mask * over(drop_probability),
        ),
        Misconception(
            "multiplied by 1 − p",
            "It looks as if you multiply by 1 − p where the forward pass divided by it.",
            "Ask yourself: the derivative of c · x is c; what is c here?",
            lambda grad_out, keep_mask, drop_probability: grad_out * keep_mask * (1 - drop_probability),
        ),
        Misconception(
            "scaled twice",
            "It looks as if you divide by (1 − p)².",
            "Ask yourself: how often was x divided by 1 − p on its way to out?",
            lambda grad_out, keep_mask, drop_probability: grad_out * keep_mask / (1 - drop_probability) ** 2,
        ),
        Misconception(
            "mask turned round",
            "It looks as if the gradient goes to the elements that were dropped.",
            "Ask yourself: does keep_mask hold 1 where x was kept, or where it was dropped?",
            lambda grad_out, keep_mask, drop_probability: (
                grad_out * ~np.asarray(keep_mask, dtype=bool) / (1 - drop_probability)
            ),
        ),
        Misconception(
            "backward draws a new mask",
            "It looks as if the backward pass draws a mask of its own. The elements it drops are not those that the "
            "forward pass dropped.",
            "Ask yourself: which network gave the output whose gradient you compute?",
            matches=lambda case, outputs: resampled(**case.inputs, got=outputs),
        ),
    ),
)
