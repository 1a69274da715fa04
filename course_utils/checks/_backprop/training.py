"""train_classifier: judged by its accuracy on images it has not seen.

The bundled digits are public, so the pixels and the classes are shuffled, and a little noise is added:
a network does not notice, looking images up no longer works. The test set is left alone, for the notebook's last word.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.exercise import Case, Exercise, Misconception

THRESHOLD = 0.93
DIGITS, SIZES, SEEDED = "unseen digits", "other sizes", "the seed decides"


def call_train_classifier(student, x, labels, seeds, unseen):
    import numpy as np

    # Every seed finds the data untouched. The first gets the arrays that came in, so that a change in place is noticed.
    data, spare = (x, labels, unseen), (x.copy(), labels.copy(), unseen.copy())
    predictions = []
    for seed in seeds:
        predict = student(data[0], data[1], seed)
        if not callable(predict):
            kind = "None" if predict is None else f"of type {type(predict).__name__}"
            kind = "an array" if isinstance(predict, np.ndarray) else kind
            raise TypeError(f"the result is {kind}, should be a function: predict(x) → labels")
        predictions.append(np.asarray(predict(data[2])))
        data = tuple(array.copy() for array in spare)
    return predictions


def torch_network(x, labels, seed):
    """A network of one hidden layer, trained by PyTorch; what experiments use until the student's own passes."""
    import torch

    generator = torch.Generator().manual_seed(int(seed))
    inputs, targets = torch.tensor(np.asarray(x, dtype=np.float32)), torch.tensor(np.asarray(labels, dtype=np.int64))
    sizes = (inputs.shape[1], 64, int(targets.max()) + 1)
    layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False)]
    for layer in layers:
        torch.nn.init.xavier_normal_(layer.weight, generator=generator)
        torch.nn.init.zeros_(layer.bias)
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    for _ in range(20):
        for rows in torch.randperm(len(inputs), generator=generator).split(32):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs[rows]), targets[rows]).backward()
            optimizer.step()

    def predict(images):
        with torch.no_grad():
            return model(torch.tensor(np.asarray(images, dtype=np.float32))).argmax(1).numpy()

    return predict


def _accuracies(case, outputs):
    """Accuracy of each seed, or a sentence saying why the predictions are not labels."""
    truth = case.hidden["labels"]
    if not isinstance(outputs, (list, tuple)) or len(outputs) != len(case.inputs["seeds"]):
        return "there are no predictions for each seed"
    for predicted in outputs:
        if not isinstance(predicted, np.ndarray):
            return "predict(x) does not return an array of labels"
        if predicted.shape != truth.shape:
            return f"predict(x) has shape {predicted.shape} for {len(truth)} images, should be {truth.shape}"
        if predicted.dtype.kind not in "iu":
            return f"predict(x) holds {predicted.dtype} values, should hold integers"
    known = truth >= 0
    return [float(np.mean(predicted[known] == truth[known])) for predicted in outputs]


def _verify(case, outputs):
    accuracies = _accuracies(case, outputs)
    if isinstance(accuracies, str):
        return accuracies
    median = float(np.median(accuracies))
    if not median >= THRESHOLD:
        count = int((case.hidden["labels"] >= 0).sum())
        return f"the median accuracy on {count} unseen images is {median:.3f}, should be at least {THRESHOLD}"
    if case.aspect == SEEDED and _differ(*outputs):
        return f"trained twice with the seed {case.inputs['seeds'][0]}, the network gives different labels"
    return None


def _differ(first, second):
    """Whether two networks disagree on more images than the last digit of a sum could change."""
    return bool(np.mean(first != second) > 0.01)


def _returns_scores(case, outputs):
    classes = int(case.inputs["labels"].max()) + 1
    shape = (*case.hidden["labels"].shape, classes)
    return isinstance(outputs, list) and all(isinstance(p, np.ndarray) and p.shape == shape for p in outputs)


def _one_class(case, outputs):
    return not isinstance(_accuracies(case, outputs), str) and all(len(np.unique(p)) == 1 for p in outputs)


def _guesses(case, outputs):
    accuracies = _accuracies(case, outputs)
    # A network that guesses may once answer with one class only, but not for three seeds.
    if isinstance(accuracies, str) or (case.aspect == DIGITS and _one_class(case, outputs)):
        return False
    return max(accuracies) < 3 / (int(case.inputs["labels"].max()) + 1)


def _too_little(case, outputs):
    accuracies = _accuracies(case, outputs)
    if isinstance(accuracies, str) or _one_class(case, outputs) or _guesses(case, outputs):
        return False
    return bool(np.median(accuracies) < THRESHOLD)


def _own_randomness(case, outputs):
    accuracies = _accuracies(case, outputs)
    if case.aspect != SEEDED or isinstance(accuracies, str):
        return False
    return bool(np.median(accuracies) >= THRESHOLD) and _differ(*outputs)


def _cases(rng):
    from course_utils.data import load_digits

    data = load_digits()
    x = np.concatenate([data.train.features, data.validation.features])
    labels = np.concatenate([data.train.labels, data.validation.labels])

    def case(aspect, x, labels, seeds, unseen):
        x = x[:, rng.permutation(x.shape[1])]
        x = np.clip(x + rng.normal(0, 0.02, size=x.shape), 0, 1)
        labels = rng.permutation(int(labels.max()) + 1)[labels]
        rows = rng.permutation(len(x))
        seen, rest = rows[unseen:], rows[:unseen]
        images, truth = x[rest], labels[rest]
        if aspect == SEEDED:
            # Two digits on top of each other: here networks differ that agree on clean images. No label is right.
            images = np.concatenate([images, (x[rest] + x[rest[::-1]]) / 2])
            truth = np.concatenate([truth, np.full(unseen, -1)])
        inputs = {"x": x[seen], "labels": labels[seen], "seeds": tuple(int(s) for s in seeds), "unseen": images}
        return Case(aspect, inputs, {"labels": truth})

    # Six of the classes, and images of 8×6: the outermost columns are almost always empty.
    chosen = rng.permutation(10)[:6]
    rows = np.isin(labels, chosen)
    small = x[rows].reshape(-1, 8, 8)[:, :, 1:7].reshape(-1, 48)
    small_labels = np.searchsorted(np.sort(chosen), labels[rows])
    seeds = rng.integers(0, 10_000, size=5)
    return [
        case(DIGITS, x, labels, seeds[:3], 300),
        case(SIZES, small, small_labels, seeds[3:4], 200),
        case(SEEDED, small, small_labels, seeds[[4, 4]], 200),
    ]


train_classifier = Exercise(
    name="train_classifier",
    cases=_cases,
    call=call_train_classifier,
    verify=_verify,
    stand_in=lambda: torch_network,
    trains=True,
    for_call=("seeds", "unseen"),
    builds_on=("mlp_gradients",),
    time_limit=10.0,
    weights={DIGITS: 2.0},
    difficulty=4,
    importance=5,
    minutes=30,
    hints=(
        "Four parts: random weights, a loop over the data many times, a step against the gradient, and a predict "
        "function "
        "that takes the class with the largest logit.",
        "Go through the training images in small batches, shuffled anew in every epoch. "
        "Shuffle images and labels by the same permutation. "
        "If the loss hardly falls, raise the learning rate; if it jumps, lower it.",
        "With 64 tanh units, weights drawn by rng.normal() / sqrt(inputs), batches of 32, a learning rate of 0.5 "
        "and 30 epochs, plain gradient descent passes, each training in well under a second. "
        "rng = np.random.default_rng(seed) must be the only randomness.",
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
            "Weights that became NaN do that, and networks that never learned.",
            "Ask yourself: what are the loss and the largest weight after the first few steps?",
            matches=_one_class,
        ),
        Misconception(
            "no better than guessing",
            "It looks as if the network learned labels that do not belong to its images, or hardly moved at all.",
            "Ask yourself: after shuffling, does row i of your images still belong to label i?",
            matches=_guesses,
        ),
        Misconception(
            "stopped too early",
            "It looks as if the network learns the right thing and has not learned enough of it.",
            "Ask yourself: is the loss on the training images still falling when you stop, and is the learning rate "
            "large enough?",
            matches=_too_little,
        ),
        Misconception(
            "randomness of its own",
            "It looks as if something random in the training does not depend on the seed.",
            "Ask yourself: which random numbers do you draw, and do they all come from default_rng(seed)?",
            matches=_own_randomness,
        ),
    ),
)
