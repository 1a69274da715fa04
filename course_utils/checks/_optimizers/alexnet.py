"""AlexNetSGD: the paper's rule, with the learning rate and the decay inside the velocity."""

from __future__ import annotations

from course_utils.checks._optimizers.harness import (
    HIDDEN,
    TOLERANCE,
    OnTorch,
    Stepper,
    arrays,
    call_optimizer,
    common,
    like,
    steps,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Exercise, Misconception

# --- truth ------------------------------------------------------------------------------------------------------


class TorchAlexNetSGD(OnTorch):
    """torch.optim.SGD at the learning rate 1, fed with ε(g + λw): its velocity is then the paper's with a minus."""

    def __init__(self, parameters, learning_rate, momentum=0.9, weight_decay=5e-4):
        import torch

        super().__init__(parameters, learning_rate)
        self.weight_decay = weight_decay
        self.optimizer = torch.optim.SGD(self.tensors, lr=1.0, momentum=momentum)

    def step(self, gradients):
        """PyTorch's step for the gradients that already carry the learning rate and the decay."""
        import torch

        for tensor, w, g in zip(self.tensors, self.parameters, gradients, strict=True):
            tensor.grad = torch.from_numpy(self.learning_rate * (g + self.weight_decay * w))
        self.optimizer.step()


truth = through(call_optimizer, TorchAlexNetSGD)


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Rule(Stepper):
    """One step in pieces, so that each can be got wrong."""

    defaults = {"momentum": 0.9, "weight_decay": 5e-4}

    def moved(self, w, g, state):
        state["v"] = v = self.velocity(state.get("v", 0.0), self.push(w, g))
        return w + v

    def velocity(self, v, push):
        return self.momentum * v + push

    def push(self, w, g):
        return -self.learning_rate * (self.weight_decay * w + g)


def _rate_outside(self, w, g, state):
    state["v"] = v = self.momentum * state.get("v", 0.0) - self.weight_decay * w - g
    return w + self.learning_rate * v


def _rate_twice(self, w, g, state):
    state["v"] = v = self.velocity(state.get("v", 0.0), self.push(w, g))
    return w + self.learning_rate * v


def _rate_on_the_gradient_alone(self, w, g):
    return -self.weight_decay * w - self.learning_rate * g


def _bare(self, w, g, state):
    """A step without any decay."""
    state["v"] = v = self.velocity(state.get("v", 0.0), -self.learning_rate * g)
    return w + v


def _decay_apart(self, w, g, state):
    decay = self.learning_rate * self.weight_decay * w
    return _bare(self, w, g, state) - decay


def _decay_after(self, w, g, state):
    return _bare(self, w, g, state) * (1 - self.learning_rate * self.weight_decay)


MISCONCEPTIONS = (
    Misconception(
        "learning rate outside the velocity",
        "It looks as if the velocity collects bare gradients and the step multiplies all of it by today's learning "
        "rate. That is PyTorch's convention.",
        "Ask yourself: the rate is divided by 10 now; what becomes of the part of v from earlier steps in the paper's "
        "rule?",
        like(Rule, moved=_rate_outside),
    ),
    Misconception(
        "learning rate twice",
        "It looks as if the learning rate is in the velocity, and the step multiplies by it once more.",
        "Ask yourself: which unit has v in this rule, that of a gradient or that of a step?",
        like(Rule, moved=_rate_twice),
    ),
    Misconception(
        "averaged velocity",
        "It looks as if what is new enters the velocity with the factor 1 − μ.",
        "Ask yourself: which factor stands before εg in the paper's rule?",
        like(Rule, velocity=lambda self, v, push: self.momentum * v + (1 - self.momentum) * push),
    ),
    Misconception(
        "velocity not kept",
        "It looks as if the velocity starts afresh at every step.",
        "Ask yourself: where does the optimizer keep v until the next call of step?",
        like(Rule, velocity=lambda self, v, push: push),
    ),
    Misconception(
        "decay's sign",
        "It looks as if weight decay makes parameters grow.",
        "Ask yourself: w is positive and g is 0; should v become positive or negative?",
        like(Rule, push=lambda self, w, g: self.learning_rate * (self.weight_decay * w - g)),
    ),
    Misconception(
        "decay without the learning rate",
        "It looks as if the decay is λw, without the factor ε.",
        "Ask yourself: the paper's rule has three terms; in which of them does ε stand?",
        like(Rule, push=_rate_on_the_gradient_alone),
    ),
    Misconception(
        "decay outside the velocity",
        "It looks as if the decay ελw is taken off the parameter directly and does not enter the velocity.",
        "Ask yourself: with v ← μv − λεw − εg, does tomorrow's step still know of today's decay?",
        like(Rule, moved=_decay_apart),
    ),
    Misconception(
        "decay after the update",
        "It looks as if the parameter shrinks after its step, so that the decay uses the new w.",
        "Ask yourself: which w stands in the rule for v, the one before or the one after the step?",
        like(Rule, moved=_decay_after),
    ),
    Misconception(
        "the paper's numbers built in",
        "It looks as if your rule always uses 0.9 and 0.0005, whatever momentum and weight_decay are.",
        "Ask yourself: what should momentum=0.5 change?",
        lambda **inputs: truth(**{k: v for k, v in inputs.items() if k not in ("momentum", "weight_decay")}),
    ),
)


def _cases(rng):
    return [
        steps(rng, "one step", 1, learning_rate=0.1, weight_decay=0.3),
        steps(rng, "one step", 1, learning_rate=0.5, momentum=0.6, weight_decay=0.0),
        steps(rng, "momentum", 5, learning_rate=0.1, momentum=0.6, weight_decay=0.0),
        steps(rng, "momentum", 50, learning_rate=0.05, momentum=0.9, weight_decay=0.0),
        steps(rng, "weight decay", 5, learning_rate=0.1, weight_decay=0.2),
        steps(rng, "weight decay", 50, learning_rate=0.2, momentum=0.8),
        steps(rng, "weight decay", 20, learning_rate=0.05, momentum=0.7, weight_decay=0.1),
        steps(rng, "learning rate changed", 6, learning_rate=0.2, weight_decay=0.0, rates=((4, 0.02),)),
        steps(rng, "learning rate changed", 20, learning_rate=0.05, weight_decay=0.0, rates=((8, 0.2), (15, 0.01))),
        *arrays(rng, learning_rate=0.1, weight_decay=0.0, watched={"weight_decay": 0.1}),
    ]


AlexNetSGD = Exercise(
    name="AlexNetSGD",
    cases=_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=truth,
    stand_in=lambda: TorchAlexNetSGD,
    **TOLERANCE,
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Here the velocity is a step: what is added to w. So the learning rate goes into v, once, when a gradient "
        "comes in, and later changes of the rate do not reach that part any more.",
        "One velocity for each parameter, of its shape, made in __init__. Compute v from the w before the step. "
        "v *= … and v −= … keep it in its array.",
        "v *= self.momentum, then v -= self.learning_rate * (self.weight_decay * w + g), then w += v.",
    ),
    misconceptions=(*common(Rule, truth), *MISCONCEPTIONS),
)
