"""merge_towers: the logits of one network with two groups, from the halves that lay on two GPUs.

The oracle runs both towers by hand and exchanges maps and units where the paper does; the merged parameters are run by
`Layout.logits`. So any answer that gives the same logits is right.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from course_utils.checks._alexnet.layout import MAPS, PAPER, Asked
from course_utils.checks.compare import describe_kind, difference
from course_utils.checks.describe import agrees, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

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


def _verify(case, outputs):
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


def _tower(rng, classes, maps, units, side):
    """Half a network with so many maps in conv1 to conv5; their values are large enough for the norm to matter."""
    shapes, before = {}, 3
    for name, out, kernel in zip(MAPS, maps, (11, 5, 3, 3, 3), strict=True):
        shapes[name] = (out, before * (2 if name in CROSSING else 1), kernel, kernel)
        before = out
    shapes |= {"fc6": (units, 2 * before * side**2), "fc7": (units, 2 * units), "fc8": (classes, units)}
    made = {}
    for name, shape in shapes.items():
        gain = {"conv1": 60.0, "conv2": 20.0}.get(name, 1.4)
        made[f"{name}.weight"] = gain / math.sqrt(math.prod(shape[1:])) * rng.normal(size=shape)
        made[f"{name}.bias"] = 0.3 * rng.normal(size=shape[0])
    return {name: value.astype(np.float32) for name, value in made.items()}


def _cases(rng):
    def case(aspect, maps, size, make=lambda array: array):
        classes, units = int(rng.integers(3, 7)), int(rng.integers(8, 12))
        tower_a, tower_b = (
            {name: make(value) for name, value in _tower(rng, classes, maps, units, PAPER.side(size)).items()}
            for _ in range(2)
        )
        images = rng.normal(size=(2, 3, size, size)) + 0.5
        return Case(aspect, {"tower_a": tower_a, "tower_b": tower_b, "images": images})

    return [
        case(CONVOLUTIONS, (3, 8, 12, 12, 8), 67),
        case(CONNECTED, (2, 4, 6, 6, 8), 115),
        case(OUTPUT, (2, 4, 6, 6, 4), 67),
        case(WHOLE, (4, 6, 8, 10, 6), 99, strided),
        case(WHOLE, (1, 2, 2, 4, 2), 115),
    ]


def merge_tensors(tower_a, tower_b):
    """What experiments use meanwhile."""
    import torch

    halves = ({name: value.detach().cpu().numpy() for name, value in tower.items()} for tower in (tower_a, tower_b))
    like = tower_a["fc8.bias"]
    return {name: torch.from_numpy(value).to(like.device) for name, value in merge(*halves).items()}


merge_towers = Exercise(
    name="merge_towers",
    cases=_cases,
    call=call_merge,
    verify=_verify,
    stand_in=lambda: merge_tensors,
    for_call=("images",),
    forbidden=("torchvision", "torch.hub", "scipy", "sklearn"),
    difficulty=3,
    importance=3,
    minutes=25,
    hints=(
        "Write down what each layer computes in the two towers, and what the same layer of AlexNet(groups=2) computes. "
        "In all layers but one, the outputs of A and B stand one after the other.",
        "A layer's outputs are the rows of its weight, its inputs the columns. PyTorch's grouped convolution gives the "
        "first half of its outputs to the first half of its inputs: just what conv2, conv4 and conv5 need. Only fc8 "
        "adds what the towers find.",
        "torch.cat([a, b]) for every tensor but fc8's; fc8.weight is torch.cat([a, b], dim=1), because "
        "[W_A W_B] applied to (h_A, h_B) is W_A h_A + W_B h_B, and fc8.bias is a + b.",
    ),
    misconceptions=(
        Misconception(
            "conv3 in groups",
            "It looks as if each half of conv3 sees the maps of its own tower only. In conv3 the towers see each "
            "other's.",
            "Ask yourself: how many columns has conv3.weight in a tower, and how many does your merged one have?",
            matches=merging({"conv3": own_half}, {"conv3": own_half_and_zeros}),
        ),
        Misconception(
            "one group",
            "It looks as if conv2, conv4 or conv5 is written out for one group, with zeros where a tower sees nothing.",
            "Ask yourself: which shape has conv2.weight in AlexNet(groups=2)?",
            matches=merging(dict.fromkeys(("conv2", "conv4", "conv5"), on_the_diagonal)),
        ),
        Misconception(
            "fc6 and fc7 kept apart",
            "It looks as if each half of fc6 and fc7 sees its own tower only. They see the units of both.",
            "Ask yourself: how many columns has fc6.weight in a tower?",
            matches=merging({"fc6": own_half_and_zeros, "fc7": own_half_and_zeros}, {"fc6": own_half, "fc7": own_half}),
        ),
        Misconception(
            "fc6 and fc7 side by side",
            "It looks as if the weights of layers that see both towers (fc6, fc7, conv3) are put together along their "
            "columns. Their rows are what doubles.",
            "Ask yourself: a tower's fc6 sees both halves already; what is missing, inputs or outputs?",
            matches=merging({"fc6": side_by_side, "fc7": side_by_side}, dict.fromkeys(CROSSING, side_by_side)),
        ),
        Misconception(
            "fc6 and fc7 on the diagonal",
            "It looks as if the halves of fc6 and fc7 stand on a diagonal, with zeros beside them. Both see all "
            "inputs.",
            "Ask yourself: how many inputs has fc7 in the merged network, and how many does a tower's fc7 see?",
            matches=merging({"fc6": on_the_diagonal, "fc7": on_the_diagonal}),
        ),
        Misconception(
            "rows in turn",
            "It looks as if rows of A and B alternate. The next layer expects all outputs of A, then all of B.",
            "Ask yourself: which units does the first half of fc7's columns belong to?",
            matches=merging({"fc6": in_turn}, {"fc6": in_turn, "fc6_bias": in_turn}, ALL_IN_TURN),
        ),
        Misconception(
            "B before A",
            "It looks as if B's maps and units come first, while the columns of conv3, fc6 and fc7 expect A's first.",
            "Ask yourself: in which order does conv3 of a tower want the maps of both?",
            matches=merging(ALL_ABOVE | {"fc8": right_to_left}, ALL_ABOVE),
        ),
        Misconception(
            "columns exchanged in tower B",
            "It looks as if the columns of conv3, fc6 or fc7 are reordered in B's half, as if B saw its own maps "
            "first.",
            "Ask yourself: which maps come first in the columns of tower B, by the table in the text?",
            matches=merging(dict.fromkeys(CROSSING, own_first)),
        ),
        Misconception(
            "twice as many classes",
            "It looks as if fc8's rows are put together, which gives every class two logits. The towers' results are "
            "added.",
            "Ask yourself: how many logits should the merged network give?",
            matches=merging({"fc8": below, "fc8_bias": below}),
        ),
        Misconception(
            "biases of fc8 one after the other",
            "It looks as if fc8 has twice as many biases as classes.",
            "Ask yourself: how many biases has a layer of num_classes outputs?",
            matches=merging({"fc8_bias": below}),
        ),
        Misconception(
            "all biases added",
            "It looks as if the biases of every layer are added. Only fc8's outputs are sums over both towers.",
            "Ask yourself: how many outputs has conv1 in the merged network, and how many biases does it need?",
            matches=merging({f"{layer}_bias": added for layer in INNER}),
        ),
        Misconception(
            "columns of fc8 exchanged",
            "It looks as if B's columns of fc8 come first, while the units of A come first in fc7.",
            "Ask yourself: by which columns of fc8.weight are the first units of fc7 multiplied?",
            matches=merging({"fc8": right_to_left}),
        ),
        Misconception(
            "one bias of fc8 lost",
            "It looks as if fc8 has the biases of one tower only. Each tower adds its own.",
            "Ask yourself: what is (W_A h_A + b_A) + (W_B h_B + b_B)?",
            matches=merging({"fc8_bias": lambda a, b: a}, {"fc8_bias": lambda a, b: b}),
        ),
        Misconception(
            "fc8 averaged",
            "It looks as if fc8 takes the mean of the towers' results, in its biases or altogether. They are added.",
            "Ask yourself: where in the text is something divided by two?",
            matches=merging({"fc8_bias": averaged}, {"fc8_bias": averaged, "fc8": lambda a, b: side_by_side(a, b) / 2}),
        ),
        Misconception(
            "weights of fc8 added",
            "It looks as if fc8's weights are added or averaged, as if both towers had the same units.",
            "Ask yourself: how many units of fc7 does the merged fc8 see?",
            matches=merging({"fc8": added}, {"fc8": averaged}, {"fc8": averaged, "fc8_bias": averaged}),
        ),
        Misconception(
            "towers averaged",
            "It looks as if every parameter is the mean of the two towers'. That network is half as wide.",
            "Ask yourself: how many maps has conv1 in a tower, and in AlexNet(groups=2)?",
            matches=merging({"every": averaged}, {"every": added}),
        ),
    ),
)
