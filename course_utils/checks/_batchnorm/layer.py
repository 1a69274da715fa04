"""BatchNorm: the layer with its running statistics.

A case is a list of steps, pairs ("training" or "evaluation", x), on a layer whose attributes are first replaced by
those in `start`; the outputs come back, and the attributes named in `look`. The truth is `torch.nn.BatchNorm1d`.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.layers import (
    RUNNING,
    Layer,
    any_layer,
    call_batchnorm,
    equal_weights,
    first_taken_whole,
    layer,
    no_variance_of_one,
    of_examples,
    torch_layer,
    truth,
)
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided

ATTRIBUTES = ("weight", "bias", *RUNNING, "training")
BEGIN, TRAINED, REMEMBERED, EVALUATED = "as it begins", "training", "running statistics", "evaluation"
ONE, TOGETHER = "a batch of one", "training and evaluation in turn"


def _is_batch_of_one(case):
    return case.aspect == ONE and case.inputs["steps"][0][0] == "training"


def _divided_by_zero(**inputs):
    """One example: N / (N − 1) divides by 0."""
    x = inputs["steps"][-1][1]
    return Raises("ZeroDivisionError") if len(x) < 2 else call_batchnorm(Layer, **inputs)


def _cases(rng):
    def batches(mode, features, *sizes, make=lambda array: array):
        scale, shift = rng.uniform(0.3, 3, features), 2 * rng.normal(size=features)
        return tuple((mode, make(scale * rng.normal(size=(n, features)) + shift)) for n in sizes)

    def replaced(features, *names):
        made = {
            "weight": rng.uniform(0.3, 2.5, features),
            "bias": rng.normal(size=features) + 0.5,
            "running_mean": rng.normal(size=features),
            "running_var": rng.uniform(0.2, 4, features),
        }
        return {name: made[name] for name in names}

    def case(aspect, features, look, steps, start=(), **settings):
        inputs = {"num_features": features, **settings, "start": replaced(features, *start)}
        return Case(aspect, {**inputs, "steps": steps, "look": look})

    affine = ("weight", "bias")
    everything = (*affine, *RUNNING)
    mixed = (*batches("training", 3, 4, 2), *batches("evaluation", 3, 3, 2), *batches("training", 3, 7))
    return [
        case(BEGIN, 3, ATTRIBUTES, ()),
        case(TRAINED, 4, ("out",), batches("training", 4, 6)),
        case(TRAINED, 3, ("out",), batches("training", 3, 2, 5, make=strided), affine, epsilon=0.2),
        case(REMEMBERED, 3, RUNNING, batches("training", 3, 5)),
        case(REMEMBERED, 2, RUNNING, batches("training", 2, 2, 6, 3, 4), momentum=0.3),
        case(REMEMBERED, 3, RUNNING, batches("training", 3, 4, 3, make=strided), RUNNING, momentum=0.02),
        case(EVALUATED, 3, ("out", *RUNNING), batches("evaluation", 3, 5), RUNNING),
        case(EVALUATED, 4, ("out", *RUNNING), batches("evaluation", 4, 3, 6, make=strided), everything, epsilon=0.2),
        case(ONE, 3, ("out",), batches("evaluation", 3, 1), everything),
        case(ONE, 4, ("out",), batches("training", 4, 1), everything),
        case(TOGETHER, 3, ("out", *ATTRIBUTES), mixed, affine, momentum=0.3),
        case(TOGETHER, 3, ("out", *ATTRIBUTES), mixed[::-1], affine, epsilon=0.05),
    ]


BatchNorm = Exercise(
    name="BatchNorm",
    cases=_cases,
    call=call_batchnorm,
    expected=truth,
    stand_in=torch_layer,
    for_call=("start", "steps", "look"),
    builds_on=("batchnorm_forward",),
    difficulty=4,
    importance=5,
    minutes=35,
    hints=(
        "In evaluation an example must not depend on its neighbours: the layer needs numbers of its own. It collects "
        "them in training, a little from every batch.",
        "self.training decides which mean and variance are used, and whether the running ones move. Two variances are "
        "needed in training: the batch is normalized with the one that divides by N, and the one that divides by "
        "N − 1 is remembered.",
        "In training: self.running_var = (1 - self.momentum) * self.running_var + self.momentum * x.var(axis=0, "
        "ddof=1), and running_mean likewise with x.mean(axis=0); before that, raise ValueError when len(x) is 1. "
        "In evaluation: mean, variance = self.running_mean, self.running_var.",
    ),
    misconceptions=(
        Misconception(
            "biased running variance",
            "It looks as if the running variance collects variances that divide by N. It should estimate the variance "
            "of all data, and for that PyTorch divides by N − 1.",
            "Ask yourself: is the variance of two examples, on average, as large as that of all of them?",
            layer(remembered=lambda self, x: (x.mean(axis=0), x.var(axis=0))),
        ),
        Misconception(
            "unbiased variance in the output",
            "It looks as if the training batch is normalized with the variance that divides by N − 1. That one is only "
            "remembered.",
            "Ask yourself: what is the variance of x̂ in your layer, taken as np.var takes it?",
            layer(batch=lambda self, x: (x.mean(axis=0), x.var(axis=0, ddof=1))),
        ),
        Misconception(
            "both variances the wrong way round",
            "It looks as if the output uses the variance that divides by N − 1, and the running one divides by N.",
            "Ask yourself: which of the two describes this batch, and which one stands for all data?",
            layer(
                batch=lambda self, x: (x.mean(axis=0), x.var(axis=0, ddof=1)),
                remembered=lambda self, x: (x.mean(axis=0), x.var(axis=0)),
            ),
        ),
        Misconception(
            "momentum the other way round",
            "It looks as if momentum is the share of the old value that is kept. Here it is the share of the new one.",
            "Ask yourself: with momentum 0.1, how much of the old running mean should be left after one batch?",
            layer(blend=lambda self, old, new: self.momentum * old + (1 - self.momentum) * new),
        ),
        Misconception(
            "momentum fixed",
            "It looks as if the running statistics always take a tenth of the new value. momentum is an argument.",
            "Ask yourself: where in your code is self.momentum?",
            layer(blend=lambda self, old, new: 0.9 * old + 0.1 * new),
        ),
        Misconception(
            "old value kept whole",
            "It looks as if momentum · new is added to the old value, and nothing is taken away from it.",
            "Ask yourself: if every batch has the same mean, to what should the running mean converge?",
            layer(blend=lambda self, old, new: old + self.momentum * new),
        ),
        Misconception(
            "last batch alone",
            "It looks as if the running statistics are those of the last batch.",
            "Ask yourself: how much should one batch change a value that stands for all of them?",
            layer(blend=lambda self, old, new: new),
        ),
        Misconception(
            "first batch taken whole",
            "It looks as if the first batch replaces the running statistics. They start from 0 and 1 and move by "
            "momentum from the first batch on.",
            "Ask yourself: what is running_mean after one batch of mean 5, when momentum is 0.1?",
            layer(update=first_taken_whole),
        ),
        Misconception(
            "plain average of the batches",
            "It looks as if every batch so far weighs the same. With momentum, old batches are forgotten.",
            "Ask yourself: the weights change in training; should the first batch count as much as the last?",
            layer(update=equal_weights),
        ),
        Misconception(
            "running variance starts at 0",
            "It looks as if running_var starts at 0. It starts at 1.",
            "Ask yourself: what would an untrained layer do in evaluation with a variance of 0?",
            layer(starts=(0.0, 0.0)),
        ),
        Misconception(
            "never updated",
            "It looks as if the running statistics stay as they were in training.",
            "Ask yourself: which lines change self.running_mean, and when do they run?",
            layer(updates=lambda self: False),
        ),
        Misconception(
            "standard deviation remembered",
            "It looks as if running_var collects standard deviations.",
            "Ask yourself: of what is a root taken in evaluation?",
            layer(remembered=lambda self, x: (x.mean(axis=0), x.std(axis=0, ddof=1))),
        ),
        Misconception(
            "updates in evaluation",
            "It looks as if the running statistics move in evaluation too.",
            "Ask yourself: should it matter for the second test image that the first was shown before it?",
            matches=any_layer(
                {"updates": lambda self: True},
                {"updates": lambda self: True, "updates_first": True},
                {"updates": lambda self: True, "updates_first": True, "remembered": no_variance_of_one},
            ),
        ),
        Misconception(
            "batch statistics in evaluation",
            "It looks as if evaluation uses the mean and the variance of the batch it is given.",
            "Ask yourself: what comes out for a single example?",
            layer(fixed=lambda self, x: (x.mean(axis=0), x.var(axis=0))),
        ),
        Misconception(
            "running statistics in training",
            "It looks as if the training batch is normalized with the running statistics.",
            "Ask yourself: which mean should out have in training, when bias is 0?",
            layer(batch=Layer.fixed),
        ),
        Misconception(
            "just updated statistics in training",
            "It looks as if a training batch first moves the running statistics and is then normalized with these.",
            "Ask yourself: with momentum 0.1, how much of the batch's own mean is subtracted then?",
            layer(batch=Layer.fixed, updates_first=True),
        ),
        Misconception(
            "epsilon beside the root",
            "It looks as if epsilon is added to the square root. It belongs to the variance, under the root.",
            "Ask yourself: which of √v + ε and √(v + ε) does the formula say?",
            layer(spread=lambda self, variance: np.sqrt(variance) + self.epsilon),
        ),
        Misconception(
            "epsilon fixed",
            "It looks as if epsilon is always 1e-5. It is an argument.",
            "Ask yourself: where in your code is self.epsilon?",
            layer(spread=lambda self, variance: np.sqrt(variance + 1e-5)),
        ),
        Misconception(
            "variance without a root",
            "It looks as if you divide by the variance itself.",
            "Ask yourself: which variance does your x̂ have?",
            layer(spread=lambda self, variance: variance + self.epsilon),
        ),
        Misconception(
            "weight and bias not used",
            "It looks as if you return x̂ itself: weight and bias, replaced from outside, change nothing.",
            "Ask yourself: where in your code are self.weight and self.bias?",
            layer(affine=lambda self, x_hat: x_hat),
        ),
        Misconception(
            "weight and bias only in training",
            "It looks as if evaluation returns x̂ itself, without weight and bias.",
            "Ask yourself: what did the layers that follow learn to expect?",
            layer(affine=lambda self, x_hat: self.weight * x_hat + self.bias if self.training else x_hat),
        ),
        Misconception(
            "along axis 1",
            "It looks as if the statistics of a training batch are those of each example over its features.",
            "Ask yourself: which axis of x counts the examples?",
            layer(batch=of_examples, remembered=of_examples),
        ),
        Misconception(
            "a batch of one accepted in training",
            "It looks as if a single example is normalized by itself in training. Its variance is 0, and its x̂ too.",
            "Ask yourself: what can a network learn from a batch whose x̂ are all 0?",
            matches=lambda case, outputs: _is_batch_of_one(case) and isinstance(outputs, np.ndarray),
        ),
        Misconception(
            "a batch of one refused in evaluation",
            "It looks as if a single example raises a ValueError in evaluation too. There, no variance is computed.",
            "Ask yourself: which statistics does evaluation take from the batch?",
            layer(accepts=lambda self, x: len(x) > 1),
        ),
        Misconception(
            "divided by N − 1 = 0",
            "It looks as if N / (N − 1) is computed for a batch of one.",
            "Ask yourself: which test belongs in front of this division?",
            _divided_by_zero,
        ),
    ),
)
