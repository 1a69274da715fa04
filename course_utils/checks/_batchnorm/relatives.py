"""layernorm_forward and groupnorm_forward."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.forward import SCALE
from course_utils.checks._batchnorm.ideas import shared_misconceptions
from course_utils.checks._batchnorm.normalizing import root, scale_and_shift
from course_utils.checks.describe import tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided


def layernorm(x, gamma, beta, epsilon=1e-5):
    """By PyTorch."""
    import torch

    return torch.nn.functional.layer_norm(tensor(x), gamma.shape, tensor(gamma), tensor(beta), epsilon).numpy()


def _layer_changed(axes=lambda x: -1, mean=np.mean, variance=np.var, spread=root, affine=scale_and_shift):
    """Layer norm with one idea exchanged."""

    def wrong(x, gamma, beta, epsilon=1e-5):
        around = {"axis": axes(x), "keepdims": True}
        return affine((x - mean(x, **around)) / spread(variance(x, **around), epsilon), gamma, beta)

    return wrong


def _parameters(rng, count, affine):
    if not affine:
        return {"gamma": np.ones(count), "beta": np.zeros(count)}
    return {"gamma": rng.uniform(0.3, 2.5, count), "beta": rng.normal(size=count) + 0.5}


def _values(rng, shape, spread):
    """Numbers whose mean and spread differ along every axis."""
    x = rng.normal(size=shape)
    for axis, size in enumerate(shape):
        line = [1] * len(shape)
        line[axis] = size
        x = x * rng.uniform(0.5, 2, size=line) + 0.5 * rng.normal(size=line)
    return spread * (x + 0.3)


def _layer_cases(rng):
    def case(aspect, shape, spread=SCALE, affine=True, make=lambda array: array, **settings):
        inputs = {"x": make(_values(rng, shape, spread)), **_parameters(rng, shape[-1], affine), **settings}
        return Case(aspect, inputs)

    return [
        case("examples", (5, 4), affine=False),
        case("examples", (3, 6), affine=False, make=strided),
        case("examples", (1, 5), affine=False),
        case("gamma and beta", (4, 6)),
        case("gamma and beta", (4, 4), make=strided),
        case("sequences", (2, 4, 5), affine=False),
        case("sequences", (3, 3, 4), make=strided),
        case("epsilon", (3, 4), spread=1.0, epsilon=0.3),
        case("epsilon", (4, 5), spread=1.0),
        case("epsilon", (3, 2, 6), spread=1e-3),
    ]


layernorm_forward = Exercise(
    name="layernorm_forward",
    cases=_layer_cases,
    expected=layernorm,
    outputs=("out",),
    atol=1e-8,
    builds_on=("batchnorm_forward",),
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "The same formula as batch norm, over another axis: an example is normalized by itself, and the batch plays "
        "no part.",
        "Mean and variance run over the last axis. Keep it (keepdims=True), so that they meet x; gamma and beta, of "
        "shape (D,), meet the last axis by themselves.",
        "mean = x.mean(axis=-1, keepdims=True), the variance likewise, then "
        "gamma * (x - mean) / np.sqrt(variance + epsilon) + beta.",
    ),
    misconceptions=(
        Misconception(
            "over the batch",
            "It looks as if every feature is normalized over the examples. That is batch norm.",
            "Ask yourself: may the other examples change your result for this one?",
            _layer_changed(axes=lambda x: 0),
        ),
        Misconception(
            "over the batch and the sequence",
            "It looks as if every feature is normalized over all vectors. That is batch norm.",
            "Ask yourself: which numbers share a mean: those of one vector, or those of one feature?",
            _layer_changed(axes=lambda x: tuple(range(x.ndim - 1))),
        ),
        Misconception(
            "axis 1 of a sequence",
            "It looks as if mean and variance run along axis 1. In (N, T, D) the features are on the last axis.",
            "Ask yourself: which axis of x is as long as gamma?",
            _layer_changed(axes=lambda x: 1),
        ),
        Misconception(
            "whole sequence together",
            "It looks as if all T vectors of a sequence share one mean and one variance.",
            "Ask yourself: how many means should there be for x of shape (N, T, D)?",
            _layer_changed(axes=lambda x: tuple(range(1, x.ndim))),
        ),
        Misconception(
            "one mean for everything",
            "It looks as if one mean and one variance serve the whole batch.",
            "Ask yourself: may the other examples change your result for this one?",
            _layer_changed(axes=lambda x: None),
        ),
        *shared_misconceptions(_layer_changed, "D"),
    ),
)


# --- groupnorm_forward ------------------------------------------------------------------------------------------

IMPOSSIBLE = "impossible groups"


def groupnorm(x, gamma, beta, groups, epsilon=1e-5):
    """By PyTorch, or the error that the exercise asks for."""
    import torch

    if x.shape[1] % groups:
        return Raises("ValueError", (str(x.shape[1]), str(groups)))
    return torch.nn.functional.group_norm(tensor(x), groups, tensor(gamma), tensor(beta), epsilon).numpy()


def _in_groups(x, groups):
    """(N, groups, channels of a group, H, W), neighbours together."""
    return np.ascontiguousarray(x).reshape(x.shape[0], groups, -1, *x.shape[2:])


def _interleaved(x, groups):
    """As `_in_groups`, with channel c in group c mod groups."""
    return np.ascontiguousarray(x).reshape(x.shape[0], -1, groups, *x.shape[2:]).swapaxes(1, 2)


def _group_changed(
    axes=(2, 3, 4),
    mean=np.mean,
    variance=np.var,
    spread=root,
    affine=scale_and_shift,
    split=_in_groups,
    count=lambda x, groups: groups,
):
    """Group norm with one idea exchanged."""

    def wrong(x, gamma, beta, groups, epsilon=1e-5):
        if x.shape[1] % groups:
            return Raises("ValueError")
        parts = split(x, count(x, groups))
        around = {"axis": axes, "keepdims": True}
        x_hat = (parts - mean(parts, **around)) / spread(variance(parts, **around), epsilon)
        x_hat = x_hat.swapaxes(1, 2) if split is _interleaved else x_hat
        return affine(x_hat.reshape(x.shape), gamma[:, None, None], beta[:, None, None])

    return wrong


def _one_for_each_group(values, groups):
    return np.repeat(values[:groups], len(values) // groups)


def _affine_of_groups(x, gamma, beta, groups, epsilon=1e-5):
    return _group_changed()(x, _one_for_each_group(gamma, groups), _one_for_each_group(beta, groups), groups, epsilon)


def _group_cases(rng):
    def case(aspect, shape, groups, spread=SCALE, affine=True, make=lambda array: array, **settings):
        inputs = {"x": make(_values(rng, shape, spread)), **_parameters(rng, shape[1], affine)}
        return Case(aspect, {**inputs, "groups": groups, **settings})

    return [
        case("groups", (2, 6, 3, 4), 3, affine=False),
        case("groups", (3, 8, 2, 3), 2, affine=False, make=strided),
        case("gamma and beta", (2, 6, 3, 2), 2),
        case("gamma and beta", (2, 8, 2, 3), 4, make=strided),
        case("one group, one channel", (2, 4, 3, 2), 1),
        case("one group, one channel", (3, 3, 2, 4), 3),
        case("epsilon", (2, 4, 3, 2), 2, spread=1.0, epsilon=0.3),
        case("epsilon", (2, 6, 2, 3), 2, spread=1.0),
        case("epsilon", (1, 6, 2, 4), 3, spread=1e-3),
        case(IMPOSSIBLE, (2, 7, 2, 3), 3),
        case(IMPOSSIBLE, (2, 5, 3, 2), 10),
    ]


groupnorm_forward = Exercise(
    name="groupnorm_forward",
    cases=_group_cases,
    expected=groupnorm,
    outputs=("out",),
    atol=1e-8,
    builds_on=("layernorm_forward",),
    difficulty=3,
    importance=3,
    minutes=15,
    hints=(
        "Each image is normalized by itself, a few channels at a time. A group is a block of neighbouring channels "
        "with all their pixels.",
        "x.reshape(N, groups, C // groups, H, W) puts the channels of a group onto an axis of their own. Mean and "
        "variance run over the last three axes. gamma and beta belong to the C channels, so reshape back first.",
        "After the test for C % groups: grouped = x.reshape(N, groups, -1), "
        "x_hat = (grouped - mean) / np.sqrt(variance + epsilon) with statistics over axis 2 (keepdims=True), "
        "then gamma[:, None, None] * x_hat.reshape(x.shape) + beta[:, None, None].",
    ),
    misconceptions=(
        Misconception(
            "channels dealt out like cards",
            "It looks as if channel c belongs to group c mod groups. Groups are neighbouring channels.",
            "Ask yourself: which channels are in group 0 when 6 channels make 3 groups?",
            _group_changed(split=_interleaved),
        ),
        Misconception(
            "groups taken for channels of a group",
            "It looks as if `groups` is read as how many channels a group has. It is how many groups there are.",
            "Ask yourself: how many channels has a group when 8 channels make 2 groups?",
            _group_changed(count=lambda x, groups: x.shape[1] // groups),
        ),
        Misconception(
            "every channel by itself",
            "It looks as if every channel has its own mean and variance. That is instance norm, groups = C.",
            "Ask yourself: over how many channels does a mean run?",
            _group_changed(count=lambda x, groups: x.shape[1]),
        ),
        Misconception(
            "all channels together",
            "It looks as if all channels of an image share a mean and a variance. That is groups = 1.",
            "Ask yourself: what changes in your result when `groups` does?",
            _group_changed(count=lambda x, groups: 1),
        ),
        Misconception(
            "over the batch too",
            "It looks as if the statistics of a group run over all images.",
            "Ask yourself: may the other images of the batch change your result for this one?",
            _group_changed(axes=(0, 2, 3, 4)),
        ),
        Misconception(
            "every pixel by itself",
            "It looks as if the statistics run over the channels of a group at one pixel.",
            "Ask yourself: how many means should there be for one image?",
            _group_changed(axes=2),
        ),
        Misconception(
            "one gamma for each group",
            "It looks as if gamma[g] and beta[g] serve all channels of group g. There are C of each.",
            "Ask yourself: what is the shape of gamma?",
            _affine_of_groups,
        ),
        Misconception(
            "channels left over",
            "It looks as if groups that do not divide the channels are accepted.",
            "Ask yourself: to which of 3 groups does the last of 7 channels belong?",
            matches=lambda case, outputs: case.aspect == IMPOSSIBLE and isinstance(outputs, np.ndarray),
        ),
        *shared_misconceptions(_group_changed, "the count"),
    ),
)
