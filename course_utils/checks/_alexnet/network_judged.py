"""How an AlexNet is tried and judged, and what is seen in the ones that are wrong."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.checks._alexnet.dropping import Dropping, dropping_fault, may_be
from course_utils.checks._alexnet.layout import PAPER, SMALLEST, Asked
from course_utils.checks.compare import describe_kind, difference
from course_utils.checks.describe import agrees

LAYOUT, WIDTHS, LOGITS = "layers at full size", "width, groups and image size", "logits in evaluation mode"
DROPOUT, REFUSED = "dropout in training mode", "impossible arguments"
TOLERANCE = {"rtol": 1e-6, "atol": 1e-7}  # float64, summed in any order


def call_alexnet(student, arguments, state, images, copies, training):
    import torch

    try:
        with torch.device("cpu" if state else "meta"):
            model = student(**arguments)
    except ValueError as error:
        return {"refused": str(error)}
    if not isinstance(model, torch.nn.Module):
        raise TypeError("the result AlexNet(...) is not a torch.nn.Module")
    if any(torch.nn.parameter.is_lazy(value) for value in model.state_dict().values()):
        raise TypeError("the result AlexNet(...) has a lazy layer, without a shape until it is used: give its sizes")
    shapes = {str(name): tuple(int(n) for n in value.shape) for name, value in model.state_dict().items()}
    if not state or shapes != {name: value.shape for name, value in state.items()}:
        return {"shapes": shapes}
    model.double().load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    model.train(training)
    found = []
    with torch.no_grad():
        for _ in range(2):
            logits = model(torch.tensor(images).repeat(copies, 1, 1, 1))
            if not isinstance(logits, torch.Tensor):
                raise TypeError("the result of the network is not a tensor: is a return missing?")
            found.append(logits.numpy())
    return {"logits": found[0], "again": found[1]}


# --- judging ----------------------------------------------------------------------------------------------------------


def _shapes_fault(wanted, got):
    for name, shape in wanted.items():
        if name not in got:
            return f"the state dict has no {name}"
        if got[name] != shape:
            return f"{name} has shape {got[name]}, should have shape {shape}"
    extra = [name for name in got if name not in wanted]
    return f"the state dict has {extra[0]}, which does not belong" if extra else None


@lru_cache(maxsize=1024)  # every idea is tried on what every student hands in
def _computed(layout, asked):
    inputs = asked.case.inputs
    return layout.logits(inputs["state"], inputs["images"], inputs["arguments"]["groups"])


def verify(case, outputs):
    arguments = case.inputs["arguments"]
    if not isinstance(outputs, dict):
        return f"the result is {describe_kind(outputs)}, should be a network"
    if case.aspect == REFUSED and "impossible" in case.hidden:
        number = str(case.hidden["impossible"])
        if "refused" not in outputs:
            return "AlexNet(...) is made, should raise a ValueError"
        return None if number in outputs["refused"] else f"the message of the ValueError does not mention {number}"
    if "refused" in outputs:
        return f"AlexNet(...) raises ValueError ({outputs['refused'][:120]})"
    wanted = PAPER.shapes(**arguments)
    if "shapes" in outputs:
        return _shapes_fault(wanted, outputs["shapes"]) or (
            "the state dict is right, no logits" if _runs(case) else None
        )
    if case.aspect == DROPOUT:
        return dropping_fault(case.hidden["probe"], outputs["logits"], outputs["again"])
    truth = _computed(PAPER, Asked(case))
    found = difference(truth, outputs["logits"], ("logits",), **TOLERANCE)
    if found is None and difference(outputs["logits"], outputs["again"], (), **TOLERANCE):
        return "in evaluation mode, the same images give other logits at a second call"
    return found


def _runs(case):
    return case.inputs["state"] is not None


# --- ideas ------------------------------------------------------------------------------------------------------------


def layouts(*candidates):
    """A `matches`: the network is built, and computes, as one of these layouts says."""

    def explained(layout, case, outputs):
        arguments = case.inputs["arguments"]
        possible = _possible(layout, arguments)
        if "refused" in outputs:
            return "impossible" in case.hidden or not possible
        if "shapes" in outputs:
            return outputs["shapes"] == layout.shapes(**arguments) and (possible or "impossible" not in case.hidden)
        if case.aspect == DROPOUT:  # the probes know no layout
            return verify(case, outputs) is None
        return agrees(_computed(layout, Asked(case)), outputs["logits"], **TOLERANCE)

    return lambda case, outputs: any(explained(layout, case, outputs) for layout in candidates)


def _possible(layout, arguments):
    """Whether such layers can be made at all: channels that groups divide, and something left after the last pool."""
    groups = arguments.get("groups", 2)
    counts = [layout.scaled(n, arguments.get("width", 1.0), groups) for n in layout.maps]
    left = layout.fixed_side or layout.side(arguments.get("image_size", layout.image_size)) > 0
    return bool(left) and not any(count % groups for count in counts)


def dropping(*candidates):
    """A `matches`: dropout acts as one of these says, in training mode."""

    def matches(case, outputs):
        if "probe" not in case.hidden:
            return verify(case, outputs) is None
        both = outputs["logits"], outputs["again"]
        return any(all(may_be(case.hidden["probe"], idea, drawn) for drawn in both) for idea in candidates)

    return matches


def always_on(case, outputs):
    return case.aspect == LOGITS and "logits" in outputs and bool(np.any(outputs["logits"] != outputs["again"]))


def softmax(case, outputs):
    """Rows that are probabilities, or their logarithms."""
    if "logits" not in outputs:
        return False
    rows = outputs["logits"]
    shares = rows if rows.min() >= 0 else np.exp(np.minimum(rows, 1.0))
    if not np.allclose(shares.sum(axis=1), 1, rtol=1e-9):
        return False
    if case.aspect == DROPOUT:
        return True
    truth = _computed(PAPER, Asked(case))
    powers = np.exp(truth - truth.max(axis=1, keepdims=True))
    return agrees(powers / powers.sum(axis=1, keepdims=True), shares, rtol=1e-5, atol=1e-7)


def halved(case, outputs):
    """The paper's own: nothing is doubled in training, and in evaluation units are halved."""
    if case.aspect == DROPOUT:
        return dropping(Dropping(("fc6", "fc7"), doubled=False))(case, outputs)
    if case.aspect != LOGITS or "logits" not in outputs:
        return False
    state = dict(case.inputs["state"])
    for name in ("fc7.weight", "fc8.weight"):
        state[name] = state[name] / 2
    wrong = PAPER.logits(state, case.inputs["images"], case.inputs["arguments"]["groups"])
    return agrees(wrong, outputs["logits"], **TOLERANCE)


def no_biases(case, outputs):
    wanted, got = PAPER.shapes(**case.inputs["arguments"]), outputs.get("shapes", {})
    missing = [name for name in wanted if name not in got]
    return bool(missing) and all(n.endswith("bias") for n in missing) and all(got[n] == wanted[n] for n in got)


def accepted(case, outputs):
    return ("impossible" in case.hidden and "shapes" in outputs) or verify(case, outputs) is None


def smallest_refused(case, outputs):
    """67 pixels are refused, and nothing else is wrong."""
    refused = "refused" in outputs and case.inputs["arguments"].get("image_size") == SMALLEST
    return refused or verify(case, outputs) is None


def elsewhere(case, outputs):
    """The right parameters, some of them under other names, or twice."""
    wanted, got = PAPER.shapes(**case.inputs["arguments"]), outputs.get("shapes", {})
    if sorted(wanted.values()) == sorted(got.values()):
        return set(wanted) != set(got)
    more = [shape for name, shape in got.items() if name not in wanted]
    twice = set(more) <= set(wanted.values()) and any(len(shape) > 1 for shape in more)
    return twice and all(got.get(name) == shape for name, shape in wanted.items())


def some_missing(case, outputs):
    """Whole layers are not in the state dict; the others are right."""
    wanted, got = PAPER.shapes(**case.inputs["arguments"]), outputs.get("shapes", {})
    missing = {name.partition(".")[0] for name in wanted if name not in got}
    kept = {name: shape for name, shape in wanted.items() if name.partition(".")[0] not in missing}
    return "shapes" in outputs and bool(missing) and got == kept


def whole(maps, units):
    """Numbers of maps and of units made whole by these functions, without the groups."""
    return lambda n, width, groups: max(1, (units if n == 4096 else maps)(n * width))


def in_pairs(n, width, groups):
    """Units are not split; the numbers of maps are made even."""
    return max(1, round(n * width)) if n == 4096 else 2 * max(1, round(n * width / 2))


# --- cases ------------------------------------------------------------------------------------------------------------
