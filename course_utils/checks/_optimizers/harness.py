"""How an optimizer class is driven, and the same class on PyTorch.

A case gives starting parameters and, for every step, the gradients `noise + curvature · w`: they depend on where the
parameters are, so a wrong step is followed by another one. `look` names the steps after which the parameters are
written down. `rates` are pairs (step, learning rate), set as an attribute before that step. `manner` says how the
gradients come:
  "new": in new arrays at every step;
  "watched": the same, and what they hold after the step is written down in place of the parameters;
  "refilled": in the same arrays at every step;
  "twins": to two optimizers in turn, the second one with the noise's sign turned round.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Misconception, Raises
from course_utils.plain import strided

HIDDEN = ("parameters", "noise", "curvature", "rates", "look", "manner")
# Near gradients of 1, epsilon is 1e-8 of a step: where it stands shows where gradients are small, and only there.
TOLERANCE = {"rtol": 1e-6, "atol": 1e-8}


def call_optimizer(student, parameters, noise, curvature, rates, look, manner, **settings):
    import numpy as np

    runs, seen, rates, given = [], {}, dict(rates), [np.zeros_like(w) for w in parameters]
    for which, sign in (("", 1), (" of the second optimizer", -1)) if manner == "twins" else (("", 1),):
        # Copies that are as contiguous as what they are made from. The optimizer gets a list of its own, so that
        # only a change of the arrays themselves is seen here.
        tensors = [w.copy() if w.flags.c_contiguous else np.repeat(w, 2, axis=-1)[..., ::2] for w in parameters]
        optimizer = student(list(tensors), **settings)
        if not callable(getattr(optimizer, "step", None)):
            name = getattr(student, "__name__", "it")
            raise TypeError(f"the result has no method step: is {name} a class with step(gradients)?")
        runs.append((optimizer, tensors, which, sign))
    for t in range(1, len(noise[0]) + 1):
        for optimizer, tensors, which, sign in runs:
            if t in rates:
                optimizer.learning_rate = rates[t]
            fresh = [sign * n[t - 1] + curvature * w for n, w in zip(noise, tensors, strict=True)]
            if manner == "refilled":
                for g, numbers in zip(given, fresh, strict=True):
                    g[...] = numbers
            else:
                given = fresh
            optimizer.step(list(given))
            if t in look:
                what, arrays = ("gradients", given) if manner == "watched" else ("parameters", tensors)
                for i, array in enumerate(arrays):
                    seen[f"after step {t}, {what}[{i}]{which}"] = array.copy()
    return seen


# --- cases ------------------------------------------------------------------------------------------------------

SHAPES = ((2, 3),)  # the shape of most cases: one tensor
MANY_SHAPES = ((3,), (2, 4), (1, 3, 2, 2))  # no two of them broadcast
ARRAYS = "arrays and state"
LARGE = {"scale": 30.0}  # gradients so large that epsilon does not show, for rules that divide by their size


def steps(rng, aspect, count, shapes=SHAPES, scale=1.0, curvature=0.5, still=False, rates=(), manner="new", **settings):
    """A case of `count` steps with gradients of about the size `scale`; those of the first element are 0 if `still`."""

    def numbers(shape):
        return scale * rng.uniform(0.3, 1.2, size=shape) * rng.choice([-1.0, 1.0], size=shape)

    parameters = [numbers(shape) / scale for shape in shapes]
    noise = [numbers((count, *shape)) for shape in shapes]
    if len(shapes) == len(MANY_SHAPES):
        parameters[1] = strided(parameters[1])
    if still:
        noise[0][:, 0, 0] = curvature = 0.0
    look = tuple(t for t in range(1, count + 1) if t in (1, 2, 5, count))
    inputs = {"parameters": parameters, "noise": noise, "curvature": scale * curvature, "rates": tuple(rates)}
    return Case(aspect, inputs | {"look": look, "manner": manner} | settings)


def arrays(rng, watched=None, **settings):
    """The cases of the aspect that every optimizer has: state per tensor and per optimizer, gradients left alone.

    `watched` are further settings for the case that looks at the gradients alone.
    """
    return [
        steps(rng, ARRAYS, 4, shapes=((2, 3), (2, 3)), **settings),
        steps(rng, ARRAYS, 3, curvature=0.0, manner="watched", **settings | (watched or {})),
        steps(rng, ARRAYS, 4, manner="twins", **settings),
        steps(rng, ARRAYS, 50, shapes=MANY_SHAPES, **settings),
    ]


# --- on PyTorch -------------------------------------------------------------------------------------------------


class OnTorch:
    """The interface of the notebook's optimizers; all the work is left to one of torch.optim.

    The tensors share the memory of the arrays, so that PyTorch's step changes those in place.
    """

    def __init__(self, parameters, learning_rate):
        import torch

        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.tensors = [torch.nn.Parameter(torch.from_numpy(w)) for w in self.parameters]

    def step(self, gradients):
        """PyTorch's step on copies of the gradients, at the learning rate that the attribute has now."""
        import torch

        for tensor, w, g in zip(self.tensors, self.parameters, gradients, strict=True):
            tensor.grad = torch.from_numpy(np.array(g, dtype=w.dtype))
        self.optimizer.param_groups[0]["lr"] = self.learning_rate
        self.optimizer.step()


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Stepper:
    """An optimizer whose rule is one method: `moved(w, g, state)` gives the new w and may keep numbers in `state`.

    `state` is a dict per tensor, empty at first; `t` counts the steps from 1.
    """

    defaults: dict[str, float] = {}

    def __init__(self, parameters, **settings):
        self.parameters = parameters
        self.__dict__.update(self.defaults | settings)
        self.states = self.new_states()
        self.t = 0

    def new_states(self):
        return [{} for _ in self.parameters]

    def step(self, gradients):
        self.t += 1
        with np.errstate(all="ignore"):
            for w, g, state in zip(self.parameters, gradients, self.states, strict=True):
                w[...] = self.moved(w, g, state)


def like(base, **methods):
    """What comes back from a class that is `base` but for the given methods or attributes."""
    return through(call_optimizer, type("Idea", (base,), methods))


def either(base, *changes):
    """A `matches` for one idea written in several ways: each of `changes` is a dict of methods or attributes."""
    return one_of(call_optimizer, *(type("Idea", (base,), methods) for methods in changes), **TOLERANCE)


def epsilon_fixed(base):
    """ε is a number that stands in the code; `base` is a rule that adds `self.epsilon` to a root."""

    def stored(number):
        def begin(self, *args, **settings):
            base.__init__(self, *args, **settings)
            self.epsilon = number

        return {"__init__": begin}

    return Misconception(
        "epsilon fixed",
        "It looks as if you always add the same number to the root, whatever epsilon is.",
        "Ask yourself: which line of step uses self.epsilon?",
        matches=either(base, *map(stored, (1e-8, 1e-10, 1e-7, 1e-6))),
    )


def shared_by_tensors(base):
    """One state for all tensors: wrong numbers where their shapes agree, NumPy's ValueError where they do not."""

    def variant(**inputs):
        try:
            return like(base, new_states=lambda self: [{}] * len(self.parameters))(**inputs)
        except ValueError:
            return Raises("ValueError")

    return variant


def _gradients_changed(case, outputs):
    """Only where the gradients are watched, and there the noise itself (the curvature is 0 then)."""
    return case.inputs["manner"] == "watched" and any(
        not np.array_equal(outputs[f"after step {t}, gradients[{i}]"], noise[t - 1])
        for t in case.inputs["look"]
        for i, noise in enumerate(case.inputs["noise"])
    )


def common(base, truth, halfway=()):
    """The wrong ideas that every optimizer class can have; `base` is its `Stepper`, `truth` what is expected.

    `halfway` are changes of `base` that describe a step of which only a part happens in place.
    """

    def rate_kept(**inputs):
        return truth(**inputs | {"rates": ()})

    return (
        Misconception(
            "uphill",
            "It looks as if the parameters move along the gradient, where they should move against it.",
            "Ask yourself: which way does a function change along its gradient, and which way do you want to go?",
            matches=either(
                base,
                {"moved": lambda self, w, g, state: 2 * w - base.moved(self, w, g, state)},
                {"moved": lambda self, w, g, state: base.moved(self, w, -g, state)},  # the decay still shrinks
            ),
        ),
        Misconception(
            "one state for all tensors",
            "It looks as if all parameters share what the optimizer remembers, so that one tensor's history moves "
            "another.",
            "Ask yourself: how many arrays must the optimizer remember when there are three parameters?",
            shared_by_tensors(base),
        ),
        Misconception(
            "new arrays instead of changed ones",
            "It looks as if step changes arrays of its own, new ones or copies made in __init__, and the arrays that "
            "the caller handed over stay as they were.",
            "Ask yourself: which of w = w − d and w −= d changes an array in place, and are these the caller's arrays?",
            matches=either(base, {"moved": lambda self, w, g, state: w}, *halfway),
        ),
        Misconception(
            "learning rate read only once",
            "It looks as if step uses the learning rate from the beginning, whatever self.learning_rate is by now.",
            "Ask yourself: a schedule sets optimizer.learning_rate = 0.001; where does your step look that number up?",
            rate_kept,
        ),
        Misconception(
            "gradients modified in place",
            "It looks as if step writes into the arrays of the gradients.",
            "Ask yourself: which line changes g itself (+=, *=, out=g), and who else may still need it?",
            matches=_gradients_changed,
        ),
    )
