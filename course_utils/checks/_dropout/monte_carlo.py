"""monte_carlo_predict: the network stands inside `call`, and tells with which masks it was run."""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.sampled import any_of
from course_utils.checks.compare import difference
from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

CALLING, MEAN, STD, SINGLE_SAMPLE = "calls of forward", "mean", "standard deviation", "a single sample"


def call_monte_carlo(student, x, weight, drop_probability, samples, seed):
    import numpy as np

    original = x.copy()

    def predict(rng):
        masks, same_x = [], []

        def forward(x, rng):
            mask = rng.random(x.shape) >= drop_probability
            masks.append(mask)
            same_x.append(x.shape == original.shape and bool(np.all(x == original)))
            logits = (x * mask / (1 - drop_probability)) @ weight.T
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)

        result = student(forward, x, samples, rng)
        return result, masks, all(same_x)

    result, masks, same_x = predict(np.random.default_rng(seed))
    if result is None:
        raise TypeError("the result is None: is a return missing?")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError("the result should be two arrays (mean, standard deviation)")
    again, other = (predict(np.random.default_rng(s))[1] for s in (seed, seed + 1))
    return {"mean": result[0], "std": result[1], "masks": masks, "again": again, "other": other, "same_x": same_x}


def _cases(rng):
    def case(aspect, samples, examples, inputs, classes, make=lambda array: array):
        # 150 elements of a mask or more: two independent ones are equal with a probability below 1e-20.
        given = {"x": make(rng.normal(size=(examples, inputs))), "weight": rng.normal(size=(classes, inputs)) / 3}
        return Case(aspect, {**given, "drop_probability": 0.2, "samples": samples, "seed": int(rng.integers(2**31))})

    return [
        case(CALLING, 12, 5, 30, 4),
        case(CALLING, 5, 1, 160, 3, make=strided),
        case(MEAN, 9, 6, 30, 3),
        case(MEAN, 4, 5, 40, 5, make=strided),
        case(STD, 9, 6, 30, 3),
        case(STD, 4, 5, 40, 5, make=strided),
        case(SINGLE_SAMPLE, 1, 5, 30, 4),
    ]


def predictions(case, masks):
    """What the network of `call_monte_carlo` gives with each of these masks: shape (samples, N, classes)."""
    given = case.inputs
    logits = (given["x"] * np.array(masks) / (1 - given["drop_probability"])) @ given["weight"].T
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _calling_fault(case, outputs):
    masks, samples = outputs["masks"], case.inputs["samples"]
    if len(masks) != samples:
        called, wanted = ("once" if n == 1 else f"{n} times" for n in (len(masks), samples))
        return f"forward was called {called}, should be called {wanted}: samples = {samples}"
    if not outputs["same_x"]:
        return "forward was given other inputs than x"
    if _repeats(masks):
        return "two samples were made with the same masks, should each draw new ones"
    if not _equal(masks, outputs["again"]):
        return "with rng in the same state, forward draws other masks the second time: it was not given rng"
    if _repeats([*masks, *outputs["other"]]):
        return "with another rng, forward draws the same masks: it was not given rng"
    return None


def _repeats(masks):
    return len({np.asarray(mask).tobytes() for mask in masks}) < len(masks)


def _equal(masks, others):
    return len(masks) == len(others) and all(np.array_equal(a, b) for a, b in zip(masks, others, strict=True))


def _verify(case, outputs):
    if (wrong := _calling_fault(case, outputs)) is not None:
        return wrong
    made = predictions(case, outputs["masks"])
    parts = {CALLING: (), MEAN: ("mean",), STD: ("std",)}.get(case.aspect, ("mean", "std"))
    right = {"mean": made.mean(axis=0), "std": made.std(axis=0)}
    labels = {"mean": "mean", "std": "standard deviation"}
    return next(
        (wrong for name in parts if (wrong := difference(right[name], outputs[name], label=labels[name]))), None
    )


# --- misconceptions -------------------------------------------------------------------------------------------------


def _statistics(mean=None, std=None):
    """A `matches`: forward was called as asked, and mean(made) or std(made) stands in for what was asked."""

    def matches(case, outputs):
        if _calling_fault(case, outputs) is not None:
            return False
        made = predictions(case, outputs["masks"])
        with np.errstate(all="ignore"):
            expected = (mean or _mean)(made), (std or _std)(made)
        return agrees(expected, (outputs["mean"], outputs["std"]), atol=1e-7)

    return matches


def _mean(made):
    return made.mean(axis=0)


def _std(made):
    return made.std(axis=0)


def _geometric(made):
    mean = np.exp(np.log(made).mean(axis=0))
    return mean / mean.sum(axis=-1, keepdims=True)


def _softmax_again(made):
    powers = np.exp(made)
    return (powers / powers.sum(axis=-1, keepdims=True)).mean(axis=0)


def _votes(made):
    return (made.argmax(axis=-1)[..., None] == np.arange(made.shape[-1])).mean(axis=0)


def _one_mask(case, outputs):
    masks = outputs["masks"]
    if case.inputs["samples"] == 1:  # there it shows only where the mask does not come from rng
        return len(masks) == 1 and _repeats([*masks, *outputs["other"]])
    return len({np.asarray(mask).tobytes() for mask in masks}) == 1


def _tiled(case, outputs):
    """forward ran once, on a batch that holds x many times."""
    return len(outputs["masks"]) == 1 and not outputs["same_x"]


def _miscounted(case, outputs):
    off_by_one = abs(len(outputs["masks"]) - case.inputs["samples"]) == 1
    return outputs["same_x"] and off_by_one and not _one_mask(case, outputs)


def _other_rng(case, outputs):
    masks, again, other = outputs["masks"], outputs["again"], outputs["other"]
    elsewhere = not _equal(masks, again) or _repeats([*masks, *other])
    return len(masks) == case.inputs["samples"] and not _repeats(masks) and elsewhere


monte_carlo_predict = Exercise(
    name="monte_carlo_predict",
    cases=_cases,
    call=call_monte_carlo,
    verify=_verify,
    stand_in=lambda: by_torch,
    for_call=("seed", "weight", "drop_probability"),
    weights={MEAN: 2.0, STD: 2.0},
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Ask the network several times and keep every answer. Their mean is the prediction, and how far they lie apart "
        "says how sure it is.",
        "Each answer is (N, classes). Stacked they are (samples, N, classes), and both statistics go over axis 0.",
        "p = np.stack([forward(x, rng) for _ in range(samples)]), and then p.mean(axis=0), p.std(axis=0).",
    ),
    misconceptions=(
        Misconception(
            "one mask for all samples",
            "It looks as if all samples use the same mask, so they are one and the same network.",
            "Ask yourself: what is the standard deviation of an answer that is given ten times in the same words?",
            matches=lambda case, outputs: _one_mask(case, outputs) and not _tiled(case, outputs),
        ),
        Misconception(
            "one call for a long batch",
            "It looks as if forward runs once, on a batch that holds x many times. It should run once for each sample.",
            "Ask yourself: what does the docstring say that forward is given?",
            matches=_tiled,
        ),
        Misconception(
            "one sample too few or too many",
            "It looks as if forward is called once too often, or once too rarely.",
            "Ask yourself: how many numbers are in range(1, samples)?",
            matches=_miscounted,
        ),
        Misconception(
            "rng not used",
            "It looks as if forward gets another generator than rng.",
            "Ask yourself: can somebody who passes the same generator repeat your prediction?",
            matches=_other_rng,
        ),
        Misconception(
            "divided by samples − 1",
            "It looks as if you divide the squared distances by samples − 1.",
            "Ask yourself: with one sample, what do you divide by?",
            matches=_statistics(std=lambda made: made.std(axis=0) * np.sqrt(len(made) / np.float64(len(made) - 1))),
        ),
        Misconception(
            "variance for standard deviation",
            "It looks as if you return the variance.",
            "Ask yourself: which of the two has the unit of a probability?",
            matches=_statistics(std=lambda made: made.var(axis=0)),
        ),
        Misconception(
            "error of the mean",
            "It looks as if you divide the standard deviation by √samples. That is how well the mean is known.",
            "Ask yourself: should the spread of the networks shrink when you ask more of them?",
            matches=_statistics(std=lambda made: made.std(axis=0) / len(made) ** 0.5),
        ),
        Misconception(
            "statistics over the examples",
            "It looks as if you average over the examples of the batch, not over the samples.",
            "Ask yourself: what does each axis of (samples, N, classes) count?",
            matches=_statistics(lambda made: made.mean(axis=1), lambda made: made.std(axis=1)),
        ),
        Misconception(
            "logarithms averaged",
            "It looks as if you average logits or logarithms and apply softmax to their mean.",
            "Ask yourself: are exp of a mean and the mean of exp the same?",
            matches=any_of(_statistics(_geometric), _statistics(_geometric, lambda made: np.log(made).std(axis=0))),
        ),
        Misconception(
            "softmax applied a second time",
            "It looks as if you apply softmax to what forward returns. Those are probabilities already.",
            "Ask yourself: what does each row of forward's result add up to?",
            matches=any_of(
                _statistics(_softmax_again),
                _statistics(
                    _softmax_again, lambda made: (np.exp(made) / np.exp(made).sum(axis=-1, keepdims=True)).std(axis=0)
                ),
            ),
        ),
        Misconception(
            "votes counted",
            "It looks as if your mean counts how often each class came first.",
            "Ask yourself: forward says 0.51 and 0.49 each time; what should the mean be?",
            matches=any_of(
                _statistics(_votes), _statistics(_votes, lambda made: np.sqrt(_votes(made) * (1 - _votes(made))))
            ),
        ),
        Misconception(
            "sum for mean",
            "It looks as if the predictions are added up and not divided by their number.",
            "Ask yourself: what should a row of the mean add up to?",
            matches=_statistics(lambda made: made.sum(axis=0)),
        ),
    ),
)


def by_torch(forward, x, samples, rng):
    """Mean and standard deviation by PyTorch; what experiments use meanwhile."""
    import torch

    made = torch.stack([torch.tensor(np.asarray(forward(x, rng), dtype=np.float64)) for _ in range(samples)])
    return made.mean(dim=0).numpy(), made.std(dim=0, correction=0).numpy()
