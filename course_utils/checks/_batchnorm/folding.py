"""fold_batchnorm: a convolution that does its batch norm's work."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.normalizing import beside_the_root, no_root, root, without_epsilon
from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided

FOLDED = ("weight", "bias")


def folded_by_running_it(weight, bias, gamma, beta, running_mean, running_var, epsilon):
    """Read off what PyTorch's convolution and batch norm do together to images of a single 1 and to an empty one."""
    import torch

    shape = weight.shape[1:]
    images = torch.cat([torch.zeros(1, *shape), torch.eye(weight[0].size).reshape(-1, *shape)]).double()
    out = torch.nn.functional.conv2d(images, tensor(weight), None if bias is None else tensor(bias))
    statistics = tensor(running_mean), tensor(running_var)
    out = torch.nn.functional.batch_norm(out, *statistics, tensor(gamma), tensor(beta), False, eps=epsilon)
    answers = out[:, :, 0, 0].numpy()  # one row for each image, a number for each output channel
    return (answers[1:] - answers[0]).T.reshape(weight.shape), answers[0]


def call_fold_batchnorm(student, part, **inputs):
    found = student(**inputs)
    if part == "both" or not isinstance(found, (tuple, list)) or len(found) != 2:
        return found
    return {part: found[("weight", "bias").index(part)]}


def _folded(
    spread=root,
    scale=lambda gamma, std: gamma / std,
    weight=lambda weight, scale: weight * scale[:, None, None, None],
    bias=lambda s, bias, mean, beta: s * (bias - mean) + beta,
    order=1,
):
    """The folding with one idea exchanged; `bias` gets the scale, the old bias (or zeros), mean and beta."""

    def wrong(**given):
        factor = scale(given["gamma"], spread(given["running_var"], given["epsilon"]))
        old = np.zeros(len(factor)) if given["bias"] is None else given["bias"]
        return (weight(given["weight"], factor), bias(factor, old, given["running_mean"], given["beta"]))[::order]

    return wrong


def _changed(**ideas):
    return through(call_fold_batchnorm, _folded(**ideas))


def _raising_without_bias(**inputs):
    if inputs["bias"] is None:
        return Raises("TypeError")
    return call_fold_batchnorm(_folded(), **inputs)


def _stays_none(**given):
    weight, bias = _folded()(**given)
    return weight, None if given["bias"] is None else bias


def _inputs_scaled(axes):
    """The scale meets other axes than the first: it fits only where these are as long."""

    def variant(**inputs):
        weight, factors = inputs["weight"], len(inputs["gamma"])
        if weight.shape[axes] not in (1, factors):
            return Raises("ValueError")
        meet = (lambda s: s[:, None, None]) if axes == 1 else (lambda s: s)
        return call_fold_batchnorm(_folded(weight=lambda w, s: w * meet(s)), **inputs)

    return variant


def _cases(rng):
    def case(
        aspect, part, outputs, inputs, kernel, bias=True, low=1e5, high=1e6, epsilon=1e-5, make=lambda array: array
    ):
        made = {"part": part, "epsilon": epsilon, "weight": make(rng.normal(size=(outputs, inputs, *kernel)))}
        made["bias"] = rng.normal(size=outputs) + 0.5 if bias else None
        made["gamma"] = rng.uniform(0.3, 2.5, outputs) * np.where(np.arange(outputs) == 1, -1, 1)
        made["beta"] = rng.normal(size=outputs) - 0.5
        running = {"running_mean": 3 * rng.normal(size=outputs), "running_var": rng.uniform(low, high, outputs)}
        running["running_mean"] *= np.sqrt(running["running_var"].mean())
        return Case(aspect, {**made, **running})

    return [
        case("weight", "weight", 4, 3, (3, 2)),
        case("weight", "weight", 3, 3, (2, 3), make=strided),
        case("bias", "bias", 4, 2, (2, 3)),
        case("bias", "bias", 3, 4, (1, 1)),
        case("no bias", "both", 4, 3, (2, 2), bias=False),
        case("no bias", "bias", 2, 3, (3, 1), bias=False),
        case("epsilon", "both", 4, 3, (2, 1), low=0.3, high=2, epsilon=0.2),
        case("epsilon", "both", 3, 2, (3, 2), low=0.3, high=2),
        case("epsilon", "both", 2, 4, (2, 2), low=1e-7, high=1e-5, bias=False),
        case("both together", "both", 5, 3, (2, 3)),
        case("both together", "both", 2, 2, (3, 2), make=strided),
    ]


fold_batchnorm = Exercise(
    name="fold_batchnorm",
    cases=_cases,
    call=call_fold_batchnorm,
    expected=through(call_fold_batchnorm, folded_by_running_it),
    stand_in=lambda: folded_by_running_it,
    outputs=FOLDED,
    for_call=("part",),
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "In evaluation batch norm multiplies each output channel by a number and adds another. A convolution can do "
        "both itself.",
        "Write z = w · x + b for one output channel, put it into γ · (z − mean) / √(variance + ε) + β, and sort by "
        "what multiplies x and what does not. The factor is one number for each output channel: axis 0 of weight.",
        "scale = gamma / np.sqrt(running_var + epsilon); the weight is weight * scale[:, None, None, None], the bias "
        "is scale * (bias - running_mean) + beta, with a bias of zeros where None came in.",
    ),
    misconceptions=(
        Misconception(
            "bias not shifted by the mean",
            "It looks as if running_mean is missing in the bias.",
            "Ask yourself: which output does batch norm give where z equals the running mean?",
            _changed(bias=lambda s, bias, mean, beta: s * bias + beta),
        ),
        Misconception(
            "bias not scaled",
            "It looks as if the old bias goes into the new one as it is. Batch norm multiplies all of z, the bias "
            "included.",
            "Ask yourself: z = w · x + b. What is scale · (z − mean)?",
            _changed(bias=lambda s, bias, mean, beta: bias - s * mean + beta),
        ),
        Misconception(
            "mean not scaled",
            "It looks as if running_mean is subtracted as it is, after the scaling. It is subtracted before.",
            "Ask yourself: in scale · (z − mean), by what is the mean multiplied?",
            _changed(bias=lambda s, bias, mean, beta: s * bias - mean + beta),
        ),
        Misconception(
            "nothing in the bias scaled",
            "It looks as if the new bias is bias − mean + β. Only β is added after the scaling.",
            "Ask yourself: what does batch norm do first: scale or add β?",
            _changed(bias=lambda s, bias, mean, beta: bias - mean + beta),
        ),
        Misconception(
            "old bias lost",
            "It looks as if the convolution's own bias is gone.",
            "Ask yourself: where in your code is the bias that came in?",
            _changed(bias=lambda s, bias, mean, beta: beta - s * mean),
        ),
        Misconception(
            "old bias kept",
            "It looks as if the bias comes back as it was.",
            "Ask yourself: for an empty image, what comes out of the convolution, and what then out of batch norm?",
            _changed(bias=lambda s, bias, mean, beta: bias),
        ),
        Misconception(
            "beta left out",
            "It looks as if beta is missing in the bias.",
            "Ask yourself: which output does batch norm give where z equals the running mean?",
            _changed(bias=lambda s, bias, mean, beta: s * (bias - mean)),
        ),
        Misconception(
            "beta scaled too",
            "It looks as if beta is multiplied by the scale. It is added after the scaling.",
            "Ask yourself: in γ · x̂ + β, what multiplies β?",
            _changed(bias=lambda s, bias, mean, beta: s * (bias - mean + beta)),
        ),
        Misconception(
            "mean added",
            "It looks as if running_mean is added instead of subtracted.",
            "Ask yourself: with which sign does the mean stand in batch norm?",
            _changed(bias=lambda s, bias, mean, beta: s * (bias + mean) + beta),
        ),
        Misconception(
            "variance without a root",
            "It looks as if you divide by running_var itself.",
            "Ask yourself: by what does batch norm divide: the variance or the standard deviation?",
            _changed(spread=no_root),
        ),
        Misconception(
            "epsilon beside the root",
            "It looks as if epsilon is added to the square root. It belongs to the variance, under the root.",
            "Ask yourself: which of √v + ε and √(v + ε) does batch norm compute?",
            _changed(spread=beside_the_root),
        ),
        Misconception(
            "epsilon left out",
            "It looks as if nothing is added to the variance.",
            "Ask yourself: by what exactly does batch norm divide?",
            _changed(spread=without_epsilon),
        ),
        Misconception(
            "gamma left out",
            "It looks as if gamma is not used.",
            "Ask yourself: when gamma is doubled, what happens to the folded weight?",
            _changed(scale=lambda gamma, std: 1 / std),
        ),
        Misconception(
            "weight not scaled",
            "It looks as if the weight comes back as it was.",
            "Ask yourself: when running_var is 100, how much smaller should the output be?",
            _changed(weight=lambda weight, scale: weight + 0),
        ),
        Misconception(
            "scale on the input channels",
            "It looks as if the scale multiplies axis 1 of weight, the input channels. Batch norm comes after the "
            "convolution.",
            "Ask yourself: how many gammas are there, and which axis of weight is as long for certain?",
            _inputs_scaled(1),
        ),
        Misconception(
            "scale along the kernel's width",
            "It looks as if weight is multiplied by the scale as it is. NumPy lines it up with the last axis, the "
            "kernel's width.",
            "Ask yourself: which shape must the scale have to meet axis 0 of (O, C, kh, kw)?",
            _inputs_scaled(3),
        ),
        Misconception(
            "no bias in, no bias out",
            "It looks as if the bias stays None where None came in. Batch norm's shift has to go somewhere.",
            "Ask yourself: what comes out for an empty image, with a convolution without bias and a β of 2?",
            matches=one_of(call_fold_batchnorm, _stays_none),
        ),
        Misconception(
            "computes with None",
            "It looks as if your code subtracts from None: the convolution may have no bias.",
            "Ask yourself: which number does a convolution without a bias add?",
            _raising_without_bias,
        ),
        Misconception(
            "right values, other order",
            "It looks as if the bias comes first. The weight does.",
            "Ask yourself: in which order does the task name the results?",
            _changed(order=-1),
        ),
    ),
)
