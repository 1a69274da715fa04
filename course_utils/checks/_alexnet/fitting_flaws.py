"""Wrong ideas about fit: updates by hand, and what their runs look like."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.fitting_judged import (
    ATOL,
    BATCHES,
    EVALUATION,
    FIRST_UNSEEN,
    NUMBERS,
    RTOL,
    batches_of,
    differs,
    mode_faults,
    one_order,
    rows_of,
    seed_fault,
    to_be_noted,
    verify_fit,
    weighted,
    weights_of,
)
from course_utils.checks._alexnet.fitting_runs import loss_and_gradient, paper, with_ones
from course_utils.checks.compare import difference


def like(*flaws):
    """A `matches`: training by hand with one of these flaws gives the same; what no flaw of these touches is right."""

    def matches(case, outputs):
        if case.aspect in (BATCHES, EVALUATION):
            return verify_fit(case, outputs) is None
        return any(differs(case, outputs, **flaw) is None for flaw in flaws)

    return matches


def updated(update):
    return {"update": update}


def ordinary(v, w, g, rate, momentum=0.9, decay=0.0005):
    """torch.optim.SGD."""
    v = momentum * v + g + decay * w
    return v, w - rate * v


def no_momentum(v, w, g, rate):
    return v, w - rate * (g + 0.0005 * w)


def nesterov(v, w, g, rate):
    v = paper(v, w, g, rate)
    return v, w + 0.9 * v - rate * (g + 0.0005 * w)


def torch_nesterov(v, w, g, rate):
    v = 0.9 * v + g + 0.0005 * w
    return v, w - rate * (g + 0.0005 * w + 0.9 * v)


def decay_without_rate(v, w, g, rate):
    v = 0.9 * v - 0.0005 * w - rate * g
    return v, w + v


def decay_beside(v, w, g, rate):
    v = 0.9 * v - rate * g
    return v, w + v - 0.0005 * rate * w


def decay_afterwards(v, w, g, rate):
    v = 0.9 * v - rate * g
    return v, (w + v) * (1 - 0.0005 * rate)


def decay_beside_without_rate(v, w, g, rate):
    v = 0.9 * v - rate * g
    return v, w + v - 0.0005 * w


def weights_alone(v, w, g, rate):
    decayed = w.copy()
    decayed[:, -1] = 0  # the biases
    v = paper(v, decayed, g, rate)
    return v, w + v


def no_decay(v, w, g, rate):
    v = 0.9 * v - rate * g
    return v, w + v


def only(aspects, holds):
    """A `matches` for the aspects that show an idea; the others are right."""

    def matches(case, outputs):
        return holds(case, outputs) if case.aspect in aspects else verify_fit(case, outputs) is None

    return matches


def repeats(case, outputs):
    return any(len(set(rows)) < len(rows) for run in outputs for rows in rows_of(case, run))


def drops(case, outputs):
    N, size = len(case.inputs["images"]), case.inputs["batch_size"]
    return all(len(set(rows)) == len(rows) == N - N % size for run in outputs for rows in rows_of(case, run))


def unweighted(means):
    """The mean over the batches, whatever their sizes."""
    return float(np.mean([mean for mean, _ in means]))


def last_one(means):
    return means[-1][0]


def noted(*ideas):
    """A `matches`: loss and error of the history are what one of these functions of a run makes them, all else is
    right."""

    def holds(case, outputs):
        if batches_of(case, outputs[0]) is None:
            return False
        found = {name: outputs[0][name] for name in ("loss", "validation_error")}
        return any(difference(idea(case, outputs[0]), found, (), RTOL, ATOL) is None for idea in ideas)

    return only((NUMBERS,), holds)


def lost(summary):
    """The loss of an epoch is `summary` of the mean losses and sizes of its batches."""
    return lambda case, run: to_be_noted(case, run, lost=summary)


def batch_errors(summary=weighted):
    """The error is the mean over the batches of the validation images; the loss is `summary` of its batches."""

    def expected(case, run):
        right = to_be_noted(case, run, lost=summary)
        truth, unseen = case.inputs["truth"], with_ones(case.inputs["unseen"])
        errors = []
        for parts, weights in zip(_evaluated(case, run), weights_of(case, run), strict=True):
            wrong = (unseen @ weights[-1].T).argmax(axis=1) != truth
            errors.append(float(np.mean([wrong[rows].mean() for rows in parts])))
        return {**right, "validation_error": errors}

    return expected


def _evaluated(case, run):
    """The rows of the validation images in each batch in which they were evaluated, epoch by epoch."""
    epochs, training = [], False
    for _, _, numbers in run["seen"]:
        rows = np.round(numbers).astype(int) - FIRST_UNSEEN
        if rows.min() >= 0:
            epochs += [[]] if training else []
            epochs[-1].append(rows)
        training = rows.min() < 0
    return epochs


def after_the_epoch(case, run):
    """The loss of all training images, measured when the epoch is over."""
    right = to_be_noted(case, run)
    images, labels = case.inputs["images"], case.inputs["labels"]
    return {**right, "loss": [loss_and_gradient(w[-1], images, labels)[0] for w in weights_of(case, run)]}


def of_all_epochs(case, run):
    """A sum of losses that is not set to 0 when an epoch begins."""
    right = to_be_noted(case, run)
    return {**right, "loss": np.cumsum(right["loss"]).tolist()}


def mean_of_all_epochs(case, run):
    """The same, and the count of images is not set to 0 either."""
    sums = of_all_epochs(case, run)
    return {**sums, "loss": [total / number for number, total in enumerate(sums["loss"], 1)]}


def modes(name):
    return only((EVALUATION,), lambda case, outputs: set(mode_faults(case, outputs[0])) == {name})


def in_training_set(case, outputs):
    if case.aspect == EVALUATION:
        return set(mode_faults(case, outputs[0])) == {"unseen"}
    return like({"evaluated": "images"})(case, outputs)


def seed_plays_no_part(case, outputs):
    return not one_order(case, outputs) and seed_fault(case, outputs) is not None
