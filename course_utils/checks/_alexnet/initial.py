"""alexnet_init: weights judged as a sample of N(0, 0.01²), and the biases that start at one.

`call` makes a model with layers of the right names, starts it twice from one seed and once from another, and reports
the parameters and what has become of the model.
"""

from __future__ import annotations

import math

from course_utils.checks._alexnet.initial_judged import (
    BIASES,
    LARGE,
    MODEL,
    ONES,
    RANDOM,
    SMALL,
    STD,
    WEIGHTS,
    call_init,
    drawn_biases,
    everything_left,
    in_aspect,
    left_alone,
    one_seed,
    ones_in,
    other_weights,
    repeated,
    skipped,
    verify,
    weights_follow,
    zeros_left,
)
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.statistical import NORMAL, UNIFORM, Law


def _cases(rng):
    def case(aspect, shapes, double=False):
        grown = {name: (shape[0] + int(rng.integers(0, 3)), *shape[1:]) for name, shape in shapes.items()}
        seed, another, before = (int(n) for n in rng.choice(2**31, size=3, replace=False))
        return Case(aspect, {"shapes": grown, "seed": seed, "another": another, "before": before, "double": double})

    without = {name: shape for name, shape in LARGE.items() if name not in ("conv3", "conv4", "fc7")}
    return [
        case(WEIGHTS, LARGE),
        case(WEIGHTS, without),
        case(BIASES, SMALL),
        case(BIASES, {name: SMALL[name] for name in ("conv1", "conv2", "fc6", "fc8")}, double=True),
        case(RANDOM, SMALL),
        case(MODEL, SMALL),
    ]


def _stand_in():
    from course_utils.checks._alexnet.standing_in import alexnet_init

    return alexnet_init


HIDDEN = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")

alexnet_init = Exercise(
    name="alexnet_init",
    cases=_cases,
    call=call_init,
    verify=verify,
    stand_in=_stand_in,
    for_call=("another", "before", "double"),
    forbidden=("torchvision", "torch.hub", "scipy", "sklearn"),
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Go through the model's layers by name. Every weight is drawn anew; the name alone decides on the bias.",
        "model.named_children() gives pairs (name, layer); leave out layers without a weight. A tensor's method "
        "normal_ takes mean, standard deviation and generator, and changes it in place; that needs torch.no_grad().",
        "generator = torch.Generator().manual_seed(seed), once; then for each layer "
        "layer.weight.normal_(0, 0.01, generator=generator) and layer.bias.fill_(1.0 if name in ones else 0.0).",
    ),
    misconceptions=(
        Misconception(
            "0.01 taken as the variance",
            "It looks as if the variance of your weights is 0.01, so that their standard deviation is 0.1.",
            "Ask yourself: does the paper's 0.01 need a root?",
            matches=weights_follow(lambda fan_in, fan_out: Law(NORMAL, math.sqrt(STD))),
        ),
        Misconception(
            "0.01 squared",
            "It looks as if the standard deviation of your weights is 0.0001: 0.01 squared.",
            "Ask yourself: does normal_ take a variance or a standard deviation?",
            matches=weights_follow(lambda fan_in, fan_out: Law(NORMAL, STD**2)),
        ),
        Misconception(
            "He's initialization",
            "It looks as if the spread of your weights is √(2 / fan_in), different for every layer. That came three "
            "years after AlexNet.",
            "Ask yourself: in the paper, does the spread depend on the size of the layer?",
            matches=weights_follow(
                lambda fan_in, fan_out: Law(NORMAL, math.sqrt(2 / fan_in)),
                lambda fan_in, fan_out: Law(NORMAL, math.sqrt(2 / fan_out)),
                lambda fan_in, fan_out: Law(UNIFORM, math.sqrt(2 / fan_in)),
            ),
        ),
        Misconception(
            "Xavier's initialization",
            "It looks as if the spread of your weights is √(2 / (fan_in + fan_out)), different for every layer.",
            "Ask yourself: in the paper, does the spread depend on the size of the layer?",
            matches=weights_follow(
                lambda fan_in, fan_out: Law(NORMAL, math.sqrt(2 / (fan_in + fan_out))),
                lambda fan_in, fan_out: Law(UNIFORM, math.sqrt(2 / (fan_in + fan_out))),
            ),
        ),
        Misconception(
            "uniform instead of normal",
            "It looks as if your weights are spread evenly over an interval.",
            "Ask yourself: which method of a tensor gives normal numbers?",
            matches=weights_follow(
                lambda fan_in, fan_out: Law(UNIFORM, STD / math.sqrt(3)),
                lambda fan_in, fan_out: Law(UNIFORM, STD),
                lambda fan_in, fan_out: Law(UNIFORM, STD / math.sqrt(12), STD / 2),
            ),
        ),
        Misconception(
            "only the convolutions",
            "It looks as if the fully connected layers keep the parameters that PyTorch gave them.",
            "Ask yourself: what is the standard deviation of fc6's weights after your function?",
            matches=skipped("fc"),
        ),
        Misconception(
            "only the fully connected layers",
            "It looks as if the convolutions keep the parameters that PyTorch gave them.",
            "Ask yourself: what is the standard deviation of conv1's weights after your function?",
            matches=skipped("conv"),
        ),
        Misconception(
            "biases left as they were",
            "It looks as if no bias is set: they are still the small random numbers that PyTorch gave them.",
            "Ask yourself: which line of your code writes to layer.bias?",
            matches=in_aspect(BIASES, left_alone("", "bias")),
        ),
        Misconception(
            "biases of zero not set",
            "It looks as if only the biases of 1 are set. Those of conv1, conv3 and fc8 are still the small random "
            "numbers that PyTorch gave them.",
            "Ask yourself: which value has conv1.bias before your function, and which line makes it 0?",
            matches=in_aspect(BIASES, zeros_left),
        ),
        Misconception(
            "biases drawn like weights",
            "It looks as if biases are random numbers too. They are all 1 or all 0 in a layer.",
            "Ask yourself: what should the inputs of conv2's ReLUs be like at the start?",
            matches=in_aspect(BIASES, drawn_biases),
        ),
        Misconception(
            "bias one everywhere",
            "It looks as if all biases are 1. In conv1, conv3 and fc8 they are 0.",
            "Ask yourself: which layers does section 5 of the paper name?",
            matches=ones_in(LARGE),
        ),
        Misconception(
            "bias zero everywhere",
            "It looks as if all biases are 0. In conv2, conv4, conv5, fc6 and fc7 they are 1.",
            "Ask yourself: with weights around 0.01 and a bias of 0, which inputs do the ReLUs of fc7 get?",
            matches=ones_in(()),
        ),
        Misconception(
            "zeros and ones exchanged",
            "It looks as if conv1, conv3 and fc8 have biases of 1, and the other layers 0.",
            "Ask yourself: which of the two lists in the text belongs to the 1?",
            matches=ones_in(("conv1", "conv3", "fc8")),
        ),
        Misconception(
            "bias one in every hidden layer",
            "It looks as if biases are 1 in conv1 or conv3 as well.",
            "Ask yourself: which convolutions does section 5 of the paper name?",
            matches=ones_in(
                HIDDEN,
                [name for name in HIDDEN if name != "conv1"],
                [name for name in HIDDEN if name != "conv3"],
            ),
        ),
        Misconception(
            "bias one in fc8",
            "It looks as if the biases of fc8 are 1. No ReLU follows it.",
            "Ask yourself: what does the softmax make of a 1 that is added to every logit?",
            matches=ones_in((*ONES, "fc8")),
        ),
        Misconception(
            "bias zero in fc6 and fc7",
            "It looks as if only convolutions have biases of 1. The hidden fully connected layers have them too.",
            "Ask yourself: which layers besides convolutions are followed by a ReLU?",
            matches=ones_in(("conv2", "conv4", "conv5")),
        ),
        Misconception(
            "seed not used",
            "It looks as if your numbers come from PyTorch's global generator, wherever that stands.",
            "Ask yourself: does somebody who draws a number before your function still get the same weights?",
            matches=in_aspect(RANDOM, other_weights),
        ),
        Misconception(
            "one fixed seed",
            "It looks as if the weights are the same for every seed.",
            "Ask yourself: where in your code is seed?",
            matches=in_aspect(RANDOM, one_seed),
        ),
        Misconception(
            "seeded anew for every layer",
            "It looks as if the generator starts again from seed in every layer, so that all layers begin with the "
            "same numbers.",
            "Ask yourself: how often does your line with manual_seed run?",
            matches=in_aspect(RANDOM, lambda case, outputs: repeated(outputs) is not None and outputs["repeats"]),
        ),
        Misconception(
            "a copy",
            "It looks as if you change a copy of the network, and the one that was given stays as it was.",
            "Ask yourself: an optimizer was made for the given network; which parameters will it move?",
            matches=everything_left,
        ),
        Misconception(
            "nothing returned",
            "It looks as if the network is changed and not returned.",
            "Ask yourself: what is model after model = alexnet_init(model, 0)?",
            matches=in_aspect(MODEL, lambda case, outputs: outputs["returned"] == "nothing"),
        ),
        Misconception(
            "no longer trained",
            "It looks as if parameters are replaced by ones without requires_grad.",
            "Ask yourself: which gradient does backward() leave in a tensor with requires_grad=False?",
            matches=in_aspect(MODEL, lambda case, outputs: bool(outputs["frozen"])),
        ),
    ),
)
