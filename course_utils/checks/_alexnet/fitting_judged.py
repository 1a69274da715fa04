"""fit: its cases, on a linear network in float64 whose training is worked out in NumPy, and how runs are judged.

With one batch for all images the order plays no part, so weights and learning rates have one right value. Small batches
are judged by which rows are seen: each image has its number in a pixel that the network does not use. The same batches
are then gone through by hand; and what a run should have noted is worked out from the weights it had.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.fitting_runs import loss_and_gradient, simulated, with_ones
from course_utils.checks.compare import difference
from course_utils.checks.exercise import Case

UPDATE, DIVISION, RATES, BATCHES, NUMBERS, EVALUATION = (
    "the update",
    "after a division",
    "the learning rate",
    "the batches",
    "loss and error",
    "modes",
)
RTOL, ATOL = 1e-5, 1e-6  # velocities in float32 are right too
FIRST_UNSEEN = 1001  # the validation images are numbered from here, the training images from 1
STILL = 1e-9  # a learning rate with which the weights stay what they are

# Ideas about the schedule; each gives other learning rates in the case of RATES.
SCHEDULES = {
    "divided after every epoch": {"enough": lambda waited, patience: True},
    "patience ignored": {"enough": lambda waited, patience: waited >= 1},
    "one epoch too late": {"enough": lambda waited, patience: waited > patience},
    "count not started afresh": {"after_division": None},
    "count never set back": {"after_best": lambda waited: waited},
    "compared with the epoch before": {"better": lambda error, best, last: error < last},
    "equal counts as a new best": {"better": lambda error, best, last: error <= best},
    "division forgotten": {"forgotten": True},
    "never divided": {"enough": lambda waited, patience: False},
    "learning rate of the next epoch": {"noted": "after"},
    "best forgotten": {"best_divided": lambda best, error: np.inf},
    "accuracy": {"watched": lambda share, loss: 1 - share},
    "loss watched": {"watched": lambda share, loss: loss},
    "training set": {"evaluated": "images"},
}
HARD_TO_SEE = ["count never set back", "loss watched", "equal counts as a new best", "never divided"]  # tried first


# --- cases ----------------------------------------------------------------------------------------------------------


def _inputs(rng, N, M, K, epochs, batch_size, patience, learning_rate, seeds=1):
    def images(count, first):
        x = (rng.integers(-32, 33, size=(count, 3, 2, 2)) / 32).astype(np.float32)
        x[:, 0, 0, 0] = (first + np.arange(count)) / 64
        return x

    seed = int(rng.integers(10_000))
    return {
        "images": images(N, 1),
        "labels": rng.integers(K, size=N),
        "unseen": images(M, FIRST_UNSEEN),
        "truth": rng.integers(K, size=M),
        "weight": rng.normal(size=(K, 11)),
        "bias": rng.normal(size=K),
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "patience": patience,
        "seeds": [seed, seed, seed + 1][:seeds],
    }


def fit_cases(rng):
    def rate():
        return round(float(rng.uniform(0.8, 1.2)), 3)

    def drawn(aspect, wanted, *sizes):
        """The first of random inputs whose training is `wanted`, and whose errors rounding cannot change."""
        while True:
            inputs = _inputs(rng, *sizes, rate())
            columns, _, margin = simulated(inputs)
            if margin > 1e-4 and wanted(inputs, columns["learning_rate"]):
                return Case(aspect, inputs)

    def divided_between(inputs, rates):
        return rates[5] > 0.5 * inputs["learning_rate"] and rates[7] < 0.5 * inputs["learning_rate"]

    def telling(inputs, rates):
        """Whether every idea about the schedule shows, and each in its own way."""
        found = [rates]
        for idea in HARD_TO_SEE + [name for name in SCHEDULES if name not in HARD_TO_SEE]:
            found.append(simulated(inputs, **SCHEDULES[idea])[0]["learning_rate"])
            if found[-1] in found[:-1]:
                return False
        return True

    return [
        drawn(UPDATE, lambda inputs, rates: True, 16, 9, 3, 7, 16, 50),
        Case(UPDATE, _inputs(rng, 9, 5, 2, 4, 4, 50, rate())),
        drawn(DIVISION, divided_between, 12, 11, 3, 10, 12, 2),
        drawn(RATES, telling, 30, 14, 4, 20, 30, 2),
        Case(BATCHES, _inputs(rng, 23, 9, 3, 4, 5, 50, STILL, seeds=3)),
        Case(NUMBERS, _inputs(rng, 22, 13, 3, 3, 8, 50, rate())),
        Case(EVALUATION, _inputs(rng, 12, 11, 3, 3, 5, 50, STILL)),
    ]


# --- judging --------------------------------------------------------------------------------------------------------


def passes_of(case, run):
    """The training passes of each epoch and the evaluating ones, as (mode, with gradients, numbers of the images)."""
    epochs, evaluating, training = [], [], False
    for gradients, mode, numbers in run["seen"]:
        numbers = [round(number) for number in numbers]
        if gradients and max(numbers) < FIRST_UNSEEN:
            if not training:
                epochs.append([])
            epochs[-1].append((mode, numbers))
            training = True
        else:
            evaluating.append((mode, gradients, numbers))
            training = False
    return epochs, evaluating


def batches_of(case, run):
    """The rows of the training images in each batch of each epoch; None where the network saw something else."""
    batches = [[np.array(numbers) - 1 for _, numbers in epoch] for epoch in passes_of(case, run)[0]]
    N = len(case.inputs["images"])
    known = all(0 <= row < N for epoch in batches for rows in epoch for row in rows)
    return batches if known and len(batches) == case.inputs["epochs"] else None


def weights_of(case, run):
    """The weights of each epoch: before each of its batches, and in the end. Each epoch ends with an evaluation."""
    weights, place = [], 0
    for epoch in batches_of(case, run):
        while not _trains(run["seen"][place]):
            place += 1
        weights.append(run["passed"][place : place + len(epoch) + 1])
        place += len(epoch)
    return weights


def _trains(one_pass):
    return one_pass[0] and round(max(one_pass[2])) < FIRST_UNSEEN


def rows_of(case, run):
    """The numbers of the training images, in the order of each epoch."""
    return [[number for _, numbers in epoch for number in numbers] for epoch in passes_of(case, run)[0]]


def _part(aspect, columns, weights):
    """What an aspect compares."""
    if aspect in (UPDATE, DIVISION):
        return {"weight and bias": weights}
    if aspect == RATES:
        return {"learning_rate": columns["learning_rate"]}
    return {"loss": columns["loss"], "validation_error": columns["validation_error"]}


def batch_means(case, run):
    """The mean loss of each batch, epoch by epoch, and how many images it has."""
    images, labels = case.inputs["images"], case.inputs["labels"]
    epochs = zip(batches_of(case, run), weights_of(case, run), strict=True)
    return [
        [
            (loss_and_gradient(w, images[rows], labels[rows])[0], len(rows))
            for rows, w in zip(batches, weights[:-1], strict=True)
        ]
        for batches, weights in epochs
    ]


def weighted(means):
    """The mean over the images of all batches."""
    return sum(mean * rows for mean, rows in means) / sum(rows for _, rows in means)


def to_be_noted(case, run, measure=lambda share: share, evaluated="unseen", lost=weighted, **irrelevant):
    """Loss and error as they follow from the weights that a run had, however it came to them.

    lost: the loss of an epoch, from the mean losses and sizes of its batches.
    """
    images, truth = (case.inputs[name] for name in (("images", "labels"), ("unseen", "truth"))[evaluated == "unseen"])
    after = [weights[-1] for weights in weights_of(case, run)]
    shares = [1 - float(((with_ones(images) @ w.T).argmax(axis=1) == truth).mean()) for w in after]
    return {
        "loss": [lost(means) for means in batch_means(case, run)],
        "validation_error": [measure(share) for share in shares],
    }


def differs(case, outputs, **flaw):
    """The first difference between a run and the training by hand, as a sentence."""
    run = outputs[0]
    small = case.inputs["batch_size"] < len(case.inputs["images"])
    batches = batches_of(case, run) if small else None
    if small and batches is None:
        return "the network is not trained with the images of data.train, or not evaluated after each epoch"
    if case.aspect == NUMBERS:
        expected = to_be_noted(case, run, **flaw)
    else:
        columns, weights, _ = simulated(case.inputs, batches=batches, **flaw)
        expected = _part(case.aspect, columns, weights)
    return difference(expected, _part(case.aspect, run, run["weights"]), (), RTOL, ATOL)


def verify_fit(case, outputs):
    if len(outputs) != len(case.inputs["seeds"]):
        return "there is no history for each seed"
    if case.aspect == BATCHES:
        return _batch_fault(case, outputs)
    if case.aspect == EVALUATION:
        return next(iter(mode_faults(case, outputs[0]).values()), None)
    return differs(case, outputs)


def _batch_fault(case, outputs):
    N, size, epochs = len(case.inputs["images"]), case.inputs["batch_size"], case.inputs["epochs"]
    for run in outputs:
        rows = rows_of(case, run)
        if len(rows) != epochs:
            return f"there are {len(rows)} epochs with training batches, should be {epochs}"
        for number, used in enumerate(rows, 1):
            if sorted(used) != list(range(1, N + 1)):
                return f"epoch {number} uses {len(set(used))} of {N} images, and {len(used) - len(set(used))} again"
        sizes = [len(numbers) for _, numbers in passes_of(case, run)[0][0]]
        if sizes != [size] * (N // size) + [N % size] * (N % size > 0):
            return f"the batches of an epoch have {', '.join(map(str, sizes))} images; batch_size is {size}, N is {N}"
    if one_order(case, outputs):
        return "the batches are the same in two epochs"
    return seed_fault(case, outputs)


def one_order(case, outputs):
    """Whether the batches of all epochs hold the same images."""
    made = [[sorted(numbers) for _, numbers in epoch] for epoch in passes_of(case, outputs[0])[0]]
    return len(made) > 1 and all(sorted(epoch) == sorted(made[0]) for epoch in made)


def seed_fault(case, outputs):
    first, again, other = (rows_of(case, run) for run in outputs)
    if first != again:
        return f"two runs with seed {case.inputs['seeds'][0]} have different orders"
    if first == other:
        return f"the seeds {case.inputs['seeds'][0]} and {case.inputs['seeds'][2]} give the same orders"
    return None


def mode_faults(case, run):
    """Name → sentence, for all that is wrong with the modes of a run."""
    epochs, evaluating = passes_of(case, run)
    unseen = set(range(FIRST_UNSEEN, FIRST_UNSEEN + len(case.inputs["unseen"])))
    asked = [number for _, _, numbers in evaluating for number in numbers if number >= FIRST_UNSEEN]
    faults = {}
    if not epochs or not all(mode for epoch in epochs for mode, _ in epoch):
        faults["training"] = "the network is not in training mode when it is trained"
    if set(asked) != unseen or len(asked) < len(unseen) * case.inputs["epochs"]:
        faults["unseen"] = "not every validation image is evaluated after each epoch"
    if any(mode for mode, _, _ in evaluating):
        faults["mode"] = "the validation error is measured in training mode"
    if any(gradients for _, gradients, _ in evaluating):
        faults["gradients"] = "gradients are recorded while the validation error is measured"
    return faults
