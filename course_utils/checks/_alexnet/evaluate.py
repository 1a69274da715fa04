"""repaired_evaluate: mean cross-entropy and top-1 error in batches, with three bugs that have to be mended."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.evaluate_answers import (
    ATOL,
    BATCH,
    NUMBERS,
    RTOL,
    all_at_once,
    any_of,
    batches_alike,
    both,
    call_repaired_evaluate,
    evaluate_by_torch,
    of_batches,
    of_probabilities,
    softmax_twice,
    used_otherwise,
    variant_of,
)
from course_utils.checks._alexnet.small_models import EVALUATION, TRAINING, answers, left_wrongly, weights
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _clear(inputs):
    """Whether float32 answers the same, with dropout and without: no other class is nearly as likely as the best."""
    model = [inputs[name] for name in ("images", "hidden", "output", "bias", "kept")]
    best = [np.sort(answers(*model, mode), axis=1)[:, -2:] for mode in (TRAINING, EVALUATION)]
    return min(np.diff(two, axis=1).min() for two in best) > 1e-4


def _cases(rng):
    def case(aspect, number, shape, classes, mode=EVALUATION, watched=False, make=lambda array: array):
        while True:
            inputs = {
                "images": make(rng.normal(size=(number, *shape)).astype(np.float32)),
                **weights(rng, int(np.prod(shape)), classes),
                "mode": mode,
                "watched": watched,
            }
            if _clear(inputs):
                break
        logits = answers(*(inputs[name] for name in ("images", "hidden", "output", "bias", "kept")))
        labels = logits.argmax(axis=1)
        wrong = rng.random(number) < np.where(np.arange(number) < number // BATCH * BATCH, 0.3, 0.8)  # a bad last batch
        labels[wrong] = (labels[wrong] + rng.integers(1, classes, size=wrong.sum())) % classes
        return Case(aspect, {**inputs, "labels": labels.astype(np.int64)})

    full, short, modes = "full batches", "a short last batch", "modes and gradients"
    return [
        case(full, 64, (2, 3, 5), 4),
        case(full, 128, (1, 4, 3), 7, make=strided),
        case(short, 71, (3, 2, 4), 5),
        case(short, 129, (2, 4, 3), 6, make=strided),
        case(modes, 81, (2, 3, 4), 5, TRAINING, True),
        case(modes, 139, (1, 5, 3), 6, EVALUATION, True),
    ]


repaired_evaluate = Exercise(
    name="repaired_evaluate",
    cases=_cases,
    call=call_repaired_evaluate,
    expected=through(call_repaired_evaluate, evaluate_by_torch),
    stand_in=lambda: evaluate_by_torch,
    outputs=NUMBERS,
    for_call=("hidden", "output", "bias", "kept", "watched"),
    rtol=RTOL,
    atol=ATOL,
    forbidden=("scipy", "sklearn", "torchvision"),
    difficulty=3,
    importance=5,
    minutes=15,
    hints=(
        "Measure first: the same network and images, once in batches of 64 and once in one batch; twice in a row in "
        "training mode; and the loss of a network that is always sure and always right.",
        "cross_entropy expects logits. Dropout must be off while the model answers, and the model's mode must come "
        "back. A last batch of 7 images must not weigh as much as one of 64.",
        "was_training = model.training; model.eval(); for each batch loss += cross_entropy(logits, truth, "
        'reduction="sum").item() and wrong += (logits.argmax(dim=1) != truth).sum().item(); both divided by '
        "len(images); model.train(was_training).",
    ),
    misconceptions=(
        Misconception(
            "all three bugs still there",
            "It looks as if your function still computes what the broken one did.",
            "Ask yourself: what does cross_entropy expect, in which mode does the model answer, and how much does an "
            "image of the last batch weigh?",
            variant_of(softmax_twice, batches_alike, batches_alike, answering="as it was"),
        ),
        Misconception(
            "still a softmax before the loss",
            "It looks as if one bug is left: cross_entropy gets probabilities, and does a second softmax.",
            "Ask yourself: how small can the loss of a right answer become when the largest input is 1 and the others "
            "are 0?",
            matches=any_of(*used_otherwise(softmax_twice)),
        ),
        Misconception(
            "still no evaluation mode",
            "It looks as if one bug is left: the model answers in the mode in which it came, with dropout at work.",
            "Ask yourself: which method of the model switches dropout off?",
            matches=any_of(
                variant_of(answering="as it was"), variant_of(answering="as it was", **{"gradients recorded": True})
            ),
        ),
        Misconception(
            "still a mean of batch means",
            "It looks as if one bug is left: the last, short batch weighs as much as the others.",
            "Ask yourself: of 65 images in batches of 64, which share of your mean does the last one have?",
            matches=any_of(*used_otherwise(losses=batches_alike, errors=batches_alike)),
        ),
        Misconception(
            "only the loss mended",
            "It looks as if cross_entropy gets logits now, and the other two bugs are left.",
            "Ask yourself: in which mode does the model answer, and how much does an image of the last batch weigh?",
            variant_of(losses=batches_alike, errors=batches_alike, answering="as it was"),
        ),
        Misconception(
            "only the mode mended",
            "It looks as if the model is in evaluation mode now, and the other two bugs are left.",
            "Ask yourself: what does cross_entropy expect, and how much does an image of the last batch weigh?",
            matches=any_of(*used_otherwise(softmax_twice, batches_alike, batches_alike)),
        ),
        Misconception(
            "only the batches mended",
            "It looks as if all images weigh the same now, and the other two bugs are left.",
            "Ask yourself: what does cross_entropy expect, and in which mode does the model answer?",
            variant_of(softmax_twice, answering="as it was"),
        ),
        Misconception(
            "error still a mean of batch means",
            "It looks as if the loss is mended, and in the error the last, short batch still weighs as much as the "
            "others.",
            "Ask yourself: does your error change with the size of the batches?",
            variant_of(errors=batches_alike),
        ),
        Misconception(
            "loss still a mean of batch means",
            "It looks as if the error is mended, and in the loss the last, short batch still weighs as much as the "
            "others.",
            "Ask yourself: does your loss change with the size of the batches?",
            variant_of(losses=batches_alike),
        ),
        *left_wrongly(variant_of, any_of),
        Misconception(
            "all images at once",
            "It looks as if the model gets all images in one batch. A large test set would not fit into memory.",
            "Ask yourself: how much memory do the activations of 50,000 images need?",
            all_at_once,
        ),
        Misconception(
            "full batches alone",
            "It looks as if the images of the last, short batch are left out.",
            "Ask yourself: of 65 images, how many does your loop see?",
            matches=any_of(
                both(lambda values: values[: len(values) // BATCH * BATCH].mean()),
                both(lambda values: values[: len(values) // BATCH * BATCH].sum() / len(values)),
            ),
        ),
        Misconception(
            "last batch alone",
            "It looks as if your numbers are those of the last batch alone.",
            "Ask yourself: does your loop add to its numbers, or replace them?",
            both(of_batches(lambda means: means[-1])),
        ),
        Misconception(
            "batch means divided by the number of images",
            "It looks as if means of batches are added, and divided by the number of images.",
            "Ask yourself: by how many images must a batch's mean be multiplied to be its sum?",
            matches=any_of(
                variant_of(losses=lambda values: of_batches(np.sum)(values) / len(values)),
                both(lambda values: of_batches(np.sum)(values) / len(values)),
            ),
        ),
        Misconception(
            "sums divided by the number of batches",
            "It looks as if sums over the images are divided by the number of batches.",
            "Ask yourself: how many numbers were added up?",
            matches=any_of(
                both(lambda values: values.sum() / np.ceil(len(values) / BATCH)),
                variant_of(losses=lambda values: values.sum() / np.ceil(len(values) / BATCH)),
            ),
        ),
        Misconception(
            "each batch as if it were full",
            "It looks as if the mean of each batch is multiplied by 64, that of the short one too.",
            "Ask yourself: how many images has the last batch?",
            matches=any_of(
                both(lambda values: of_batches(np.sum)(values) * BATCH / len(values)),
                variant_of(losses=lambda values: of_batches(np.sum)(values) * BATCH / len(values)),
            ),
        ),
        Misconception(
            "negative log-likelihood of probabilities",
            "It looks as if nll_loss gets probabilities. It takes logarithms for granted, and computes none.",
            "Ask yourself: can a cross-entropy be negative?",
            variant_of(of_probabilities),
        ),
        Misconception(
            "accuracy instead of error",
            "It looks as if your second number is the share of right answers.",
            "Ask yourself: should a better network have a larger or a smaller error?",
            variant_of(errors=lambda wrong: 1 - wrong.mean()),
        ),
        Misconception(
            "number of errors",
            "It looks as if you count the wrong answers and do not divide by the number of images.",
            "Ask yourself: between which two numbers does a share lie?",
            variant_of(errors=np.sum),
        ),
        Misconception(
            "percent",
            "It looks as if your error is in percent.",
            "Ask yourself: between which two numbers does a share lie?",
            variant_of(errors=lambda wrong: 100 * wrong.mean()),
        ),
        Misconception(
            "error first",
            "It looks as if the error comes before the cross-entropy.",
            "Ask yourself: in which order does the docstring name the two numbers?",
            variant_of(change=lambda loss, error: (error, loss)),
        ),
    ),
)
