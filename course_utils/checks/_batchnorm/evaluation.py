"""batchnorm_eval_backward: the gradient of x where the statistics are fixed numbers."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.normalizing import beside_the_root, fixed_epsilon, no_root, root, without_epsilon
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def eval_gradient(grad_out, gamma, running_var, epsilon=1e-5):
    """The gradient of x in evaluation, by PyTorch."""
    import torch

    x, zeros = tensor(np.zeros(grad_out.shape), True), tensor(np.zeros(len(gamma)))
    out = torch.nn.functional.batch_norm(x, zeros, tensor(running_var), tensor(gamma), zeros, False, eps=epsilon)
    return torch.autograd.grad(out, x, tensor(grad_out))[0].numpy()


def _changed(spread=root, after=lambda grad: grad, scale=lambda grad_out, gamma, std: grad_out * gamma / std):
    """The gradient in evaluation with one idea exchanged."""

    def wrong(grad_out, gamma, running_var, epsilon=1e-5):
        return after(scale(grad_out, gamma, spread(running_var, epsilon)))

    return wrong


def _eval_cases(rng):
    def case(aspect, examples, features, low=0.3, high=4.0, make=lambda array: array, **settings):
        made = {"grad_out": make(rng.normal(size=(examples, features)) + 0.7)}
        made["gamma"] = rng.uniform(0.3, 2.5, features) * np.where(np.arange(features) == 1, -1, 1)
        return Case(aspect, {**made, "running_var": rng.uniform(low, high, features), **settings})

    return [
        case("a batch", 5, 3, 1e5, 1e6),
        case("a batch", 4, 6, 1e5, 1e6, make=strided),
        case("one example", 1, 4, 1e5, 1e6),
        case("one example", 1, 7, 1e5, 1e6),
        case("epsilon", 4, 3, epsilon=0.3),
        case("epsilon", 3, 4),
        case("epsilon", 3, 5, 1e-7, 1e-5),
    ]


batchnorm_eval_backward = Exercise(
    name="batchnorm_eval_backward",
    cases=_eval_cases,
    expected=eval_gradient,
    outputs=("grad_x",),
    difficulty=1,
    importance=4,
    minutes=8,
    hints=(
        "In evaluation the mean and the variance are constants. What is left of batch norm is a scale and a shift for "
        "each feature.",
        "out = a · x + c with one a for each feature, of shape (D,). The gradient of x is grad_out times a.",
        "a is gamma / np.sqrt(running_var + epsilon).",
    ),
    misconceptions=(
        Misconception(
            "as if in training",
            "It looks as if the mean of grad_out is subtracted. In evaluation the mean of the batch plays no part.",
            "Ask yourself: does the output for one example depend on the others here?",
            _changed(after=lambda grad: grad - grad.mean(axis=0)),
        ),
        Misconception(
            "gamma left out",
            "It looks as if the gradient does not depend on gamma.",
            "Ask yourself: when gamma is doubled, how much more does a step in x change out?",
            _changed(scale=lambda grad_out, gamma, std: grad_out / std),
        ),
        Misconception(
            "gamma alone",
            "It looks as if the gradient is gamma · grad_out. x was divided by the standard deviation too.",
            "Ask yourself: with a running variance of 100, how much does a step of 1 in x change x̂?",
            _changed(scale=lambda grad_out, gamma, std: grad_out * gamma),
        ),
        Misconception(
            "divided by gamma",
            "It looks as if you undo the layer: you divide by what the forward pass multiplied by, or the other way "
            "round.",
            "Ask yourself: out = a · x. Is ∂L/∂x the gradient of out times a, or divided by a?",
            matches=one_of(
                call_directly,
                _changed(scale=lambda grad_out, gamma, std: grad_out / gamma * std),
                _changed(scale=lambda grad_out, gamma, std: grad_out / gamma / std),
                _changed(scale=lambda grad_out, gamma, std: grad_out * gamma * std),
            ),
        ),
        Misconception(
            "variance without a root",
            "It looks as if you divide by running_var itself.",
            "Ask yourself: by what did the forward pass divide?",
            _changed(spread=no_root),
        ),
        Misconception(
            "epsilon beside the root",
            "It looks as if epsilon is added to the square root. It belongs to the variance, under the root.",
            "Ask yourself: which of √v + ε and √(v + ε) does the formula say?",
            _changed(spread=beside_the_root),
        ),
        Misconception(
            "epsilon left out",
            "It looks as if nothing is added to the variance.",
            "Ask yourself: by what did the forward pass divide?",
            _changed(spread=without_epsilon),
        ),
        Misconception(
            "epsilon fixed",
            "It looks as if epsilon is always 1e-5. It is an argument.",
            "Ask yourself: does your code use the argument, or a number written into it?",
            _changed(spread=fixed_epsilon),
        ),
        Misconception(
            "averaged over the batch",
            "It looks as if you divide by the number of examples. If the loss is a mean, grad_out has that already.",
            "Ask yourself: does out[n, d] itself contain a division by N?",
            lambda grad_out, **more: eval_gradient(grad_out, **more) / len(grad_out),
        ),
        Misconception(
            "summed over the batch",
            "It looks as if the gradient is summed over the batch. Every example has an x of its own.",
            "Ask yourself: which shape does x have?",
            _changed(after=lambda grad: grad.sum(axis=0)),
        ),
    ),
)
