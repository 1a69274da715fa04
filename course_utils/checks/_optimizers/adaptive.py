"""AdaGrad and RMSProp: each number has its own step, from the squares of its gradients; against torch.optim."""

from __future__ import annotations

import numpy as np

from course_utils.checks._optimizers.harness import (
    HIDDEN,
    LARGE,
    TOLERANCE,
    OnTorch,
    Stepper,
    arrays,
    call_optimizer,
    common,
    either,
    epsilon_fixed,
    like,
    steps,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Exercise, Misconception

# --- truth ------------------------------------------------------------------------------------------------------


class TorchAdaGrad(OnTorch):
    """torch.optim.Adagrad with the notebook's names."""

    def __init__(self, parameters, learning_rate=0.01, epsilon=1e-10):
        import torch

        super().__init__(parameters, learning_rate)
        self.optimizer = torch.optim.Adagrad(self.tensors, lr=learning_rate, eps=epsilon)


class TorchRMSProp(OnTorch):
    """torch.optim.RMSprop with the notebook's names."""

    def __init__(self, parameters, learning_rate=0.01, decay=0.99, epsilon=1e-8):
        import torch

        super().__init__(parameters, learning_rate)
        self.optimizer = torch.optim.RMSprop(self.tensors, lr=learning_rate, alpha=decay, eps=epsilon)


adagrad_truth, rmsprop_truth = through(call_optimizer, TorchAdaGrad), through(call_optimizer, TorchRMSProp)


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Rule(Stepper):
    """One step in pieces, so that each can be got wrong."""

    def moved(self, w, g, state):
        state["G"] = total = self.collected(state.get("G", 0.0), g)
        return w - self.learning_rate * g / self.divisor(total)

    def collected(self, total, g):
        raise NotImplementedError

    def divisor(self, total):
        return np.sqrt(total) + self.epsilon


class AdaGradRule(Rule):
    defaults = {"learning_rate": 0.01, "epsilon": 1e-10}

    def collected(self, total, g):
        return total + g**2


class RMSPropRule(Rule):
    defaults = {"learning_rate": 0.01, "decay": 0.99, "epsilon": 1e-8}

    def collected(self, total, g):
        return self.decay * total + (1 - self.decay) * g**2


def _collected_afterwards(self, w, g, state):
    before = state.get("G", np.zeros_like(w))
    state["G"] = self.collected(before, g)
    return w - self.learning_rate * g / self.divisor(before)


def _corrected(self, w, g, state):
    state["G"] = total = self.collected(state.get("G", 0.0), g)
    return w - self.learning_rate * g / self.divisor(total / (1 - self.decay**self.t))


def _step_collected(self, w, g, state):
    """What is squared is the whole step, learning rate included."""
    step = self.learning_rate * g
    state["G"] = total = self.collected(state.get("G", 0.0), step)
    return w - step / self.divisor(total)


def about_the_divisor(base):
    """The wrong ideas about what the gradient is divided by; `base` is a `Rule`."""
    return (
        Misconception(
            "epsilon inside the root",
            "It looks as if ε stands inside the square root.",
            "Ask yourself: with G = 0 and ε = 10⁻⁸, what are √G + ε and √(G + ε)?",
            like(base, divisor=lambda self, total: np.sqrt(total + self.epsilon)),
        ),
        Misconception(
            "epsilon missing",
            "It looks as if nothing is added to √G.",
            "Ask yourself: what is 0/0, for a parameter whose gradient was always 0?",
            like(base, divisor=lambda self, total: np.sqrt(total)),
        ),
        epsilon_fixed(base),
        Misconception(
            "root missing",
            "It looks as if you divide by G where √G belongs.",
            "Ask yourself: all gradients are made 10 times larger; should the step stay as it is, or shrink?",
            like(base, divisor=lambda self, total: total + self.epsilon),
        ),
        Misconception(
            "gradient not squared",
            "It looks as if G collects g where g² belongs.",
            "Ask yourself: what is the root of G when the gradients were −1 and −2?",
            matches=either(base, *_unsquared(base)),
        ),
        Misconception(
            "collected after the step",
            "It looks as if the step divides by the G from before, and the new gradient joins G only afterwards.",
            "Ask yourself: by what does the very first step divide?",
            like(base, moved=_collected_afterwards),
        ),
        Misconception(
            "nothing kept between steps",
            "It looks as if G starts afresh at every step.",
            "Ask yourself: where does the optimizer keep G until the next call of step?",
            like(base, collected=lambda self, total, g: base.collected(self, 0.0, g)),
        ),
        Misconception(
            "one number for a whole tensor",
            "It looks as if G is one number for each tensor, the squares of all its elements together.",
            "Ask yourself: should two elements of one tensor whose gradients were very different share a step size?",
            matches=either(
                base,
                {"collected": lambda self, total, g: base.collected(self, total, np.sqrt(np.sum(g**2)))},
                {"collected": lambda self, total, g: base.collected(self, total, np.sqrt(np.mean(g**2)))},
            ),
        ),
        Misconception(
            "learning rate inside the squares",
            "It looks as if G collects the squares of α·g. Then α cancels, and its size means nothing.",
            "Ask yourself: by which factor should the step change when α doubles?",
            like(base, moved=_step_collected),
        ),
    )


def _unsquared(base):
    def entering(size):
        return {"collected": lambda self, total, g: total + size(g)}

    def averaged(size):
        return {"collected": lambda self, total, g: self.decay * total + (1 - self.decay) * size(g)}

    return [(averaged if base is RMSPropRule else entering)(size) for size in (lambda g: g, np.abs)]


def _cases(rng, small, setting):
    """`small` is a gradient of the size of the root of the default epsilon; `setting` is what else can be chosen."""
    return [
        steps(rng, "one step", 1, **LARGE),
        steps(rng, "one step", 1, **LARGE, learning_rate=0.2, **setting),
        steps(rng, "many steps", 5, **LARGE, learning_rate=0.1, **setting),
        steps(rng, "many steps", 50, **LARGE, learning_rate=0.05),
        steps(rng, "many steps", 50, **LARGE, curvature=2.0, learning_rate=0.03, **setting),
        steps(rng, "epsilon", 3, scale=small),
        steps(rng, "epsilon", 4, learning_rate=0.1, epsilon=0.3, **setting),
        steps(rng, "epsilon", 3, still=True, learning_rate=0.1),
        steps(rng, "learning rate changed", 6, **LARGE, learning_rate=0.1, rates=((4, 0.01),)),
        steps(rng, "learning rate changed", 20, **LARGE, learning_rate=0.02, rates=((8, 0.1), (15, 0.004)), **setting),
        *arrays(rng, **LARGE, learning_rate=0.05, **setting),
    ]


def _adagrad_cases(rng):
    return _cases(rng, 1e-5, {})


def _rmsprop_cases(rng):
    return _cases(rng, 1e-4, {"decay": 0.8})


# --- the two exercises ------------------------------------------------------------------------------------------

AdaGrad = Exercise(
    name="AdaGrad",
    cases=_adagrad_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=adagrad_truth,
    stand_in=lambda: TorchAdaGrad,
    **TOLERANCE,
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Every single number of every parameter keeps the sum of the squares of its own gradients. What had large "
        "gradients moves in small steps.",
        "G has the shape of its parameter, one array for each, made in __init__. Add g² to it first, then take the "
        "step.",
        "total += g**2, then w -= self.learning_rate * g / (np.sqrt(total) + self.epsilon).",
    ),
    misconceptions=(
        *common(AdaGradRule, adagrad_truth),
        *about_the_divisor(AdaGradRule),
        Misconception(
            "mean instead of sum",
            "It looks as if G is the mean of the squares. AdaGrad keeps their sum, so its steps go on shrinking.",
            "Ask yourself: all gradients are 1; how large is step number 100?",
            like(AdaGradRule, divisor=lambda self, total: np.sqrt(total / self.t) + self.epsilon),
        ),
    ),
)

RMSProp = Exercise(
    name="RMSProp",
    cases=_rmsprop_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=rmsprop_truth,
    stand_in=lambda: TorchRMSProp,
    **TOLERANCE,
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "The sum of AdaGrad becomes an average that forgets: at each step a share ρ of the old one stays, and g² "
        "brings the rest.",
        "G has the shape of its parameter, one array for each, made in __init__ with zeros. Renew it first, then take "
        "the step.",
        "average *= self.decay, average += (1 - self.decay) * g**2, then "
        "w -= self.learning_rate * g / (np.sqrt(average) + self.epsilon).",
    ),
    misconceptions=(
        *common(RMSPropRule, rmsprop_truth),
        *about_the_divisor(RMSPropRule),
        Misconception(
            "AdaGrad's sum",
            "It looks as if G only grows: every square is added in full, and nothing is forgotten.",
            "Ask yourself: all gradients are 1; where should G end up?",
            like(RMSPropRule, collected=lambda self, total, g: total + g**2),
        ),
        Misconception(
            "old part decays, new part in full",
            "It looks as if G ← ρG + g², without the factor 1 − ρ.",
            "Ask yourself: all gradients are 1 and ρ is 0.9; where does G end up in this average, and where in yours?",
            like(RMSPropRule, collected=lambda self, total, g: self.decay * total + g**2),
        ),
        Misconception(
            "decay swapped",
            "It looks as if ρ and 1 − ρ have changed places: nearly all of the old average is thrown away.",
            "Ask yourself: with ρ = 0.99, how many steps back should G remember?",
            like(RMSPropRule, collected=lambda self, total, g: (1 - self.decay) * total + self.decay * g**2),
        ),
        Misconception(
            "bias corrected",
            "It looks as if G is divided by 1 − ρᵗ, as in Adam. RMSProp does not do that.",
            "Ask yourself: which formula of this exercise has a t in it?",
            like(RMSPropRule, moved=_corrected),
        ),
    ),
)
