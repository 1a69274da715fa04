"""alexnet_init: weights judged as a sample of N(0, 0.01²), and the biases that start at one.

`call` makes a model with layers of the right names, starts it twice from one seed and once from another, and reports
the parameters and what has become of the model.
"""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.statistical import NORMAL, UNIFORM, Law, fault, fits

WEIGHTS, BIASES, RANDOM, MODEL = "weights", "biases", "random numbers", "the network itself"
STD = 0.01
ONES = ("conv2", "conv4", "conv5", "fc6", "fc7")
PAPER = Law(NORMAL, STD)
# About the smallest layers whose spread is still known to a tenth.
LARGE = {
    "conv1": (24, 3, 7, 5),
    "conv2": (40, 8, 3, 4),
    "conv3": (30, 20, 3, 2),
    "conv4": (36, 18, 2, 3),
    "conv5": (20, 22, 3, 3),
    "fc6": (48, 70),
    "fc7": (60, 48),
    "fc8": (45, 60),
}
SMALL = {name: (5, 6, *[2] * (len(shape) - 2)) for name, shape in LARGE.items()}


def call_init(student, shapes, seed, another, before, double):
    import torch

    torch.manual_seed(before)

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, shape in shapes.items():
                if len(shape) == 4:
                    layer = torch.nn.Conv2d(shape[1], shape[0], tuple(shape[2:]))
                else:
                    layer = torch.nn.Linear(shape[1], shape[0])
                setattr(self, name, layer.double() if double else layer)
            self.relu = torch.nn.ReLU()

    def parameters(model):
        return {name: value.detach().clone().numpy() for name, value in model.named_parameters()}

    model, twin, other = Network(), Network(), Network()
    start = parameters(model)
    made = student(model, seed)
    torch.rand(17)
    student(twin, seed)
    student(other, another)
    found, again, third = parameters(model), parameters(twin), parameters(other)
    return {
        "parameters": found,
        "untouched": [name for name in found if bool((found[name] == start[name]).all())],
        "repeats": all(bool((found[name] == again[name]).all()) for name in found if name.endswith("weight")),
        "third": third,
        "returned": "model" if made is model else "nothing" if made is None else "another",
        "frozen": [name for name, value in model.named_parameters() if not value.requires_grad],
    }


# --- judging ----------------------------------------------------------------------------------------------------------


def _of(outputs, kind):
    """Layer → weight or bias."""
    ends = f".{kind}"
    return {name.removesuffix(ends): value for name, value in outputs["parameters"].items() if name.endswith(ends)}


def _biases(outputs, ones):
    """Whether the biases are 1 in these layers and 0 in the others."""
    return all(bool(np.all(value == float(name in ones))) for name, value in _of(outputs, "bias").items())


def _repeated(outputs):
    """The first two layers whose weights begin with the same numbers; None if no two do."""
    seen = {}
    for name, value in _of(outputs, "weight").items():
        begin = value.ravel()[:8].tobytes()
        if begin in seen:
            return seen[begin], name
        seen[begin] = name
    return None


def _malformed(case, outputs):
    kind = np.float64 if case.inputs["double"] else np.float32
    for name, shape in case.inputs["shapes"].items():
        for part, wanted in (("weight", tuple(shape)), ("bias", (shape[0],))):
            value = outputs["parameters"].get(f"{name}.{part}")
            if not isinstance(value, np.ndarray) or value.shape != wanted:
                return f"{name}.{part} no longer has its shape {wanted}"
            if value.dtype != kind:
                return f"{name}.{part} is now of {value.dtype}, should stay of {np.dtype(kind)}"
            if not np.isfinite(value).all():
                return f"{name}.{part} holds NaN or infinity"
    return None


def _weights_fault(case, outputs):
    for name, value in _of(outputs, "weight").items():
        if f"{name}.weight" in outputs["untouched"]:
            return f"{name}.weight is still what it was before"
        if (found := fault(value, value.shape, PAPER)) is not None:
            return f"{name}.weight: {found}"
    return None


def _biases_fault(case, outputs):
    for name, value in _of(outputs, "bias").items():
        wanted = float(name in ONES)
        if not np.all(value == wanted):
            return f"{name}.bias holds {value.ravel()[int(np.argmax(value != wanted))]:.4g}, should hold {wanted:g}"
    return None


def _random_fault(case, outputs):
    if (pair := _repeated(outputs)) is not None:
        return f"{pair[0]} and {pair[1]} start with the same weights, should be drawn one after the other"
    if not outputs["repeats"]:
        return "with the same seed, a second network starts with other weights"
    for name, value in _of(outputs, "weight").items():
        if np.array_equal(value, outputs["third"].get(f"{name}.weight")):
            return f"with another seed, {name} starts with the same weights"
    return None


def _model_fault(case, outputs):
    if len(outputs["untouched"]) == len(outputs["parameters"]):
        return "the network that was given is unchanged, should be changed in place"
    if outputs["returned"] == "nothing":
        return "the result is None: is a return missing?"
    if outputs["returned"] != "model":
        return "the result is not the network that was given"
    return f"{outputs['frozen'][0]} can no longer be trained: requires_grad is False" if outputs["frozen"] else None


FAULTS = {WEIGHTS: _weights_fault, BIASES: _biases_fault, RANDOM: _random_fault, MODEL: _model_fault}


def _verify(case, outputs):
    return _malformed(case, outputs) or FAULTS[case.aspect](case, outputs)


# --- ideas ------------------------------------------------------------------------------------------------------------


def in_aspect(aspect, test):
    """A `matches`: the test holds in this aspect's cases, and all others are right."""
    return lambda case, outputs: test(case, outputs) if case.aspect == aspect else _verify(case, outputs) is None


def weights_follow(*laws):
    """Every layer's weights fit one of these wrong laws, which are functions of (fan_in, fan_out)."""

    def follow(case, outputs):
        def fans(weight):
            kernel = math.prod(weight.shape[2:])
            return weight.shape[1] * kernel, weight.shape[0] * kernel

        weights = _of(outputs, "weight").values()
        return not outputs["untouched"] and any(all(fits(w, law(*fans(w))) for w in weights) for law in laws)

    return in_aspect(WEIGHTS, follow)


def ones_in(*choices):
    """The biases are 1 in just these layers."""
    return in_aspect(BIASES, lambda case, outputs: any(_biases(outputs, ones) for ones in choices))


def _left(kind, part):
    """Whether the parameters of this part stay as they were, in all layers whose names begin like this."""

    def test(case, outputs):
        names = [name for name in outputs["parameters"] if name.startswith(kind) and name.endswith(part)]
        return bool(names) and sorted(outputs["untouched"]) == sorted(names)

    return test


def _zeros_left(case, outputs):
    """The biases of 1 are set, the others are as they were."""
    zeros = [name for name in _of(outputs, "bias") if name not in ONES]
    ones_set = all(np.all(value == 1) for name, value in _of(outputs, "bias").items() if name in ONES)
    return bool(ones_set) and sorted(outputs["untouched"]) == sorted(f"{name}.bias" for name in zeros)


def _skipped(kind):
    """The layers whose names begin like this are left as they were, weights and biases."""

    def matches(case, outputs):
        if case.aspect in (RANDOM, MODEL):
            left = {name for name in outputs["untouched"] if name.startswith(kind)}
            return bool(left) or _verify(case, outputs) is None
        return _left(kind, ("weight", "bias"))(case, outputs)

    return matches


def _drawn_biases(case, outputs):
    together = np.concatenate([value.ravel() for value in _of(outputs, "bias").values()])
    return bool(np.ptp(together) > 0 and np.abs(together).max() < 7 * STD and not outputs["untouched"])


def _everything_left(case, outputs):
    return len(outputs["untouched"]) == len(outputs["parameters"]) and outputs["returned"] == "another"


def _other_weights(case, outputs):
    return _repeated(outputs) is None and not outputs["repeats"]


def _one_seed(case, outputs):
    return outputs["repeats"] and all(
        np.array_equal(value, outputs["third"][name]) for name, value in outputs["parameters"].items()
    )


# --- cases ------------------------------------------------------------------------------------------------------------


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
    verify=_verify,
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
            matches=_skipped("fc"),
        ),
        Misconception(
            "only the fully connected layers",
            "It looks as if the convolutions keep the parameters that PyTorch gave them.",
            "Ask yourself: what is the standard deviation of conv1's weights after your function?",
            matches=_skipped("conv"),
        ),
        Misconception(
            "biases left as they were",
            "It looks as if no bias is set: they are still the small random numbers that PyTorch gave them.",
            "Ask yourself: which line of your code writes to layer.bias?",
            matches=in_aspect(BIASES, _left("", "bias")),
        ),
        Misconception(
            "biases of zero not set",
            "It looks as if only the biases of 1 are set. Those of conv1, conv3 and fc8 are still the small random "
            "numbers that PyTorch gave them.",
            "Ask yourself: which value has conv1.bias before your function, and which line makes it 0?",
            matches=in_aspect(BIASES, _zeros_left),
        ),
        Misconception(
            "biases drawn like weights",
            "It looks as if biases are random numbers too. They are all 1 or all 0 in a layer.",
            "Ask yourself: what should the inputs of conv2's ReLUs be like at the start?",
            matches=in_aspect(BIASES, _drawn_biases),
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
            matches=in_aspect(RANDOM, _other_weights),
        ),
        Misconception(
            "one fixed seed",
            "It looks as if the weights are the same for every seed.",
            "Ask yourself: where in your code is seed?",
            matches=in_aspect(RANDOM, _one_seed),
        ),
        Misconception(
            "seeded anew for every layer",
            "It looks as if the generator starts again from seed in every layer, so that all layers begin with the "
            "same numbers.",
            "Ask yourself: how often does your line with manual_seed run?",
            matches=in_aspect(RANDOM, lambda case, outputs: _repeated(outputs) is not None and outputs["repeats"]),
        ),
        Misconception(
            "a copy",
            "It looks as if you change a copy of the network, and the one that was given stays as it was.",
            "Ask yourself: an optimizer was made for the given network; which parameters will it move?",
            matches=_everything_left,
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
