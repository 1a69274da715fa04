"""regularized_training: judged by how far it beats an unregularized network on images it has not seen.

A quarter of the 200 training labels are wrong, so a network that learns them all by heart pays for it.
`BASELINE` is what 64 tanh units trained until every label is learned reach, in the median over 300 draws of the data.
Each of the three seeds has 200 images of its own and is asked about all others, which makes the median steadier.

Measured medians of three seeds, mean and standard deviation over draws (300 of the baseline, 400 of the reference):
                 asked for   baseline          reference
unseen digits    0.76        0.682 ± 0.020     0.874 ± 0.013 (lowest 0.821)
other sizes      0.81        0.732 ± 0.021     0.929 ± 0.021 (lowest 0.860)
The bars are 8.5 and 5.6 standard deviations below the reference (no failure in 400 draws; under 1e-7 if normal) and
4.0 and 3.7 above the baseline, which failed in all 300 draws.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.trained import (
    accuracy,
    all_digits,
    are_scores,
    differ,
    disguised,
    not_labels,
    one_class,
    six_digits,
    with_blends,
)

DIGITS, SIZES, SAME = "unseen digits", "other sizes", "the same again"
BASELINE = {DIGITS: 0.68, SIZES: 0.73}
MARGIN = 0.08
# Where only repetition is judged, the network has to have learned something: far from guessing, below the baseline.
LEARNED = 0.5
EXAMPLES = 200
BY_HEART = 0.9  # of the training labels, wrong ones included


def call_regularized_training(student, x, labels, seeds, unseen):
    import numpy as np

    answers = []
    for images, given, seed, others in zip(x, labels, seeds, unseen, strict=True):  # every seed has images of its own
        predict = student(images, given, seed)
        if not callable(predict):
            kind = "None" if predict is None else f"of type {type(predict).__name__}"
            kind = "an array" if isinstance(predict, np.ndarray) else kind
            raise TypeError(f"the result is {kind}, should be a function: predict(x) → labels")
        answers.append([np.asarray(predict(asked)) for asked in (others, others, images)])
    return answers


def torch_network(x, labels, seed):
    """A network with dropout and weight decay, by PyTorch; what experiments use until the student's own passes."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed))
        inputs = torch.tensor(np.asarray(x, dtype=np.float32))
        targets = torch.tensor(np.asarray(labels, dtype=np.int64))
        model = torch.nn.Sequential(
            torch.nn.Dropout(0.2),
            torch.nn.Linear(inputs.shape[1], 100),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(100, int(targets.max()) + 1),
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.003)
        for _ in range(100):
            for rows in torch.randperm(len(inputs)).split(50):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(inputs[rows]), targets[rows]).backward()
                optimizer.step()
        model.eval()

    def predict(images):
        with torch.no_grad():
            return model(torch.tensor(np.asarray(images, dtype=np.float32))).argmax(1).numpy()

    return predict


def needed(aspect):
    """The median accuracy that an aspect asks for."""
    return BASELINE[aspect] + MARGIN if aspect in BASELINE else LEARNED


def _fault(case, outputs):
    """A sentence on answers that are not labels, or None."""
    if not isinstance(outputs, (list, tuple)) or len(outputs) != len(case.inputs["seeds"]):
        return "there are no predictions for each seed"
    for (first, again, seen), truth, given in zip(outputs, case.hidden["labels"], case.inputs["labels"], strict=True):
        faults = not_labels(first, truth), not_labels(again, truth), not_labels(seen, given)
        if any(faults):
            return next(filter(None, faults))
    return None


def _median(case, outputs):
    return float(np.median(_accuracies(case, outputs)))


def _accuracies(case, outputs):
    return [accuracy(first, truth) for (first, _, _), truth in zip(outputs, case.hidden["labels"], strict=True)]


def _verify(case, outputs):
    if fault := _fault(case, outputs):
        return fault
    median, least = _median(case, outputs), needed(case.aspect)
    if not median >= least:
        count = int((case.hidden["labels"][0] >= 0).sum())
        without = (
            f" (without regularization it is about {BASELINE[case.aspect]:.2f})" if case.aspect in BASELINE else ""
        )
        return f"the median accuracy on {count} unseen images is {median:.3f}, should be at least {least:.2f}{without}"
    if case.aspect != SAME:
        return None
    if _random_answers(outputs):
        return "asked twice about the same images, predict gives different labels"
    if differ(outputs[0][0], outputs[1][0]):
        return f"trained twice with the seed {case.inputs['seeds'][0]}, the network gives different labels"
    return None


def _random_answers(outputs):
    return any(differ(first, again) for first, again, _ in outputs)


def _labels_of(case, outputs):
    """The answers on unseen images, one array for each seed; empty where they are no labels."""
    return [] if _fault(case, outputs) else [first for first, _, _ in outputs]


def _returns_scores(case, outputs):
    classes = int(case.inputs["labels"].max()) + 1
    return isinstance(outputs, list) and are_scores(
        [answers[0] for answers in outputs], case.hidden["labels"][0], classes
    )


def _same_class(case, outputs):
    found = _labels_of(case, outputs)
    return bool(found) and one_class(found)


def _guesses(case, outputs):
    # A network that guesses may once answer with one class only, but not for three seeds.
    if not _labels_of(case, outputs) or (case.aspect == DIGITS and _same_class(case, outputs)):
        return False
    return max(_accuracies(case, outputs)) < 3 / (int(case.inputs["labels"].max()) + 1)


def _learned_too_badly(case, outputs):
    """Right labels, steady answers, better than guessing, and still below what is asked for."""
    if not _labels_of(case, outputs) or _same_class(case, outputs) or _guesses(case, outputs):
        return False
    return not _random_answers(outputs) and _median(case, outputs) < needed(case.aspect)


def _agreement(case, outputs):
    """The share of the training labels that the network gives, in the median."""
    pairs = zip(outputs, case.inputs["labels"], strict=True)
    return float(np.median([accuracy(seen, given) for (_, _, seen), given in pairs]))


def _by_heart(case, outputs):
    return _learned_too_badly(case, outputs) and _agreement(case, outputs) >= BY_HEART


def _too_little(case, outputs):
    return _learned_too_badly(case, outputs) and _agreement(case, outputs) < BY_HEART


def _random_in_prediction(case, outputs):
    return bool(_labels_of(case, outputs)) and _random_answers(outputs)


def _own_randomness(case, outputs):
    if case.aspect != SAME or _fault(case, outputs) or _random_answers(outputs):
        return False
    return _median(case, outputs) >= LEARNED and differ(outputs[0][0], outputs[1][0])


def _with_wrong_labels(rng, labels, classes):
    """A copy in which exactly a quarter of the labels are of another class."""
    changed, rows = labels.copy(), rng.permutation(len(labels))[: len(labels) // 4]
    changed[rows] = (changed[rows] + rng.integers(1, classes, size=len(rows))) % classes
    return changed


def _cases(rng):
    def case(aspect, x, labels):
        x, labels = disguised(rng, x, labels)
        rows = []
        for seed, start in zip(rng.integers(0, 10_000, size=3), range(0, 3 * EXAMPLES, EXAMPLES), strict=True):
            images, truth = np.roll(x, -start, axis=0), np.roll(labels, -start)  # the first ones are to train on
            given = _with_wrong_labels(rng, truth[:EXAMPLES], int(labels.max()) + 1)
            unseen = images[EXAMPLES:], truth[EXAMPLES:]
            rows.append((images[:EXAMPLES], given, int(seed), *(with_blends(*unseen) if aspect == SAME else unseen)))
        if aspect == SAME:
            rows = [rows[0], rows[0]]
        x, given, seeds, unseen, truth = zip(*rows, strict=True)
        inputs = {"x": np.stack(x), "labels": np.stack(given), "seeds": seeds, "unseen": np.stack(unseen)}
        return Case(aspect, inputs, {"labels": np.stack(truth)})

    small = six_digits(rng)
    return [case(DIGITS, *all_digits()), case(SIZES, *small), case(SAME, *small)]


regularized_training = Exercise(
    name="regularized_training",
    cases=_cases,
    call=call_regularized_training,
    verify=_verify,
    stand_in=lambda: torch_network,
    trains=True,
    for_call=("x", "labels", "seeds", "unseen"),
    builds_on=("dropout_forward", "dropout_backward", "l2_penalty"),
    time_limit=10.0,
    weights={DIGITS: 2.0},
    difficulty=4,
    importance=5,
    minutes=35,
    hints=(
        "A network that fits all 200 labels has learned the 50 wrong ones too. Make it harder to learn single images "
        "by heart, until the accuracy on the training labels stays near 0.75: that is how many are right.",
        "Start from a plain network that trains. Then add one thing at a time: dropout of the hidden units, dropout "
        "of some pixels, λ · weight added to the gradient of each weight, fewer steps. Hold back a few images to see "
        "what helps, and remember that their labels are wrong as often.",
        "With 100 ReLU units, dropout of 0.5 on the hidden layer and 0.2 on the pixels, λ = 0.003, momentum 0.9, "
        "and a learning rate that falls from 0.05 to 0 over 100 epochs of batches of 50 it passes. "
        "No dropout in predict, and rng = np.random.default_rng(seed) must be the only randomness.",
    ),
    misconceptions=(
        Misconception(
            "scores instead of labels",
            "It looks as if predict returns a score for every class. Labels were asked for.",
            "Ask yourself: how do you get from ten scores to the one class that wins?",
            matches=_returns_scores,
        ),
        Misconception(
            "always the same class",
            "It looks as if every image gets the same label. "
            "Weights that became NaN do that, and so does a penalty that holds all weights near 0.",
            "Ask yourself: how large are your weights after training, and what are they with a penalty of 0?",
            matches=_same_class,
        ),
        Misconception(
            "no better than guessing",
            "It looks as if the network learned labels that do not belong to its images, or hardly moved at all.",
            "Ask yourself: after shuffling, does row i of your images still belong to label i?",
            matches=_guesses,
        ),
        Misconception(
            "wrong labels learned by heart",
            "It looks as if the network reproduces nearly all of its training labels. A quarter of them are wrong.",
            "Ask yourself: which accuracy on the training labels does a network have that gives every image its true "
            "class?",
            matches=_by_heart,
        ),
        Misconception(
            "too little learned",
            "It looks as if the network is held back too much: it does not even know the training images.",
            "Ask yourself: what happens to the accuracy on the training labels with half the penalty, less dropout or "
            "more steps?",
            matches=_too_little,
        ),
        Misconception(
            "random in prediction",
            "It looks as if predict still draws random numbers: asked twice, it gives different labels.",
            "Ask yourself: is dropout switched off in predict?",
            matches=_random_in_prediction,
        ),
        Misconception(
            "randomness of its own",
            "It looks as if something random in the training does not depend on the seed.",
            "Ask yourself: which random numbers do you draw, and do they all come from default_rng(seed)?",
            matches=_own_randomness,
        ),
    ),
)
