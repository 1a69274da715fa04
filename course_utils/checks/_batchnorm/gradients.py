"""The backward pass of batch norm, and the ways in which it goes wrong: for the exercises that ask for it."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from course_utils.checks._batchnorm.forward import SCALE, close_together, inputs
from course_utils.checks._batchnorm.ideas import LARGE_MEANS
from course_utils.checks._batchnorm.normalizing import (
    ROUNDING,
    around_zero,
    beside_the_root,
    call_batchnorm_backward,
    changed_gradients,
    fixed_epsilon,
    no_root,
    unbiased,
    with_count,
    without_epsilon,
)
from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Misconception


def changed(**ideas):
    """The variant of `changed_gradients` on one part."""
    return through(call_batchnorm_backward, changed_gradients(**ideas))


def any_of(*functions):
    """`one_of` for backward passes."""
    return one_of(call_batchnorm_backward, *functions, atol=ROUNDING)


def backward_inputs(rng, part, shape, made=None, make=lambda array: array, **settings):
    """Inputs for one call; `made` are those of the forward pass, by default of a spread that makes epsilon small."""
    made = inputs(rng, shape, spread=SCALE) if made is None else made
    grad_out = rng.normal(size=shape) + 0.7
    return {"part": part, "grad_out": make(grad_out), "x": make(made["x"]), "gamma": made["gamma"], **settings}


def _with_dx_hat(p):
    """Sums of ∂L/∂x̂ where those of ∂L/∂out belong."""
    return p.total(p.grad_hat * p.x_hat)


def _with_signs(mean, variance):
    """grad_x with these signs before what comes back through mean and variance; both should be −1."""
    return lambda p: (
        (p.grad_hat + mean * p.mean(p.grad_hat) + variance * p.x_hat * p.mean(p.grad_hat * p.x_hat)) / p.std
    )


def _permuted(order):
    right = changed_gradients()
    return lambda *given, **settings: tuple(right(*given, **settings)[i] for i in order)


def averaged(*which):
    """The gradients of gamma (1) and beta (2) as means."""
    ideas = {1: ("grad_gamma", lambda p: p.total(p.grad_out * p.x_hat) / p.count)}
    ideas[2] = ("grad_beta", lambda p: p.total(p.grad_out) / p.count)
    return changed_gradients(**dict(ideas[i] for i in which))


def _cancelled(case, outputs):
    """Only large means fail, and the gradients that come back are arrays of the right shape."""
    if case.aspect != LARGE_MEANS or not isinstance(outputs, (tuple, list)) or len(outputs) != 3:
        return False
    x, gamma = case.inputs["x"], case.inputs["gamma"]
    return all(np.shape(g) == like.shape for g, like in zip(outputs, (x, gamma, gamma), strict=True))


def backward_misconceptions(numbers):
    """Wrong ideas about the gradients; `numbers` says what a mean runs over, for the sentences."""
    return (
        Misconception(
            "mean and variance held constant",
            "It looks as if only the path straight through x̂ counts. The mean and the variance depend on x too.",
            "Ask yourself: when one x grows a little, what happens to the x̂ of the others?",
            changed(grad_x=lambda p: p.grad_hat / p.std),
        ),
        Misconception(
            "path through the variance dropped",
            "It looks as if the term with x̂ · mean(∂L/∂x̂ · x̂) is missing: what reaches x through the variance.",
            "Ask yourself: if x is moved away from the mean, what happens to the variance?",
            changed(grad_x=lambda p: (p.grad_hat - p.mean(p.grad_hat)) / p.std),
        ),
        Misconception(
            "path through the mean dropped",
            "It looks as if the term mean(∂L/∂x̂) is missing: what reaches x through the mean.",
            "Ask yourself: if all x grow by the same amount, by how much does the output change, and what does that "
            "say about the sum of grad_x?",
            changed(grad_x=lambda p: (p.grad_hat - p.x_hat * p.mean(p.grad_hat * p.x_hat)) / p.std),
        ),
        Misconception(
            "sums where means belong",
            f"It looks as if the two terms that come back through mean and variance are sums over the {numbers}. "
            "They should be means.",
            "Ask yourself: what is the derivative of the mean with respect to one x?",
            changed(grad_x=with_count(lambda x: 1)),
        ),
        Misconception(
            "a sign lost on the way",
            "It looks as if the term that comes back through the mean is added, or both terms are. "
            "Both should be subtracted.",
            "Ask yourself: x̂ = (x − mean) / std. With which sign does the mean enter?",
            matches=any_of(
                changed_gradients(grad_x=_with_signs(1, 1)),
                changed_gradients(grad_x=_with_signs(1, -1)),
            ),
        ),
        Misconception(
            "path through the variance added",
            "It looks as if the term with x̂ · mean(∂L/∂x̂ · x̂) is added: what reaches x through the variance. "
            "It should be subtracted.",
            "Ask yourself: when the standard deviation grows, does an x̂ above 0 grow or shrink?",
            changed(grad_x=_with_signs(-1, 1)),
        ),
        Misconception(
            "N − 1 in the two means",
            "It looks as if the two terms that come back through mean and variance divide their sums by one less than "
            "the number of values.",
            "Ask yourself: by what do the mean and the variance of the forward pass divide?",
            changed(grad_x=with_count(lambda x: x.size // x.shape[1] - 1)),
        ),
        Misconception(
            "gamma missing in grad_x",
            "It looks as if grad_x does not depend on gamma.",
            "Ask yourself: out = γ · x̂ + β. What is ∂L/∂x̂, when ∂L/∂out is given?",
            changed(grad_x=lambda p: grad_x_for(p, p.grad_out)),
        ),
        Misconception(
            "gamma in front of one term alone",
            "It looks as if gamma multiplies grad_out and not the two terms that come back through mean and variance.",
            "Ask yourself: are the means taken of ∂L/∂out or of ∂L/∂x̂?",
            changed(grad_x=gamma_on_one_term),
        ),
        Misconception(
            "gamma counted twice in grad_x",
            "It looks as if gamma is multiplied in twice.",
            "Ask yourself: does your d = ∂L/∂x̂ already contain γ?",
            changed(grad_x=lambda p: grad_x_for(p, p.gamma * p.grad_hat)),
        ),
        Misconception(
            "divided by the variance",
            "It looks as if grad_x is divided by the variance. One division by the standard deviation is enough.",
            "Ask yourself: when x is measured in millimetres instead of metres, by which factor does ∂L/∂x change?",
            changed(grad_x=lambda p: grad_x_for(p, p.grad_hat) / p.std),
        ),
        Misconception(
            "not divided by the standard deviation",
            "It looks as if grad_x stops at ∂L/∂(x − mean), before the division by the standard deviation.",
            "Ask yourself: if x is ten times as large, how much does a step of 1 in x change x̂?",
            changed(grad_x=lambda p: grad_x_for(p, p.grad_hat) * p.std),
        ),
        Misconception(
            "gradient of gamma without x̂",
            "It looks as if grad_gamma is the sum of grad_out. Each term should be multiplied by what gamma "
            "multiplied.",
            "Ask yourself: in γ · x̂ + β, what is the derivative with respect to γ?",
            changed(grad_gamma=lambda p: p.total(p.grad_out)),
        ),
        Misconception(
            "gradient of gamma from x",
            "It looks as if grad_gamma uses x, centred or not. gamma multiplied x̂.",
            "Ask yourself: what stands beside γ in the forward pass?",
            matches=any_of(
                changed_gradients(grad_gamma=lambda p: p.total(p.grad_out * p.centred)),
                changed_gradients(grad_gamma=lambda p: p.total(p.grad_out * p.x)),
            ),
        ),
        Misconception(
            "gamma in its own gradient",
            "It looks as if ∂L/∂x̂ = γ · grad_out stands in grad_gamma (or in grad_beta too). Both want ∂L/∂out itself.",
            "Ask yourself: out is linear in γ. Can its derivative with respect to γ contain γ?",
            matches=any_of(
                changed_gradients(grad_gamma=_with_dx_hat),
                changed_gradients(grad_gamma=_with_dx_hat, grad_beta=lambda p: p.total(p.grad_hat)),
            ),
        ),
        Misconception(
            "gamma in the gradient of beta",
            "It looks as if grad_beta sums γ · grad_out. beta is added after gamma has multiplied.",
            "Ask yourself: if beta grows by 1, by how much does out grow?",
            changed(grad_beta=lambda p: p.total(p.grad_hat)),
        ),
        Misconception(
            "averaged instead of summed",
            f"It looks as if a gradient of gamma or beta is a mean over the {numbers}. It should be a sum.",
            "Ask yourself: if two outputs both push beta by 1, how large is the total push?",
            matches=any_of(averaged(1), averaged(2), averaged(1, 2)),
        ),
        Misconception(
            "gradient of beta summed to one number",
            "It looks as if grad_beta adds up all of grad_out. Each channel has a beta of its own.",
            "Ask yourself: which elements of out does beta[0] touch?",
            changed(grad_beta=lambda p: p.grad_out.sum()),
        ),
        Misconception(
            "epsilon beside the root",
            "It looks as if epsilon is added to the square root. It belongs to the variance, under the root.",
            "Ask yourself: which forward pass does your gradient belong to?",
            changed(spread=beside_the_root),
        ),
        Misconception(
            "epsilon left out",
            "It looks as if nothing is added to the variance.",
            "Ask yourself: which forward pass does your gradient belong to?",
            changed(spread=without_epsilon),
        ),
        Misconception(
            "epsilon fixed",
            "It looks as if epsilon is always 1e-5. It is an argument.",
            "Ask yourself: does your code use the argument, or a number written into it?",
            changed(spread=fixed_epsilon),
        ),
        Misconception(
            "variance without a root",
            "It looks as if x̂ is x − mean divided by the variance, without a root.",
            "Ask yourself: what is the variance of your x̂?",
            changed(spread=no_root),
        ),
        Misconception(
            "unbiased variance",
            "It looks as if your variance divides by one less than the number of values (ddof 1). "
            "The forward pass does not.",
            "Ask yourself: by what does the variance of the forward pass divide?",
            changed(variance=unbiased),
        ),
        Misconception(
            "mean of x² for the variance",
            "It looks as if your variance is the mean of x². The variance is taken around the mean.",
            "Ask yourself: what is the variance of 5, 5, 5?",
            changed(variance=around_zero),
        ),
        Misconception(
            "difference of two large numbers",
            "It looks as if you compute the variance as E[x²] − E[x]². With a mean of 10,000 both are about 10⁸, and "
            "the digits that matter are rounded away.",
            "Ask yourself: how many of the 16 digits of 100000000.000001 are left after 100000000 is subtracted?",
            matches=_cancelled,
        ),
        Misconception(
            "right values, other order",
            "It looks as if the three gradients are right and come in another order.",
            "Ask yourself: in which order does the task name the results?",
            matches=any_of(*map(_permuted, list(permutations(range(3)))[1:])),
        ),
    )


def grad_x_for(p, grad_hat):
    """grad_x when ∂L/∂x̂ is `grad_hat`."""
    return (grad_hat - p.mean(grad_hat) - p.x_hat * p.mean(grad_hat * p.x_hat)) / p.std


def gamma_on_one_term(p, share=1.0):
    """γ before grad_out alone; `share` multiplies what comes back through mean and variance."""
    return (p.grad_hat - share * (p.mean(p.grad_out) + p.x_hat * p.mean(p.grad_out * p.x_hat))) / p.std


def whole(rng, aspect, shape, made, **settings):
    return Case(aspect, backward_inputs(rng, "all three", shape, made, **settings))


def numerical_cases(rng, shape, other):
    """What both exercises are tried on where epsilon or rounding matters."""
    return [
        whole(rng, "epsilon", shape, inputs(rng, shape), epsilon=0.3),
        whole(rng, "epsilon", other, inputs(rng, other)),
        whole(rng, "epsilon", shape, close_together(rng, shape)),
        whole(rng, LARGE_MEANS, shape, close_together(rng, shape, center=1e4)),
    ]
