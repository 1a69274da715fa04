"""SGD: gradient descent with momentum, Nesterov's variant and weight decay, against torch.optim.SGD."""

from __future__ import annotations

from course_utils.checks._optimizers.harness import (
    ARRAYS,
    HIDDEN,
    TOLERANCE,
    OnTorch,
    Stepper,
    arrays,
    call_optimizer,
    common,
    either,
    like,
    steps,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Exercise, Misconception

# --- truth ------------------------------------------------------------------------------------------------------


class TorchSGD(OnTorch):
    """torch.optim.SGD with the notebook's names."""

    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        import torch

        super().__init__(parameters, learning_rate)
        nesterov = nesterov and momentum > 0  # PyTorch refuses to look ahead without a velocity
        self.optimizer = torch.optim.SGD(
            self.tensors, lr=learning_rate, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )


truth = through(call_optimizer, TorchSGD)


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Rule(Stepper):
    """One step in pieces, so that each can be got wrong."""

    defaults = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}

    def moved(self, w, g, state):
        g = self.decayed(g, w)
        state["v"] = v = self.velocity(state.get("v", 0.0), g)
        return w - self.learning_rate * (self.ahead(g, v) if self.nesterov else v)

    def decayed(self, g, w):
        return g + self.weight_decay * w

    def velocity(self, v, g):
        return self.momentum * v + g

    def ahead(self, g, v):
        return g + self.momentum * v


def _rate_inside(self, w, g, state):
    """The lecture's form, and for Nesterov its rewritten form: equal to PyTorch's while the rate stays the same."""
    before = state.get("v", 0.0)
    state["v"] = v = self.momentum * before - self.learning_rate * self.decayed(g, w)
    return w - self.momentum * before + (1 + self.momentum) * v if self.nesterov else w + v


def _decay_apart(self, w, g, state):
    """Decoupled from the velocity; `w` is the parameter before the step."""
    decay = self.learning_rate * self.weight_decay * w
    return _without_decay(self, w, g, state) - decay


def _decay_after(self, w, g, state):
    return _without_decay(self, w, g, state) * (1 - self.learning_rate * self.weight_decay)


def _decay_without_rate(self, w, g, state):
    return _without_decay(self, w, g, state) - self.weight_decay * w


def _decay_without_rate_after(self, w, g, state):
    return _without_decay(self, w, g, state) * (1 - self.weight_decay)


def _without_decay(self, w, g, state):
    state["v"] = v = self.velocity(state.get("v", 0.0), g)
    return w - self.learning_rate * (self.ahead(g, v) if self.nesterov else v)


def _raw_lookahead(self, w, g, state):
    state["v"] = v = self.velocity(state.get("v", 0.0), self.decayed(g, w))
    return w - self.learning_rate * (g + self.momentum * v if self.nesterov else v)


def _lookahead_kept(self, w, g, state):
    g = self.decayed(g, w)
    v = self.velocity(state.get("v", 0.0), g)
    state["v"] = v = self.ahead(g, v) if self.nesterov else v
    return w - self.learning_rate * v


def _first_gradient_kept(in_place):
    """The velocity is the caller's first gradient array, and changes when the caller refills that."""

    def moved(self, w, g, state):
        g = self.decayed(g, w) if self.weight_decay else g
        if "v" not in state or self.momentum == 0:
            state["v"] = g
        elif in_place:
            state["v"] *= self.momentum
            state["v"] += g
        else:
            state["v"] = self.velocity(state["v"], g)
        return w - self.learning_rate * (self.ahead(g, state["v"]) if self.nesterov else state["v"])

    return moved


MISCONCEPTIONS = (
    Misconception(
        "learning rate inside the velocity",
        "It looks as if the velocity collects learning rate times gradient, so that steps of the past keep their old "
        "rate.",
        "Ask yourself: when the rate is divided by 10, how large is the part of the next step that comes from the "
        "velocity?",
        like(Rule, moved=_rate_inside),
    ),
    Misconception(
        "averaged velocity",
        "It looks as if the new gradient enters the velocity with the factor 1 − μ.",
        "Ask yourself: all gradients are 1 and μ is 0.9; where does v end up in this convention, and where in yours?",
        like(Rule, velocity=lambda self, v, g: self.momentum * v + (1 - self.momentum) * g),
    ),
    Misconception(
        "velocity not kept",
        "It looks as if the velocity starts afresh at every step.",
        "Ask yourself: where does the optimizer keep v until the next call of step?",
        like(Rule, velocity=lambda self, v, g: g),
    ),
    Misconception(
        "Nesterov without looking ahead",
        "It looks as if nesterov=True takes the same step as plain momentum.",
        "Ask yourself: by what does g + μv differ from v?",
        like(Rule, ahead=lambda self, g, v: v),
    ),
    Misconception(
        "lookahead with the wrong sign",
        "It looks as if Nesterov's step looks back instead of ahead: g − μv where g + μv belongs.",
        "Ask yourself: on a long straight slope, should looking ahead make the step longer or shorter?",
        like(Rule, ahead=lambda self, g, v: g - self.momentum * v),
    ),
    Misconception(
        "lookahead from the velocity",
        "It looks as if Nesterov's step is v + μv, where g + μv belongs.",
        "Ask yourself: v holds g and the past already; how often is the past counted in v + μv?",
        like(Rule, ahead=lambda self, g, v: v + self.momentum * v),
    ),
    Misconception(
        "lookahead stored back",
        "It looks as if g + μv becomes the new velocity. It is only the direction of this step.",
        "Ask yourself: which of the two, v or g + μv, should the next step multiply by μ?",
        like(Rule, moved=_lookahead_kept),
    ),
    Misconception(
        "decay missing in the lookahead",
        "It looks as if Nesterov's step adds the bare gradient, while the velocity has g + λw.",
        "Ask yourself: which gradient stands in g + μv, the one before or the one after g ← g + λw?",
        like(Rule, moved=_raw_lookahead),
    ),
    Misconception(
        "decay's sign",
        "It looks as if weight decay makes parameters grow: g − λw where g + λw belongs.",
        "Ask yourself: what is the gradient of ½λ‖w‖², and which way does a step go along it?",
        like(Rule, decayed=lambda self, g, w: g - self.weight_decay * w),
    ),
    Misconception(
        "decay doubled",
        "It looks as if the decay is 2λw.",
        "Ask yourself: the penalty is ½λ‖w‖²; what becomes of the ½ in its gradient?",
        like(Rule, decayed=lambda self, g, w: g + 2 * self.weight_decay * w),
    ),
    Misconception(
        "decay halved",
        "It looks as if the decay is ½λw.",
        "Ask yourself: what is the derivative of ½λw²?",
        like(Rule, decayed=lambda self, g, w: g + 0.5 * self.weight_decay * w),
    ),
    Misconception(
        "decay without the learning rate",
        "It looks as if λw is taken off at every step without the factor α.",
        "Ask yourself: the learning rate goes to 0; should parameters still shrink?",
        matches=either(Rule, {"moved": _decay_without_rate}, {"moved": _decay_without_rate_after}),
    ),
    Misconception(
        "decay outside the velocity",
        "It looks as if the decay αλw is taken off the parameter directly and does not enter the velocity.",
        "Ask yourself: in g ← g + λw, v ← μv + g, does v know of the decay?",
        like(Rule, moved=_decay_apart),
    ),
    Misconception(
        "decay after the update",
        "It looks as if the parameter shrinks after its step, so that the decay uses the new w.",
        "Ask yourself: at which point is the gradient of the loss taken, and at which that of the penalty?",
        like(Rule, moved=_decay_after),
    ),
    Misconception(
        "velocity is the gradient's array",
        "It looks as if your velocity starts out as the caller's gradient array itself. When the caller writes the "
        "next gradient into that array, the velocity changes.",
        "Ask yourself: after v = g, how many arrays are there?",
        matches=either(Rule, {"moved": _first_gradient_kept(False)}, {"moved": _first_gradient_kept(True)}),
    ),
)


def _cases(rng):
    both = {"momentum": 0.9, "nesterov": True}
    changes = ((6, 0.01), (12, 0.05))
    return [
        steps(rng, "plain steps", 3, learning_rate=0.1),
        steps(rng, "plain steps", 10, learning_rate=0.3),
        steps(rng, "momentum", 5, learning_rate=0.1, momentum=0.6),
        steps(rng, "momentum", 50, learning_rate=0.05, momentum=0.9),
        steps(rng, "Nesterov", 5, learning_rate=0.1, nesterov=True, momentum=0.6),
        steps(rng, "Nesterov", 50, learning_rate=0.05, **both),
        steps(rng, "weight decay", 4, learning_rate=0.1, weight_decay=0.3),
        steps(rng, "weight decay", 50, learning_rate=0.05, momentum=0.9, weight_decay=0.1),
        steps(rng, "weight decay", 5, learning_rate=0.1, weight_decay=0.2, **both),
        steps(rng, "learning rate changed", 5, learning_rate=0.2, rates=((3, 0.05),)),
        steps(rng, "learning rate changed", 15, learning_rate=0.1, momentum=0.9, rates=changes),
        *arrays(rng, learning_rate=0.1, momentum=0.9, watched={"nesterov": True, "weight_decay": 0.1}),
        steps(rng, ARRAYS, 4, manner="refilled", learning_rate=0.1, momentum=0.9),
    ]


SGD = Exercise(
    name="SGD",
    cases=_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=truth,
    stand_in=lambda: TorchSGD,
    **TOLERANCE,
    difficulty=2,
    importance=5,
    minutes=20,
    hints=(
        "An optimizer remembers one velocity for each parameter, made once in __init__. step then goes through "
        "parameters, gradients and velocities side by side, and every line changes whole arrays.",
        "A velocity has the shape of its parameter: np.zeros_like(w). zip walks three lists at once. w −= d changes "
        "the caller's array, w = w − d makes another one. For the decay it is the other way round: g = g + λw must "
        "make a new array, because g belongs to the caller.",
        "for w, g, v in zip(self.parameters, gradients, self.velocities): g = g + self.weight_decay * w, then "
        "v *= self.momentum, v += g, and w -= self.learning_rate * d, where d is g + self.momentum * v with nesterov "
        "and v without.",
    ),
    misconceptions=(*common(Rule, truth), *MISCONCEPTIONS),
)
