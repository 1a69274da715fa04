"""merge_towers: the logits of one network with two groups, from the halves that lay on two GPUs.

The oracle runs both towers by hand and exchanges maps and units where the paper does; the merged parameters are run by
`Layout.logits`. So any answer that gives the same logits is right.
"""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks._alexnet.layout import MAPS, PAPER
from course_utils.checks._alexnet.tower_logits import (
    ALL_ABOVE,
    ALL_IN_TURN,
    CONNECTED,
    CONVOLUTIONS,
    CROSSING,
    INNER,
    OUTPUT,
    WHOLE,
    added,
    averaged,
    below,
    call_merge,
    in_turn,
    merge,
    merging,
    on_the_diagonal,
    own_first,
    own_half,
    own_half_and_zeros,
    right_to_left,
    side_by_side,
    verify,
)
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


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
    verify=verify,
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
