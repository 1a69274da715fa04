"""repaired_he_normal: He's initialization with two bugs that has to be mended."""

from __future__ import annotations

from course_utils.checks._initialization.initializers import by_torch, he, kernel, xavier
from course_utils.checks._initialization.samples import (
    call_initializer,
    every_initializer,
    follows,
    normal_shape,
    sample_case,
    scaled,
    verify_sample,
)
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.statistical import NORMAL, Law


def _repair_cases(rng):
    # In a square layer the wrong fan does no harm: there, mending the spread alone shows.
    return [
        sample_case(rng, "linear layers", (45, 160)),
        sample_case(rng, "linear layers", (160, 45), calls=2),
        sample_case(rng, "convolutions", (16, 24, 5, 3)),
        sample_case(rng, "convolutions", (30, 8, 3, 8)),
        _square(sample_case(rng, "square layers", (80, 80))),
    ]


def _square(case):
    size = case.inputs["shape"][0]
    return Case(case.aspect, {**case.inputs, "shape": (size, size)})


def _by_fan_out(shape):
    return he((shape[1], shape[0], *shape[2:]))


repaired_he_normal = Exercise(
    name="repaired_he_normal",
    cases=_repair_cases,
    call=call_initializer,
    verify=verify_sample(scaled(NORMAL, he)),
    stand_in=lambda: by_torch("kaiming_normal_", dict),
    for_call=("seed", "calls"),
    builds_on=("fans",),
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Do not read the code first: measure. Draw the weights of a large layer and compare their standard deviation "
        "with √(2 / fan_in).",
        "Try a square layer, then a wide one, then a tall one. In the square layer one of the two bugs is silent, and "
        "the other one gives a standard deviation that is the square of what it should be.",
        "rng.normal takes the standard deviation, np.sqrt(2.0 / fan_in). And in (out, in, …), the inputs are shape[1]. "
        "There are two bugs.",
    ),
    misconceptions=(
        Misconception(
            "both bugs still there",
            "It looks as if the function still draws what the broken one drew.",
            "Ask yourself: for a layer of shape (80, 80), what should the standard deviation be, and what is it?",
            matches=follows(lambda shape: Law(NORMAL, _by_fan_out(shape))),
        ),
        Misconception(
            "fan mended, spread not",
            "It looks as if fan_in is right now, and the variance still stands where its square root belongs.",
            "Ask yourself: what does the second argument of rng.normal mean?",
            matches=follows(lambda shape: Law(NORMAL, he(shape))),
        ),
        Misconception(
            "spread mended, fan not",
            "It looks as if the square root is there, and fan_in still counts the outputs.",
            "Ask yourself: in weights of shape (out, in), which number says how many terms one output adds up?",
            matches=follows(scaled(NORMAL, _by_fan_out)),
        ),
        Misconception(
            "kernel lost in mending",
            "It looks as if linear layers are right now, and convolutions count their channels alone.",
            "Ask yourself: how many products are added up in one output pixel of a 5×3 convolution with 24 channels?",
            matches=follows(scaled(NORMAL, lambda shape: he(shape) * kernel(shape))),
        ),
        Misconception(
            "root of the fan alone",
            "It looks as if the standard deviation is 2 / √fan_in: the 2 is outside the root.",
            "Ask yourself: what is the variance of your weights, written as a fraction?",
            matches=follows(scaled(NORMAL, lambda shape: 2 * he(shape))),
        ),
        Misconception(
            "Xavier's variance",
            "It looks as if your variance is 2 / (fan_in + fan_out). That is Xavier's.",
            "Ask yourself: does He's condition look at the forward pass, the backward pass, or both?",
            matches=follows(scaled(NORMAL, xavier)),
        ),
        Misconception(
            "gain 1 under ReLU",
            "It looks as if your variance is 1 / fan_in. Under ReLU, each layer then halves the power of the signal.",
            "Ask yourself: which share of E[z²] is left after ReLU, when z is symmetric about 0?",
            matches=follows(scaled(NORMAL, lambda shape: he(shape) / 2)),
        ),
        *(wrong for wrong in normal_shape(he) if wrong.name == "uniform instead of normal"),
        *every_initializer(),
    ),
)
