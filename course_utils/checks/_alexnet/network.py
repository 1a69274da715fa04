"""AlexNet: the shapes of its parameters, its logits from given parameters, and where dropout acts.

A case without a state asks for the shapes alone, which costs no memory on the meta device. Dropout is read off
networks whose units all have one known value: what comes out is this value times a product of masks.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from course_utils.checks._alexnet.dropping import FEATURES, SITES, Dropping, Probe
from course_utils.checks._alexnet.layout import LAYERS, PAPER, SMALLEST
from course_utils.checks._alexnet.network_judged import (
    DROPOUT,
    LAYOUT,
    LOGITS,
    REFUSED,
    WIDTHS,
    accepted,
    always_on,
    call_alexnet,
    dropping,
    elsewhere,
    halved,
    in_pairs,
    layouts,
    no_biases,
    smallest_refused,
    softmax,
    some_missing,
    verify,
    whole,
)
from course_utils.checks.exercise import Case, Exercise, Misconception


def _state(rng, arguments):
    """Parameters that keep the maps' values near 60 at both norms, where α and k matter alike."""
    state = {}
    for name, shape in PAPER.shapes(**arguments).items():
        gain = {"conv1.weight": 60.0, "conv2.weight": 20.0}.get(name, 1.4)
        scale = gain / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.3
        state[name] = scale * rng.normal(size=shape)
    return state


def _probe_state(probe, arguments):
    """Parameters with which each logit is `probe.value` times the masks from `probe.site` on."""
    state = {name: np.zeros(shape) for name, shape in PAPER.shapes(**arguments).items()}
    source = SITES[probe.site]
    state[f"{source}.bias"][:] = probe.value
    for name in LAYERS[LAYERS.index(source) + 1 :]:
        weight = state[f"{name}.weight"]
        rows = np.arange(len(weight))
        weight[rows, rows % weight.shape[1]] = 1.0
    return state


def _cases(rng):
    def inputs(arguments, state=None, images=None, copies=1, training=False):
        return {"arguments": arguments, "state": state, "images": images, "copies": copies, "training": training}

    def shapes(aspect, **arguments):
        hidden = {"impossible": arguments.pop("impossible")} if "impossible" in arguments else {}
        return Case(aspect, inputs(arguments), hidden)

    def logits(**arguments):
        size = arguments["image_size"]
        images = rng.normal(size=(2, 3, size, size)) + 0.5
        return Case(LOGITS, inputs(arguments, _state(rng, arguments), images))

    def dropout(site):
        # 10 maps of one pixel, and 164 units: no more classes than there are units with a mask of their own
        classes, copies = (10, 8) if site == FEATURES else (40, 4)
        arguments = {"num_classes": classes, "groups": 2, "width": 0.04, "image_size": SMALLEST}
        probe = Probe(site, float(rng.uniform(0.5, 3)))
        images = rng.normal(size=(1, 3, SMALLEST, SMALLEST))
        state = _probe_state(probe, arguments)
        return Case(DROPOUT, inputs(arguments, state, images, copies, True), {"probe": probe})

    classes, few = int(rng.integers(3, 8)), int(rng.integers(40, 60))
    return [
        shapes(LAYOUT),
        shapes(LAYOUT, num_classes=int(rng.integers(10, 300)), groups=1),
        shapes(WIDTHS, width=0.3, image_size=115),
        shapes(WIDTHS, num_classes=classes, groups=1, width=0.3, image_size=int(rng.integers(139, 146))),
        shapes(WIDTHS, width=0.004, image_size=163),
        logits(num_classes=classes, groups=2, width=1 / 16, image_size=99),
        logits(num_classes=few, groups=1, width=0.05, image_size=115),
        *(dropout(site) for site in SITES),
        shapes(REFUSED, image_size=SMALLEST - 1, impossible=SMALLEST - 1),
        shapes(REFUSED, image_size=SMALLEST),
        shapes(REFUSED, groups=3, impossible=3),
    ]


def _stand_in():
    from course_utils.checks._alexnet.standing_in import AlexNet

    return AlexNet


AlexNet = Exercise(
    name="AlexNet",
    cases=_cases,
    call=call_alexnet,
    verify=verify,
    stand_in=_stand_in,
    for_call=("state", "images", "copies", "training"),
    forbidden=("torchvision", "torch.hub", "scipy", "sklearn"),
    time_limit=6.0,  # the first network on the meta device makes PyTorch import much of itself
    difficulty=3,
    importance=5,
    minutes=45,
    hints=(
        "Make the eight layers in __init__, after super().__init__(), and write forward as the table reads, line by "
        "line. Nothing but these layers has parameters.",
        "fc6 needs the side of the last maps. A convolution or pool turns side s into (s + 2·padding − kernel) // "
        "stride + 1: from 227 to 55, 27, 13 and 6. In PyTorch's local_response_norm the paper's α is alpha=5e-4, and "
        "k=2 must be said.",
        "x = F.max_pool2d(F.local_response_norm(F.relu(self.conv1(images)), 5, alpha=5e-4, beta=0.75, k=2.0), 3, 2), "
        "the same with conv2; later x = F.dropout(F.relu(self.fc6(x)), 0.5, training=self.training).",
    ),
    misconceptions=(
        Misconception(
            "224 pixels without padding",
            "It looks as if image_size is 224 where nothing is given. The paper writes 224, but without padding its "
            "55×55 maps need 227.",
            "Ask yourself: which side S makes (S − 11) / 4 + 1 equal to 55?",
            matches=layouts(PAPER.but(image_size=224)),
        ),
        Misconception(
            "padding in conv1",
            "It looks as if conv1 pads its images, as some libraries do to be able to write 224.",
            "Ask yourself: how many maps' rows does conv1 give for 227 pixels, with your padding and without?",
            matches=layouts(PAPER.but(padding=(2, 2)), PAPER.but(padding=(1, 2)), PAPER.but(padding=(3, 2))),
        ),
        Misconception(
            "conv2 without padding",
            "It looks as if conv2 does not pad its maps, so that they shrink by four rows and columns.",
            "Ask yourself: a 5×5 kernel reaches two pixels to each side; what keeps a map's size?",
            matches=layouts(PAPER.but(padding=(0, 0))),
        ),
        Misconception(
            "pools of 2×2",
            "It looks as if your pools take windows of 2×2, or some that stick out over the border (ceil_mode=True). "
            "The paper's overlap: 3×3, stride 2.",
            "Ask yourself: with windows of 2×2 and stride 2, how many windows does one value lie in?",
            matches=layouts(PAPER.but(window=2)),
        ),
        Misconception(
            "paper's α given to PyTorch",
            "It looks as if alpha is 1e-4. PyTorch divides its alpha by the 5 maps of a window, the paper does not.",
            "Ask yourself: which alpha, divided by 5, is 1e-4?",
            matches=layouts(PAPER.but(alpha=1e-4)),
        ),
        Misconception(
            "k left at 1",
            "It looks as if k is 1 in the response normalization: PyTorch's default. The paper's is 2.",
            "Ask yourself: by what is a small value divided, with k = 1 and with k = 2?",
            matches=layouts(PAPER.but(k=1.0)),
        ),
        Misconception(
            "PyTorch's defaults of the norm",
            "It looks as if the response normalization has PyTorch's own constants, alpha=1e-4 and k=1. The paper's "
            "are alpha=5e-4 (in PyTorch's counting) and k=2.",
            "Ask yourself: which arguments of local_response_norm did you leave out?",
            matches=layouts(PAPER.but(alpha=1e-4, k=1.0)),
        ),
        Misconception(
            "norm after the pool",
            "It looks as if maps are pooled first and normalized afterwards. In the paper the norm comes first.",
            "Ask yourself: in section 3.5 of the paper, what does a pool follow?",
            matches=layouts(PAPER.but(stages=("relu", "pool", "norm")), PAPER.but(stages=("pool", "relu", "norm"))),
        ),
        Misconception(
            "norm before the ReLU",
            "It looks as if maps are normalized before the ReLU, so that negative values make their neighbours "
            "smaller.",
            "Ask yourself: which values does the paper's normalization add up, those before or after the ReLU?",
            matches=layouts(PAPER.but(stages=("norm", "relu", "pool"))),
        ),
        Misconception(
            "norm left out",
            "It looks as if nothing is normalized after conv1 and conv2.",
            "Ask yourself: which lines of forward divide a value by its neighbours?",
            matches=layouts(PAPER.but(stages=("relu", "pool"))),
        ),
        Misconception(
            "one group",
            "It looks as if groups changes nothing: every layer sees all maps. That is a network of 62,378,344 "
            "parameters; the paper's has 60,965,224.",
            "Ask yourself: how many of conv2's 96 input maps lay on the GPU that computes one of its outputs?",
            matches=layouts(PAPER.but(grouped=()), PAPER.but(grouped=(), scaled=lambda n, w, g: max(1, round(n * w)))),
        ),
        Misconception(
            "conv3 in groups",
            "It looks as if conv3 is split as well. It is the layer in which the two GPUs see each other's maps.",
            "Ask yourself: if no convolution crosses, what can the maps of one half know of the other?",
            matches=layouts(PAPER.but(grouped=("conv2", "conv3", "conv4", "conv5"))),
        ),
        Misconception(
            "conv2 alone in groups",
            "It looks as if conv4 or conv5 is not split. Only conv3 sees the maps of both halves.",
            "Ask yourself: which of the five convolutions have their input on one GPU?",
            matches=layouts(*(PAPER.but(grouped=g) for g in (("conv2",), ("conv2", "conv4"), ("conv2", "conv5")))),
        ),
        Misconception(
            "torchvision's numbers of maps",
            "It looks as if the convolutions have 64, 192, 384, 256 and 256 maps: the network of many libraries, which "
            "is a later one with a single tower.",
            "Ask yourself: how many filters does section 3.5 of the paper give the first convolution?",
            matches=layouts(
                *(
                    PAPER.but(maps=(64, 192, 384, 256, 256), padding=padding, fixed_side=side, grouped=grouped)
                    for padding in ((0, 2), (2, 2))
                    for side in (None, 6)
                    for grouped in (PAPER.grouped, ())
                )
            ),
        ),
        Misconception(
            "layers under other names",
            "It looks as if parameters lie under other names, because layers are made in an nn.Sequential or have "
            "other attributes. Or they are there twice.",
            "Ask yourself: which names does AlexNet(width=0.1).state_dict() have?",
            matches=elsewhere,
        ),
        Misconception(
            "layers in a Python list",
            "It looks as if some layers lie in a list or dict of Python, or are made in forward. PyTorch finds only "
            "those that are attributes, so an optimizer would never train them.",
            "Ask yourself: which layers does print(AlexNet(width=0.1)) show?",
            matches=some_missing,
        ),
        Misconception(
            "width rounded down",
            "It looks as if numbers of maps and units are cut off, not rounded.",
            "Ask yourself: what is int(57.6), and what is round(57.6)?",
            matches=layouts(PAPER.but(scaled=lambda n, w, g: max(1, int(n * w / g)) * g)),
        ),
        Misconception(
            "width rounded without the groups",
            "It looks as if n · width is rounded or cut off as it is. With two groups, the number of maps must be "
            "even.",
            "Ask yourself: into how many maps does each group of conv2 get, when conv1 has 29?",
            matches=layouts(*(PAPER.but(scaled=whole(*both)) for both in product((round, int), repeat=2))),
        ),
        Misconception(
            "always an even number of maps",
            "It looks as if numbers of maps are rounded to pairs, with one group too.",
            "Ask yourself: where in your rounding is groups?",
            matches=layouts(PAPER.but(scaled=in_pairs)),
        ),
        Misconception(
            "no smallest number of maps",
            "It looks as if a small width can leave a layer without maps or units. There is at least one in each "
            "group.",
            "Ask yourself: what is round(96 · 0.004 / 2)?",
            matches=layouts(PAPER.but(scaled=lambda n, w, g: round(n * w / g) * g)),
        ),
        Misconception(
            "always 6×6 before fc6",
            "It looks as if fc6 expects maps of 6×6, whatever image_size is. That is right for 227.",
            "Ask yourself: which side do the last maps have when the image has 115 pixels?",
            matches=layouts(PAPER.but(fixed_side=6)),
        ),
        Misconception(
            "impossible arguments accepted",
            "It looks as if a network is made where none can be: for images too small, or a number of groups other "
            "than 1 and 2.",
            "Ask yourself: what is the side of the last maps when the image has 66 pixels?",
            matches=accepted,
        ),
        Misconception(
            "smallest image refused",
            "It looks as if images of 67 pixels are refused. They leave one pixel after the last pool.",
            "Ask yourself: what is below 67, and what is 67 itself?",
            matches=smallest_refused,
        ),
        Misconception(
            "no biases",
            "It looks as if layers have no biases: bias=False.",
            "Ask yourself: of the 60,965,224 parameters, how many are biases?",
            matches=no_biases,
        ),
        Misconception(
            "softmax in forward",
            "It looks as if forward returns probabilities. cross_entropy takes the softmax itself and wants logits.",
            "Ask yourself: what does the softmax of a softmax look like, with a thousand classes?",
            matches=softmax,
        ),
        Misconception(
            "ReLU after fc8",
            "It looks as if the logits go through a ReLU, so that none is negative.",
            "Ask yourself: how does a network say that a class is unlikely, if logits end at 0?",
            matches=layouts(PAPER.but(last=lambda x: x.relu())),
        ),
        Misconception(
            "no ReLU in fc6 and fc7",
            "It looks as if fc6 and fc7 have no ReLU. Without one, three linear layers are one.",
            "Ask yourself: what is W₈(W₇(W₆x)), as one matrix?",
            matches=layouts(PAPER.but(hidden=False)),
        ),
        Misconception(
            "dropout always on",
            "It looks as if units are dropped in evaluation mode too: the same images give other logits every time.",
            "Ask yourself: how does F.dropout know whether the network is in training mode?",
            matches=always_on,
        ),
        Misconception(
            "no dropout",
            "It looks as if no unit is ever dropped.",
            "Ask yourself: what should be different between model.train() and model.eval()?",
            matches=dropping(Dropping(())),
        ),
        Misconception(
            "dropout once",
            "It looks as if the units of only one of fc6 and fc7 are dropped.",
            "Ask yourself: which layers does section 4.2 of the paper name?",
            matches=dropping(Dropping(("fc6",)), Dropping(("fc7",))),
        ),
        Misconception(
            "dropout before fc6 and fc7",
            "It looks as if the inputs of fc6 and fc7 are dropped, as in torchvision's AlexNet. In the paper it is "
            "their outputs.",
            "Ask yourself: which neurons does the paper set to zero, those of conv5 or those of fc7?",
            matches=dropping(Dropping((FEATURES, "fc6"))),
        ),
        Misconception(
            "dropout three times",
            "It looks as if a third mask drops something besides the units of fc6 and fc7: the maps before, or the "
            "logits.",
            "Ask yourself: what does the loss make of a logit that is set to 0?",
            matches=dropping(
                Dropping(("fc6", "fc7", "logits")), Dropping((FEATURES, "fc6", "fc7")), Dropping((*SITES, "logits"))
            ),
        ),
        Misconception(
            "kept units not doubled",
            "It looks as if the units that are kept in training are not doubled. The paper's way is to halve all of "
            "them in evaluation; here evaluation changes nothing.",
            "Ask yourself: what must be true of a unit's mean, in training and in evaluation?",
            matches=halved,
        ),
    ),
)
