"""Wrong ideas about fit: updates by hand, and what their runs look like."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.fitting_judged import (
    BATCHES,
    EVALUATION,
    NUMBERS,
    RTOL,
    differs,
    mode_faults,
    one_order,
    passes_of,
    rows_of,
    seed_fault,
    verify_fit,
)
from course_utils.checks._alexnet.fitting_runs import loss_and_gradient, paper, simulated
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


def decays_without_rate(case, outputs):
    if case.aspect == NUMBERS:  # with next to no learning rate the weights shrink nevertheless, and the loss with them
        loss = np.array(outputs[0]["loss"]), np.array(simulated(case.inputs)[0]["loss"])
        return bool(np.all(np.abs(loss[0] - loss[1]) < 0.05 * loss[1]))
    return like(updated(decay_without_rate), updated(decay_beside_without_rate))(case, outputs)


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


def batch_means(case, outputs):
    """The mean loss of each batch, epoch by epoch."""
    start = np.concatenate([case.inputs["weight"], case.inputs["bias"][:, None]], axis=1)
    losses = loss_and_gradient(start, case.inputs["images"], case.inputs["labels"])[1]
    epochs = passes_of(case, outputs[0])[0]
    return [[losses[np.array(numbers) - 1].mean() for _, numbers in epoch] for epoch in epochs]


def loss_like(summary):
    """A `matches`: the loss of an epoch is `summary` of the mean losses of its batches, all else is right."""

    def holds(case, outputs):
        loss = [summary(means) for means in batch_means(case, outputs)]
        return difference(loss, outputs[0]["loss"], (), RTOL, 1e-9) is None

    return only((NUMBERS,), holds)


def modes(name):
    return only((EVALUATION,), lambda case, outputs: set(mode_faults(case, outputs[0])) == {name})


def in_training_set(case, outputs):
    if case.aspect == EVALUATION:
        return set(mode_faults(case, outputs[0])) == {"unseen"}
    return like({"evaluated": "images"})(case, outputs)


def seed_plays_no_part(case, outputs):
    return not one_order(case, outputs) and seed_fault(case, outputs) is not None
