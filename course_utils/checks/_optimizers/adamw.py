"""AdamW against torch.optim.AdamW: weight decay beside Adam's step, not inside it."""

from __future__ import annotations

from course_utils.checks._optimizers import adam
from course_utils.checks._optimizers.harness import (
    ARRAYS,
    HIDDEN,
    TOLERANCE,
    OnTorch,
    call_optimizer,
    common,
    either,
    like,
    steps,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception

# --- truth ------------------------------------------------------------------------------------------------------


class TorchAdamW(OnTorch):
    """torch.optim.AdamW with the notebook's names."""

    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        import torch

        super().__init__(parameters, learning_rate)
        self.optimizer = torch.optim.AdamW(
            self.tensors, lr=learning_rate, betas=(float(beta1), float(beta2)), eps=epsilon, weight_decay=weight_decay
        )


truth = through(call_optimizer, TorchAdamW)


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Rule(adam.Rule):
    defaults = adam.Rule.defaults | {"weight_decay": 0.01}

    def shrunk(self, w):
        return w * (1 - self.learning_rate * self.weight_decay)


def _l2(strength):
    def moved(self, w, g, state):
        return adam.Rule.moved(self, w, g + strength * self.weight_decay * w, state)

    return {"moved": moved, "shrunk": lambda self, w: w}


def _divided_too(self, w, g, state):
    state["m"] = m = self.mean(state.get("m", 0.0), g)
    state["v"] = v = self.square(state.get("v", 0.0), g)
    return w - self.learning_rate * (self.direction(m, g) + self.weight_decay * w) / self.divisor(v)


def _shrunk_afterwards(factor):
    """A step without decay, and then a parameter `factor(self)` times as large."""

    def moved(self, w, g, state):
        return adam.Rule.moved(self, w, g, state) * factor(self)

    return {"moved": moved, "shrunk": lambda self, w: w}


def _factor_computed_once(self, *args, **settings):
    Rule.__init__(self, *args, **settings)
    self.factor = 1 - self.learning_rate * self.weight_decay


def _shrunk_only(self, w, g, state):
    return self.shrunk(w)


MISCONCEPTIONS = (
    Misconception(
        "L2 called AdamW",
        "It looks as if λw is added to the gradient and so goes through both averages: Adam with an L2 penalty.",
        "Ask yourself: in your step, does a parameter with large gradients shrink as fast as one with small ones?",
        matches=either(Rule, _l2(1), _l2(2)),
    ),
    Misconception(
        "decay divided by the root",
        "It looks as if λw joins m̂ and is divided by √v̂ + ε with it.",
        "Ask yourself: by which factor should w shrink when its gradient is 0, and does v̂ matter for that?",
        like(Rule, moved=_divided_too),
    ),
    Misconception(
        "decay's sign",
        "It looks as if weight decay makes parameters grow.",
        "Ask yourself: is 1 + αλ below 1?",
        like(Rule, shrunk=lambda self, w: w * (1 + self.learning_rate * self.weight_decay)),
    ),
    Misconception(
        "decay without the learning rate",
        "It looks as if parameters shrink by λw, without the factor α.",
        "Ask yourself: the learning rate goes to 0; should parameters still shrink?",
        matches=either(
            Rule,
            {"shrunk": lambda self, w: w * (1 - self.weight_decay)},
            _shrunk_afterwards(lambda self: 1 - self.weight_decay),
        ),
    ),
    Misconception(
        "decay factor computed once",
        "It looks as if 1 − αλ is computed once, in __init__, so that parameters shrink by the first learning rate.",
        "Ask yourself: a schedule sets optimizer.learning_rate = 0.001; which of your numbers change with it?",
        like(Rule, __init__=_factor_computed_once, shrunk=lambda self, w: w * self.factor),
    ),
    Misconception(
        "decay after the update",
        "It looks as if the parameter shrinks after Adam's step, so that the step shrinks with it.",
        "Ask yourself: which w stands in w ← w − αλw, the one before or the one after Adam's step?",
        matches=either(Rule, _shrunk_afterwards(lambda self: 1 - self.learning_rate * self.weight_decay)),
    ),
)


def _cases(rng):
    """Adam's cases without decay where they are about Adam's step, with it where they are about more."""

    def decaying(case):
        strength = 0.4 if case.aspect in ("learning rate changed", ARRAYS) else 0.0
        return Case(case.aspect, {**case.inputs, "weight_decay": strength})

    return [
        *map(decaying, adam.adam_cases(rng)),
        steps(rng, "weight decay", 1, learning_rate=0.1, weight_decay=0.4),
        steps(rng, "weight decay", 5, learning_rate=0.05),
        steps(rng, "weight decay", 50, learning_rate=0.1, beta2=0.95, weight_decay=0.2),
    ]


AdamW = Exercise(
    name="AdamW",
    cases=_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=truth,
    stand_in=lambda: TorchAdamW,
    **TOLERANCE,
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "Shrink each parameter a little, then take Adam's step. The gradient stays what it was: neither average hears "
        "of the decay.",
        "One factor for the whole array, in place, before the step. If you build on your Adam, its constructor has no "
        "weight_decay, and its learning rate is the attribute that a schedule sets.",
        "w *= 1 - self.learning_rate * self.weight_decay, then the lines of Adam with the bare g. "
        "With class AdamW(Adam): that loop, then super().step(gradients).",
    ),
    misconceptions=(*common(Rule, truth, halfway=[{"moved": _shrunk_only}]), *adam.averages(Rule), *MISCONCEPTIONS),
)
