"""WeightAverage: a running average of the weights."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_weight_average(student, parameters, decay, changes, reports):
    """Each of `changes` is added to the parameters in place, as an optimizer would do it, before an update."""

    def report():
        averages = getattr(average, "averages", None)
        if not isinstance(averages, (list, tuple)):
            raise TypeError("the result has no list in its attribute averages")
        if any(not hasattr(array, "shape") for array in averages):
            raise TypeError("the result must hold arrays in its attribute averages")
        return [array.copy() for array in averages]

    weights = [array.copy() for array in parameters]
    average = student(weights, decay)
    other = student([array + 1 for array in parameters], decay)  # a second average must not disturb the first
    found = {}
    if 0 in reports:
        found["averages at the start"] = report()
    for i, change in enumerate(changes):
        for array, difference in zip(weights, change, strict=True):
            array += difference
        if i + 1 in reports:
            found[f"averages before update {i + 1}"] = report()
        average.update()
        other.update()
        if i + 1 in reports:
            found[f"averages after update {i + 1}"] = report()
    found["the parameters"] = weights
    return found


def weighted_sums(parameters, decay, changes, reports):
    """After n updates the average is dⁿ·w₀ + (1 − d)·Σ dⁿ⁻ᵏ·wₖ, with wₖ the weights at update k."""
    found, paths = {}, []
    for tensor, start in enumerate(parameters):
        paths.append(np.cumsum([start, *(change[tensor] for change in changes)], axis=0))

    def after(n):
        shares = (1 - decay) * decay ** np.arange(n, -1, -1.0)
        shares[0] = decay**n
        return [np.tensordot(shares, path[: n + 1], axes=1) for path in paths]

    for n in reports:
        if n:
            found |= {f"averages before update {n}": after(n - 1), f"averages after update {n}": after(n)}
        else:
            found["averages at the start"] = after(0)
    found["the parameters"] = [path[-1] for path in paths]
    return found


def torch_average(parameters, decay):
    """By PyTorch's lerp, in a class of the same form."""
    import torch

    class Average:
        def __init__(self):
            self.weights = list(parameters)
            self.averages = [w.copy() for w in self.weights]

        def update(self):
            for average, w in zip(self.averages, self.weights, strict=True):
                now = torch.tensor(np.ascontiguousarray(w))
                average[...] = now.lerp(torch.tensor(np.ascontiguousarray(average)), decay).numpy()

    return Average()


def _student(
    start=lambda w: w.copy(), step=lambda average, w, d, n: d * average + (1 - d) * w, keep=lambda w: w, which=None
):
    """A student's class in which what the keywords name is another idea."""

    class Average:
        def __init__(self, parameters, decay):
            self.parameters, self.decay, self.updates = [keep(w) for w in parameters], decay, 0
            self.averages = [start(w) for w in parameters]

        def update(self):
            self.updates += 1
            for i, w in enumerate(self.parameters[:which]):
                self.averages[i] = step(self.averages[i], w, self.decay, self.updates)

    return Average


def _in_place(average, w, d, n):
    average *= d
    average += (1 - d) * w
    return average


def _into_the_parameters():
    """The averages are right, and training goes on from them."""

    class Average(_student()):
        def update(self):
            super().update()
            for average, w in zip(self.averages, self.parameters, strict=True):
                w[...] = average

    return Average


def _corrected():
    """Starts at zero and divides by 1 − dⁿ, as Adam does."""

    class Average:
        def __init__(self, parameters, decay):
            self.parameters, self.decay, self.updates = parameters, decay, 0
            self.sums = [0 * w for w in parameters]
            self.averages = [w.copy() for w in parameters]

        def update(self):
            self.updates += 1
            d = self.decay
            self.sums = [d * total + (1 - d) * w for total, w in zip(self.sums, self.parameters, strict=True)]
            self.averages = [total / (1 - d**self.updates) for total in self.sums]

    return Average


def _one_update_late():
    class Average(_student()):
        def __init__(self, parameters, decay):
            super().__init__(parameters, decay)
            self.before = [w.copy() for w in parameters]

        def update(self):
            now = [w.copy() for w in self.parameters]
            d = self.decay
            self.averages = [d * a + (1 - d) * w for a, w in zip(self.averages, self.before, strict=True)]
            self.before = now

    return Average


def _mistake(name, explanation, question, *students):
    if len(students) == 1:
        return Misconception(name, explanation, question, through(call_weight_average, students[0]))
    return Misconception(name, explanation, question, matches=one_of(call_weight_average, *students))


def _cases(rng):
    def case(aspect, decay, updates, reports, shapes, make=lambda array: array):
        return Case(
            aspect,
            {
                "parameters": [make(rng.normal(size=shape)) for shape in shapes],
                "decay": decay,
                "changes": [[rng.normal(size=shape) for shape in shapes] for _ in range(updates)],
                "reports": reports,
            },
        )

    decay = round(float(rng.uniform(0.7, 0.9)), 3)
    start, one, many, several = "the start", "one update", "many updates", "several arrays"
    return [
        case(start, 0.9, 0, [0], [(3, 2), (4,)]),
        case(start, 0.6, 1, [0, 1], [(2, 3)]),
        case(one, decay, 1, [1], [(4, 3)]),
        case(one, 0.0, 2, [1, 2], [(3,)]),
        case(many, 0.995, 60, [2, 60], [(3, 2)]),
        case(many, decay, 9, [3, 9], [(5,)], make=strided),
        case(several, 0.8, 4, [1, 4], [(2, 3), (3,), (2, 2, 2)]),
        case(several, 0.95, 3, [3], [(4, 2), (4,), (1,)], make=strided),
    ]


WeightAverage = Exercise(
    name="WeightAverage",
    cases=_cases,
    call=call_weight_average,
    for_call=("changes", "reports"),
    expected=weighted_sums,
    stand_in=lambda: torch_average,
    difficulty=2,
    importance=3,
    minutes=15,
    hints=(
        "Two lists: the parameters, which somebody else changes, and the averages, which are yours. Which of them must "
        "be copies?",
        "Keep the list of parameters as it came: the optimizer writes into the very same arrays, so they always hold "
        "the newest weights. Start the averages as w.copy() for every w.",
        "In update, for every i: self.averages[i] = d * self.averages[i] + (1 − d) * self.parameters[i].",
    ),
    misconceptions=(
        _mistake(
            "decay swapped",
            "It looks as if the new weights get the share d, and the old average 1 − d.",
            "Ask yourself: with d = 0.995, how far should one update move the average?",
            _student(step=lambda average, w, d, n: (1 - d) * average + d * w),
        ),
        _mistake(
            "started at zero",
            "It looks as if the average starts at 0.",
            "Ask yourself: with d = 0.995, which share of the weights has the average after 10 updates from 0?",
            _student(start=np.zeros_like),
            _student(start=lambda w: 0.0 * w),
        ),
        _mistake(
            "corrected as in Adam",
            "It looks as if you divide by 1 − dⁿ. That makes up for a start at 0, and this average starts at the "
            "parameters.",
            "Ask yourself: do the shares of all weights in your average add up to 1 without the correction?",
            _corrected(),
        ),
        _mistake(
            "averages are the parameters themselves",
            "It looks as if the averages are the very arrays that the optimizer changes.",
            "Ask yourself: after averages = list(parameters), how many arrays are there?",
            _student(start=lambda w: w),
            _student(start=lambda w: w, step=_in_place),
            _student(start=lambda w: w, step=lambda average, w, d, n: average),
        ),
        _mistake(
            "averages never move",
            "It looks as if the averages never change: update reads a copy of the parameters made at the start, or "
            "computes new averages and does not keep them.",
            "Ask yourself: which line of update writes into self.averages?",
            _student(keep=lambda w: w.copy()),
        ),
        _mistake(
            "the newest weights alone",
            "It looks as if the average forgets what it held: it is a copy of the parameters.",
            "Ask yourself: which share of the old average is left after your update?",
            _student(step=lambda average, w, d, n: w.copy()),
        ),
        _mistake(
            "plain mean",
            "It looks as if all weights so far count alike. They should fade by the factor d at every update.",
            "Ask yourself: where is d in your update?",
            _student(step=lambda average, w, d, n: average + (w - average) / (n + 1)),
            _student(step=lambda average, w, d, n: average + (w - average) / n),
        ),
        _mistake(
            "the share 1 − d forgotten",
            "It looks as if the new weights are added whole, so the average keeps growing.",
            "Ask yourself: when the weights never change, what should the average be?",
            _student(step=lambda average, w, d, n: d * average + w),
        ),
        _mistake(
            "only the first array",
            "It looks as if only the first of the parameters is averaged.",
            "Ask yourself: how many arrays are in the list, and which does update go through?",
            _student(which=1),
        ),
        _mistake(
            "one update late",
            "It looks as if update uses the weights of the update before.",
            "Ask yourself: when update is called, has the optimizer already made its step?",
            _one_update_late(),
        ),
        _mistake(
            "average written into the parameters",
            "It looks as if update changes the parameters. Training should go on as if there were no average.",
            "Ask yourself: on which side of the = may self.parameters stand?",
            _into_the_parameters(),
        ),
    ),
)
