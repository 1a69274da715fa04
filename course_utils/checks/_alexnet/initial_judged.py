"""How first weights are drawn, judged and recognized."""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks.statistical import NORMAL, Law, fault, fits

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


def repeated(outputs):
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
    if (pair := repeated(outputs)) is not None:
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


def verify(case, outputs):
    return _malformed(case, outputs) or FAULTS[case.aspect](case, outputs)


# --- ideas ------------------------------------------------------------------------------------------------------------


def in_aspect(aspect, test):
    """A `matches`: the test holds in this aspect's cases, and all others are right."""
    return lambda case, outputs: test(case, outputs) if case.aspect == aspect else verify(case, outputs) is None


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


def left_alone(kind, part):
    """Whether the parameters of this part stay as they were, in all layers whose names begin like this."""

    def test(case, outputs):
        names = [name for name in outputs["parameters"] if name.startswith(kind) and name.endswith(part)]
        return bool(names) and sorted(outputs["untouched"]) == sorted(names)

    return test


def zeros_left(case, outputs):
    """The biases of 1 are set, the others are as they were."""
    zeros = [name for name in _of(outputs, "bias") if name not in ONES]
    ones_set = all(np.all(value == 1) for name, value in _of(outputs, "bias").items() if name in ONES)
    return bool(ones_set) and sorted(outputs["untouched"]) == sorted(f"{name}.bias" for name in zeros)


def skipped(kind):
    """The layers whose names begin like this are left as they were, weights and biases."""

    def matches(case, outputs):
        if case.aspect in (RANDOM, MODEL):
            untouched = {name for name in outputs["untouched"] if name.startswith(kind)}
            return bool(untouched) or verify(case, outputs) is None
        return left_alone(kind, ("weight", "bias"))(case, outputs)

    return matches


def drawn_biases(case, outputs):
    together = np.concatenate([value.ravel() for value in _of(outputs, "bias").values()])
    return bool(np.ptp(together) > 0 and np.abs(together).max() < 7 * STD and not outputs["untouched"])


def everything_left(case, outputs):
    return len(outputs["untouched"]) == len(outputs["parameters"]) and outputs["returned"] == "another"


def other_weights(case, outputs):
    return repeated(outputs) is None and not outputs["repeats"]


def one_seed(case, outputs):
    return outputs["repeats"] and all(
        np.array_equal(value, outputs["third"][name]) for name, value in outputs["parameters"].items()
    )


# --- cases ------------------------------------------------------------------------------------------------------------
