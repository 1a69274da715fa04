"""xavier_normal, xavier_uniform, he_normal and he_uniform: samples, judged by `statistical`."""

from __future__ import annotations

import math
from collections.abc import Callable

from course_utils.checks._initialization.samples import (
    call_initializer,
    every_initializer,
    follows,
    normal_shape,
    sample_case,
    scaled,
    uniform_shape,
    verify_sample,
)
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.checks.statistical import NORMAL, UNIFORM, Law

LINEAR, CONVOLUTION, GAIN, SLOPE, RANDOM = "linear layers", "convolutions", "gain", "negative slope", "random numbers"


# --- variances ------------------------------------------------------------------------------------------------------


def kernel(shape):
    return math.prod(shape[2:])


def xavier(shape, gain=1.0):
    """gain² · 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 12, the gain as in PyTorch)."""
    return gain**2 * 2 / ((shape[0] + shape[1]) * kernel(shape))


def he(shape, negative_slope=0.0):
    """2 / ((1 + slope²) · fan_in) (He et al. 2015, eqs. 10 and 15)."""
    return 2 / ((1 + negative_slope**2) * shape[1] * kernel(shape))


# --- misconceptions -------------------------------------------------------------------------------------------------


def _wrong_variance(family, name, explanation, question, *variances, right=None):
    """With `right`, the right variance, a scale between that and the wrong one is not taken for the wrong one."""
    laws, right = [scaled(family, variance) for variance in variances], right and scaled(family, right)
    return Misconception(name, explanation, question, matches=follows(*laws, right=right))


def _times_gain(variance):
    """The gain as a factor of what stands for the standard deviation."""
    return lambda gain=1.0, **given: gain * variance(**given)


def _variance_as_std(family, *variances):
    # In a uniform law the variance, or three times it, may also stand for the bound.
    factors = (1.0,) if family == NORMAL else (1.0, 1 / math.sqrt(3), math.sqrt(3))
    laws = [lambda v=v, f=f, **given: Law(family, f * v(**given)) for v in variances for f in factors]
    return Misconception(
        "variance used as standard deviation",
        "It looks as if the variance stands where its square root belongs.",
        "Ask yourself: when all numbers are multiplied by c, what happens to their variance?",
        matches=follows(*laws),
    )


def xavier_misconceptions(family) -> tuple[Misconception, ...]:
    return (
        _wrong_variance(
            family,
            "only fan_in",
            "It looks as if your variance is 1 / fan_in. That keeps the forward signal alone.",
            "Ask yourself: which sum of variances does the backward pass make, and how many terms has it?",
            lambda shape, gain=1.0: gain**2 / (shape[1] * kernel(shape)),
        ),
        _wrong_variance(
            family,
            "only fan_out",
            "It looks as if your variance is 1 / fan_out. That keeps the backward signal alone.",
            "Ask yourself: how many terms are added in one output of the layer, and how many in the gradient of one "
            "input?",
            lambda shape, gain=1.0: gain**2 / (shape[0] * kernel(shape)),
        ),
        _wrong_variance(
            family,
            "the 2 forgotten",
            "It looks as if your variance is 1 / (fan_in + fan_out), half of what it should be.",
            "Ask yourself: if fan_in and fan_out are both n, what must the variance be, and what is yours?",
            lambda shape, gain=1.0: xavier(shape, gain) / 2,
        ),
        _wrong_variance(
            family,
            "He's variance",
            "It looks as if your variance is 2 / fan_in. That is He's, made for ReLU.",
            "Ask yourself: where does Xavier's 2 come from, and where He's?",
            lambda shape, gain=1.0: gain**2 * 2 / (shape[1] * kernel(shape)),
        ),
        _wrong_variance(
            family,
            "kernel elements forgotten",
            "It looks as if a convolution's fans are its channels alone.",
            "Ask yourself: how many products are added up in one output pixel of a 5×3 convolution with 24 channels?",
            lambda shape, gain=1.0: gain**2 * 2 / (shape[0] + shape[1]),
        ),
        _variance_as_std(family, xavier, _times_gain(xavier)),
        _wrong_variance(
            family,
            "root of the 2 alone",
            "It looks as if you divide √2 by the fans, which have lost their root.",
            "Ask yourself: what is the root of 2/n, when n is 50?",
            lambda shape, gain=1.0: xavier(shape, gain) / ((shape[0] + shape[1]) * kernel(shape)),
        ),
        _wrong_variance(
            family,
            "divided by the gain",
            "It looks as if you divide by the gain.",
            "Ask yourself: tanh makes signals smaller, and its gain is above 1. Which weights does it need?",
            lambda shape, gain=1.0: xavier(shape, 1 / gain),
        ),
        _wrong_variance(
            family,
            "gain ignored",
            "It looks as if the gain changes nothing.",
            "Ask yourself: what should happen to every weight when the gain is doubled?",
            lambda shape, gain=1.0: xavier(shape),
        ),
        _wrong_variance(
            family,
            "gain squared twice",
            "It looks as if the weights grow with the square of the gain.",
            "Ask yourself: the variance grows with gain²; how does the standard deviation grow?",
            lambda shape, gain=1.0: gain**4 * xavier(shape),
        ),
        _wrong_variance(
            family,
            "gain under the root",
            "It looks as if the variance is multiplied by the gain, so the weights grow with its square root.",
            "Ask yourself: when the gain is 4, how much larger should every weight be?",
            lambda shape, gain=1.0: gain * xavier(shape),
        ),
    )


def he_misconceptions(family) -> tuple[Misconception, ...]:
    return (
        _wrong_variance(
            family,
            "fan_out for fan_in",
            "It looks as if you divide by fan_out: perhaps the shape was read as (in, out).",
            "Ask yourself: in weights of shape (out, in), which number says how many terms one output adds up?",
            lambda shape, negative_slope=0.0: he((shape[1], shape[0], *shape[2:]), negative_slope),
        ),
        _wrong_variance(
            family,
            "Xavier's variance",
            "It looks as if your variance is 2 / (fan_in + fan_out). That is Xavier's.",
            "Ask yourself: does He's condition look at the forward pass, the backward pass, or both?",
            lambda shape, negative_slope=0.0: xavier(shape),
            lambda shape, negative_slope=0.0: 2 * xavier(shape) / (1 + negative_slope**2),
            right=he,
        ),
        _wrong_variance(
            family,
            "gain 1 under ReLU",
            "It looks as if your variance is 1 / fan_in. Under ReLU, each layer then halves the power of the signal.",
            "Ask yourself: which share of E[z²] is left after ReLU, when z is symmetric about 0?",
            lambda shape, negative_slope=0.0: 1 / (shape[1] * kernel(shape)),
            lambda shape, negative_slope=0.0: he(shape, negative_slope) / 2,
        ),
        _wrong_variance(
            family,
            "kernel elements forgotten",
            "It looks as if a convolution's fan_in is its number of input channels alone.",
            "Ask yourself: how many products are added up in one output pixel of a 5×3 convolution with 24 channels?",
            lambda shape, negative_slope=0.0: 2 / ((1 + negative_slope**2) * shape[1]),
        ),
        _variance_as_std(family, he),
        _wrong_variance(
            family,
            "root of the 2 alone",
            "It looks as if you divide √2 by fan_in, which has lost its root.",
            "Ask yourself: what is the root of 2/n, when n is 50?",
            lambda shape, negative_slope=0.0: he(shape, negative_slope) / (shape[1] * kernel(shape)),
        ),
        _wrong_variance(
            family,
            "multiplied by 1 + slope²",
            "It looks as if a slope below zero makes your weights larger.",
            "Ask yourself: when less of the signal is lost below zero, must the weights be larger or smaller?",
            lambda shape, negative_slope=0.0: he(shape) * (1 + negative_slope**2),
        ),
        _wrong_variance(
            family,
            "negative slope ignored",
            "It looks as if the slope below zero changes nothing.",
            "Ask yourself: at slope 1 there is no kink left; which variance keeps the signal then?",
            lambda shape, negative_slope=0.0: he(shape),
            right=he,
        ),
        _wrong_variance(
            family,
            "slope not squared",
            "It looks as if you divide by 1 + slope.",
            "Ask yourself: if a negative z is multiplied by the slope, by what is its square multiplied?",
            lambda shape, negative_slope=0.0: 2 / ((1 + negative_slope) * shape[1] * kernel(shape)),
            right=he,
        ),
    )


# --- cases ----------------------------------------------------------------------------------------------------------


def _layers(rng):
    return [
        sample_case(rng, LINEAR, (45, 160)),
        sample_case(rng, LINEAR, (160, 45)),
        sample_case(rng, CONVOLUTION, (16, 24, 5, 3)),
        sample_case(rng, CONVOLUTION, (30, 8, 3, 8)),
    ]


def _xavier_cases(rng):
    return [
        *_layers(rng),
        sample_case(rng, GAIN, (45, 160), gain=float(rng.uniform(1.6, 2.4))),
        sample_case(rng, GAIN, (16, 24, 3, 5), gain=float(rng.uniform(0.4, 0.6))),
        sample_case(rng, RANDOM, (45, 110), calls=2),
    ]


def _he_cases(rng):
    return [
        *_layers(rng),
        sample_case(rng, SLOPE, (60, 120), negative_slope=0.5),
        sample_case(rng, SLOPE, (16, 24, 3, 5), negative_slope=1.0),
        sample_case(rng, RANDOM, (45, 110), calls=2),
    ]


# --- stand-ins ------------------------------------------------------------------------------------------------------


def by_torch(method: str, option: Callable[..., dict]):
    """An initializer of PyTorch's, drawing from a generator that rng seeds; what experiments use meanwhile."""

    def initialize(shape, rng, *given, **named):
        import torch

        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        weights = torch.empty(*shape, dtype=torch.float64)
        return getattr(torch.nn.init, method)(weights, generator=generator, **option(*given, **named)).numpy()

    return initialize


def _initializer(name, family, variance, cases, misconceptions, shapes, stand_in, hints, minutes):
    return Exercise(
        name=name,
        cases=cases,
        call=call_initializer,
        verify=verify_sample(scaled(family, variance)),
        stand_in=lambda: stand_in,
        for_call=("seed", "calls"),
        builds_on=("fans",),
        difficulty=2,
        importance=5 if family == NORMAL else 3,
        minutes=minutes,
        hints=hints,
        misconceptions=(*misconceptions(family), *shapes(variance), *every_initializer()),
    )


xavier_normal = _initializer(
    "xavier_normal",
    NORMAL,
    xavier,
    _xavier_cases,
    xavier_misconceptions,
    normal_shape,
    by_torch("xavier_normal_", lambda gain=1.0: {"gain": gain}),
    (
        "Draw standard normal numbers and multiply them by the standard deviation you want. "
        "The variance is given, so take its root.",
        "fan_in and fan_out come from the shape, with the elements of one kernel counted in. "
        "rng.standard_normal(shape) has the right shape at once.",
        "std = gain * np.sqrt(2 / (fan_in + fan_out)), and the weights are std * rng.standard_normal(shape).",
    ),
    10,
)

xavier_uniform = _initializer(
    "xavier_uniform",
    UNIFORM,
    xavier,
    _xavier_cases,
    xavier_misconceptions,
    uniform_shape,
    by_torch("xavier_uniform_", lambda gain=1.0: {"gain": gain}),
    (
        "Which a gives numbers between −a and a the variance you want? Integrate w² / (2a) from −a to a.",
        "The variance is a² / 3, so a = √3 · std. fan_in and fan_out come from the shape, "
        "with the elements of one kernel counted in.",
        "bound = gain * np.sqrt(6 / (fan_in + fan_out)), and then rng.uniform(-bound, bound, size=shape).",
    ),
    10,
)

he_normal = _initializer(
    "he_normal",
    NORMAL,
    he,
    _he_cases,
    he_misconceptions,
    normal_shape,
    by_torch("kaiming_normal_", lambda negative_slope=0.0: {"a": negative_slope}),
    (
        "Draw standard normal numbers and multiply them by the standard deviation you want. "
        "Only fan_in counts here, the number of products in one output.",
        "fan_in is everything in the shape but the first number, multiplied together. "
        "The variance is 2 / ((1 + slope²) · fan_in); rng.normal asks for its root.",
        "fan_in = np.prod(shape[1:]), and the weights are rng.normal(0, np.sqrt(2 / ((1 + negative_slope**2) * "
        "fan_in)), size=shape).",
    ),
    10,
)

he_uniform = _initializer(
    "he_uniform",
    UNIFORM,
    he,
    _he_cases,
    he_misconceptions,
    uniform_shape,
    by_torch("kaiming_uniform_", lambda negative_slope=0.0: {"a": negative_slope}),
    (
        "Which a gives numbers between −a and a the variance you want? Integrate w² / (2a) from −a to a.",
        "The variance is a² / 3, so a = √3 · std, and the 2 of He's variance becomes a 6 under the root. "
        "fan_in is everything in the shape but the first number, multiplied together.",
        "bound = np.sqrt(6 / ((1 + negative_slope**2) * fan_in)), and then rng.uniform(-bound, bound, size=shape).",
    ),
    10,
)
