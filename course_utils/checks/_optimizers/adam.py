"""Adam against torch.optim.Adam; and the wrong ideas that its relatives can have as well."""

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


class TorchAdam(OnTorch):
    """torch.optim.Adam with the notebook's names."""

    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        import torch

        super().__init__(parameters, learning_rate)
        self.optimizer = torch.optim.Adam(
            self.tensors, lr=learning_rate, betas=(float(beta1), float(beta2)), eps=epsilon
        )


truth = through(call_optimizer, TorchAdam)


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Rule(Stepper):
    """One step in pieces, so that each can be got wrong."""

    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

    def moved(self, w, g, state):
        state["m"] = m = self.mean(state.get("m", 0.0), g)
        state["v"] = v = self.square(state.get("v", 0.0), g)
        return self.shrunk(w) - self.learning_rate * self.direction(m, g) / self.divisor(v)

    def mean(self, m, g):
        return self.beta1 * m + (1 - self.beta1) * g

    def square(self, v, g):
        return self.beta2 * v + (1 - self.beta2) * g**2

    def shrunk(self, w):
        return w

    def direction(self, m, g):
        return self.corrected(m, self.beta1)

    def divisor(self, v):
        return np.sqrt(self.corrected(v, self.beta2)) + self.epsilon

    def corrected(self, average, beta):
        return average / (1 - beta**self.t)


def counting_tensors(self, gradients):
    """A step that counts t up once for each tensor."""
    with np.errstate(all="ignore"):
        for w, g, state in zip(self.parameters, gradients, self.states, strict=True):
            self.t += 1
            w[...] = self.moved(w, g, state)


def stored_back(*names):
    """A `moved` that keeps the corrected averages of these names for the next step."""

    def moved(self, w, g, state):
        m, v = self.mean(state.get("m", 0.0), g), self.square(state.get("v", 0.0), g)
        moved = self.shrunk(w) - self.learning_rate * self.direction(m, g) / self.divisor(v)
        kept = {"m": self.corrected(m, self.beta1), "v": self.corrected(v, self.beta2)}
        state.update({"m": m, "v": v} | {name: kept[name] for name in names})
        return moved

    return {"moved": moved}


def _betas_swapped(self, *args, **settings):
    Rule.__init__(self, *args, **settings)
    self.beta1, self.beta2 = self.beta2, self.beta1


def _epsilon_early(self, v):
    """The paper's rearranged form, which adds epsilon to the root of the uncorrected average."""
    return (np.sqrt(v) + self.epsilon) / np.sqrt(1 - self.beta2**self.t)


def averages(rule):
    """The wrong ideas about the two averages, their correction and epsilon; `rule` is a `Rule`."""
    return (
        Misconception(
            "nothing kept between steps",
            "It looks as if m and v start afresh at every step. In a loop, m = β₁m + … only gives the name m to a new "
            "array, and the optimizer still holds the old one.",
            "Ask yourself: where does the optimizer keep m and v until the next call of step?",
            like(
                rule,
                mean=lambda self, m, g: rule.mean(self, 0.0, g),
                square=lambda self, v, g: rule.square(self, 0.0, g),
            ),
        ),
        Misconception(
            "no bias correction",
            "It looks as if m and v are used as they are, without dividing by 1 − βᵗ.",
            "Ask yourself: m starts at 0 and the first gradient is 1; how large is m after one step, and how large "
            "should an average of one number be?",
            like(rule, corrected=lambda self, average, beta: average),
        ),
        Misconception(
            "t starting at 0",
            "It looks as if t is 0 at the first step. Then 1 − βᵗ is 0, and m̂ and v̂ are no numbers.",
            "Ask yourself: which comes first in step, counting or dividing by 1 − βᵗ?",
            like(rule, corrected=lambda self, average, beta: average / (1 - beta ** (self.t - 1.0))),
        ),
        Misconception(
            "t starting at 2",
            "It looks as if t is 2 already at the first step.",
            "Ask yourself: what is t before the first step, and what does step do to it?",
            like(rule, corrected=lambda self, average, beta: average / (1 - beta ** (self.t + 1))),
        ),
        Misconception(
            "t always 1",
            "It looks as if t stays 1, so every step divides by 1 − β.",
            "Ask yourself: where does t grow, and is it kept until the next call of step?",
            like(rule, corrected=lambda self, average, beta: average / (1 - beta)),
        ),
        Misconception(
            "t counted for each tensor",
            "It looks as if t grows inside the loop over the parameters, so that it counts tensors instead of steps.",
            "Ask yourself: with three parameters, what is t after the first step?",
            like(rule, step=counting_tensors),
        ),
        Misconception(
            "corrected average stored back",
            "It looks as if m̂ (or v̂) takes the place of the average itself, so that the next step builds on a number "
            "that was corrected already.",
            "Ask yourself: does m /= … change the array that the next step starts from?",
            matches=either(rule, stored_back("m"), stored_back("v"), stored_back("m", "v")),
        ),
        Misconception(
            "correction with 1 − (1 − β)ᵗ",
            "It looks as if you divide by 1 − (1 − β)ᵗ, where 1 − βᵗ belongs.",
            "Ask yourself: which share of m, after t steps, still comes from the zero at the start?",
            like(rule, corrected=lambda self, average, beta: average / (1 - (1 - beta) ** self.t)),
        ),
        Misconception(
            "multiplied by 1 − βᵗ",
            "It looks as if you multiply by 1 − βᵗ, where you should divide.",
            "Ask yourself: m starts at 0 and so is too small at first; should the correction make it larger?",
            like(rule, corrected=lambda self, average, beta: average * (1 - beta**self.t)),
        ),
        Misconception(
            "epsilon inside the root",
            "It looks as if ε stands inside the square root.",
            "Ask yourself: with v̂ = 0 and ε = 10⁻⁸, what are √v̂ + ε and √(v̂ + ε)?",
            like(rule, divisor=lambda self, v: np.sqrt(self.corrected(v, self.beta2) + self.epsilon)),
        ),
    )


MISCONCEPTIONS = (
    Misconception(
        "first average not corrected",
        "It looks as if v is corrected and m is not.",
        "Ask yourself: m starts at 0 as well; how large is it after one step, compared to g?",
        like(Rule, direction=lambda self, m, g: m),
    ),
    Misconception(
        "second average not corrected",
        "It looks as if m is corrected and v is not.",
        "Ask yourself: which of the two averages needs more steps to forget that it started at 0?",
        like(Rule, divisor=lambda self, v: np.sqrt(v) + self.epsilon),
    ),
    Misconception(
        "both corrected with beta1",
        "It looks as if v̂ is divided by 1 − β₁ᵗ as well.",
        "Ask yourself: which β does v forget with?",
        like(Rule, divisor=lambda self, v: np.sqrt(self.corrected(v, self.beta1)) + self.epsilon),
    ),
    Misconception(
        "epsilon before the correction",
        "It looks as if ε is added to √v before the correction, as in a rearranged form of Adam. In the first steps, ε "
        "then counts for more.",
        "Ask yourself: does ε stand beside √v or beside √v̂?",
        like(Rule, divisor=_epsilon_early),
    ),
    Misconception(
        "epsilon missing",
        "It looks as if nothing is added to √v̂.",
        "Ask yourself: what is 0/0, for a parameter whose gradient was always 0?",
        like(Rule, divisor=lambda self, v: np.sqrt(self.corrected(v, self.beta2))),
    ),
    epsilon_fixed(Rule),
    Misconception(
        "root missing",
        "It looks as if you divide by v̂ where √v̂ belongs.",
        "Ask yourself: all gradients are made 10 times larger; should Adam's step change?",
        like(Rule, divisor=lambda self, v: self.corrected(v, self.beta2) + self.epsilon),
    ),
    Misconception(
        "gradient not squared",
        "It looks as if v averages g where g² belongs.",
        "Ask yourself: what is the root of v when the gradients were −1 and −2?",
        matches=either(
            Rule,
            {"square": lambda self, v, g: self.beta2 * v + (1 - self.beta2) * g},
            {"square": lambda self, v, g: self.beta2 * v + (1 - self.beta2) * np.abs(g)},
        ),
    ),
    Misconception(
        "betas swapped",
        "It looks as if m uses β₂ and v uses β₁.",
        "Ask yourself: which of the two averages should remember longer?",
        like(Rule, __init__=_betas_swapped),
    ),
    Misconception(
        "old and new share swapped",
        "It looks as if β and 1 − β have changed places in the averages: nearly all of the past is thrown away.",
        "Ask yourself: with β₁ = 0.9, how much of m should come from the newest gradient?",
        like(
            Rule,
            mean=lambda self, m, g: (1 - self.beta1) * m + self.beta1 * g,
            square=lambda self, v, g: (1 - self.beta2) * v + self.beta2 * g**2,
        ),
    ),
    Misconception(
        "new part in full",
        "It looks as if the averages are m ← β₁m + g and v ← β₂v + g², without the factors 1 − β.",
        "Ask yourself: all gradients are 1; where should m end up?",
        like(
            Rule,
            mean=lambda self, m, g: self.beta1 * m + g,
            square=lambda self, v, g: self.beta2 * v + g**2,
        ),
    ),
)


def adam_cases(rng, **more):
    """The cases for Adam and its relatives; `more` are settings that only a relative has."""
    other = {"beta1": 0.7, "beta2": 0.9}
    changes = ((8, 0.1), (15, 0.002))
    return [
        steps(rng, "one step", 1, **LARGE),
        steps(rng, "one step", 1, **LARGE, learning_rate=0.2, beta1=0.6, beta2=0.95, **more),
        steps(rng, "many steps", 5, **LARGE, learning_rate=0.1, **other, **more),
        steps(rng, "many steps", 50, **LARGE, learning_rate=0.05),
        steps(rng, "many steps", 50, **LARGE, curvature=2.0, learning_rate=0.02, **other, **more),
        steps(rng, "epsilon", 3, scale=1e-4),
        steps(rng, "epsilon", 4, learning_rate=0.1, epsilon=0.3, **other, **more),
        steps(rng, "epsilon", 3, still=True, learning_rate=0.1),
        steps(rng, "learning rate changed", 6, **LARGE, learning_rate=0.1, rates=((4, 0.01),)),
        steps(rng, "learning rate changed", 20, **LARGE, learning_rate=0.02, rates=changes, **other, **more),
        *arrays(rng, **LARGE, learning_rate=0.05, **other, **more),
    ]


def _cases(rng):
    return adam_cases(rng)


Adam = Exercise(
    name="Adam",
    cases=_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=truth,
    stand_in=lambda: TorchAdam,
    **TOLERANCE,
    difficulty=3,
    importance=5,
    minutes=20,
    hints=(
        "Two averages that forget: m of the gradients, v of their squares. Both start at 0 and are too small at first; "
        "dividing by 1 − βᵗ puts that right, and only in the step: the averages themselves stay as they are.",
        "m and v have the shape of their parameter, one of each for every parameter. t is one number for the whole "
        "optimizer: count it up once, at the beginning of step.",
        "self.t += 1 before the loop. In the loop: m *= b1, m += (1 - b1) * g, the same for v with g**2, then "
        "w -= lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps).",
    ),
    misconceptions=(*common(Rule, truth), *averages(Rule), *MISCONCEPTIONS),
)
