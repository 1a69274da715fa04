"""What two towers compute, what one network of them computes, and the wrong ways of joining."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.checks._alexnet.layout import MAPS, PAPER, Asked
from course_utils.checks.compare import describe_kind, difference
from course_utils.checks.describe import agrees, tensor

CONVOLUTIONS, CONNECTED, OUTPUT, WHOLE = "convolutions", "fc6 and fc7", "fc8", "other widths"
JUDGED = {  # the layers that an aspect looks at; for the others, the right ones are put in their place
    CONVOLUTIONS: tuple(MAPS),
    CONNECTED: ("fc6", "fc7"),
    OUTPUT: ("fc8",),
    WHOLE: (*MAPS, "fc6", "fc7", "fc8"),
}
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}  # the towers are of float32, and so may the merged network be
CROSSING = ("conv3", "fc6", "fc7")  # they see the maps or units of both towers


def call_merge(student, tower_a, tower_b, images):
    import torch

    def tensors(tower):
        return {name: torch.from_numpy(value) for name, value in tower.items()}

    halves = tensors(tower_a), tensors(tower_b)
    merged = student(*halves)
    if not isinstance(merged, dict):
        raise TypeError(f"the result is of type {type(merged).__name__}, should be a dict: is a return missing?")
    for name, value in merged.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"the result holds a {type(value).__name__} under {name!r}, should hold tensors")
    for tower, half in ((tower_a, halves[0]), (tower_b, halves[1])):  # what was done to the dicts counts as a change
        tower.clear()
        tower.update({str(name): value.detach().numpy() for name, value in half.items()})
    return {str(name): value.detach().numpy() for name, value in merged.items()}


# --- judging ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)  # every student is compared with the same towers
def _truth(asked):
    return towers_logits(*(asked.case.inputs[name] for name in ("tower_a", "tower_b", "images")))


def towers_logits(tower_a, tower_b, images):
    """The logits (N, classes) of two towers, each computing its own half of every layer."""
    import torch
    import torch.nn.functional as F

    towers = [{name: tensor(value) for name, value in tower.items()} for tower in (tower_a, tower_b)]

    def layer(name, halves, **options):
        """Both halves of a layer's output; a layer that crosses gets both halves of the input."""
        together = torch.cat(halves, dim=1)
        function = F.conv2d if name in MAPS else F.linear
        return [
            function(together if name in CROSSING else half, tower[f"{name}.weight"], tower[f"{name}.bias"], **options)
            for tower, half in zip(towers, halves, strict=True)
        ]

    def normalized(halves):
        together = F.local_response_norm(torch.cat(halves, dim=1), 5, PAPER.alpha, 0.75, PAPER.k)
        return together.split([half.shape[1] for half in halves], dim=1)

    def pooled(halves):
        return [F.max_pool2d(half, 3, 2) for half in halves]

    def rectified(halves):
        return [half.relu() for half in halves]

    halves = pooled(normalized(rectified(layer("conv1", [tensor(images)] * 2, stride=4))))
    halves = pooled(normalized(rectified(layer("conv2", halves, padding=2))))
    for name in ("conv3", "conv4", "conv5"):
        halves = rectified(layer(name, halves, padding=1))
    halves = [half.flatten(1) for half in pooled(halves)]
    for name in ("fc6", "fc7"):
        halves = rectified(layer(name, halves))
    first, second = layer("fc8", halves)
    return (first + second).numpy()


def verify(case, outputs):
    tower_a, tower_b, images = (case.inputs[name] for name in ("tower_a", "tower_b", "images"))
    if not isinstance(outputs, dict):
        return f"the result is {describe_kind(outputs)}, should be a dict of tensors"
    judged = {}
    for name, right in merge(tower_a, tower_b).items():
        judged[name] = right
        if name.partition(".")[0] in JUDGED[case.aspect]:
            if name not in outputs:
                return f"the result has no {name}"
            if np.shape(outputs[name]) != right.shape:
                return f"{name} has shape {np.shape(outputs[name])}, should have shape {right.shape}"
            judged[name] = outputs[name]
    if extra := [name for name in outputs if name not in judged]:
        return f"the result has {extra[0]}, which does not belong"
    logits = PAPER.logits(judged, images, 2)
    return difference(_truth(Asked(case)), logits, ("logits of the merged network",), **TOLERANCE)


# --- ideas, as functions of the two towers ----------------------------------------------------------------------------


def merge(tower_a, tower_b, **different):
    """The merged state dict, with the rule of some layers (conv3, conv3_bias, …; `every` for all) exchanged.

    A rule takes the two halves of a tensor.
    """
    merged = {}
    for name in tower_a:
        layer, kind = name.split(".")
        rule = {"fc8.weight": side_by_side, "fc8.bias": added}.get(name, below)
        rule = different.get("every", rule)
        rule = different.get(layer if kind == "weight" else f"{layer}_bias", rule)
        merged[name] = rule(tower_a[name], tower_b[name])
    return merged


def below(a, b):
    """A's rows first, then B's."""
    return np.concatenate([a, b])


def above(a, b):
    """B's rows first."""
    return np.concatenate([b, a])


def side_by_side(a, b):
    """A's columns first, then B's."""
    return np.concatenate([a, b], axis=1)


def added(a, b):
    """The sum."""
    return a + b


def averaged(a, b):
    """The mean."""
    return (a + b) / 2


def in_turn(a, b):
    """A row of A, a row of B, and so on."""
    return np.stack([a, b], axis=1).reshape(-1, *a.shape[1:])


def own_half(a, b):
    """Only the columns of a layer's own tower, as in a grouped layer."""
    half = a.shape[1] // 2
    return np.concatenate([a[:, :half], b[:, half:]])


def own_half_and_zeros(a, b):
    """The columns of the other tower set to zero."""
    half, a, b = a.shape[1] // 2, a.copy(), b.copy()
    a[:, half:], b[:, :half] = 0, 0
    return np.concatenate([a, b])


def on_the_diagonal(a, b):
    """Blocks on the diagonal, zeros beside them: the layer of a network with one group."""
    return np.concatenate([np.concatenate([a, 0 * a], axis=1), np.concatenate([0 * b, b], axis=1)])


def right_to_left(a, b):
    """B's columns first."""
    return np.concatenate([b, a], axis=1)


def own_first(a, b):
    """B's columns reordered, as if they began with B's own inputs."""
    return np.concatenate([a, np.roll(b, b.shape[1] // 2, axis=1)])


INNER = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
ALL_IN_TURN = {name: in_turn for layer in INNER for name in (layer, f"{layer}_bias")}
ALL_ABOVE = {name: above for layer in INNER for name in (layer, f"{layer}_bias")}


def merging(*rules):
    """A `matches`: one of these sets of rules gives the result."""

    def matches(case, outputs):
        halves = case.inputs["tower_a"], case.inputs["tower_b"]
        return any(agrees(merge(*halves, **different), outputs, rtol=1e-6, atol=1e-6) for different in rules)

    return matches


# --- cases ------------------------------------------------------------------------------------------------------------
