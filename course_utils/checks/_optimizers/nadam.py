"""NAdam against torch.optim.NAdam: Adam that looks one step ahead, with a momentum that grows."""

from __future__ import annotations

import numpy as np

from course_utils.checks._optimizers import adam
from course_utils.checks._optimizers.harness import (
    HIDDEN,
    TOLERANCE,
    OnTorch,
    call_optimizer,
    common,
    either,
    like,
)
from course_utils.checks.describe import through
from course_utils.checks.exercise import Exercise, Misconception

# --- truth ------------------------------------------------------------------------------------------------------


class TorchNAdam(OnTorch):
    """torch.optim.NAdam with the notebook's names."""

    def __init__(self, parameters, learning_rate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum_decay=4e-3):
        import torch

        super().__init__(parameters, learning_rate)
        self.optimizer = torch.optim.NAdam(
            self.tensors,
            lr=learning_rate,
            betas=(float(beta1), float(beta2)),
            eps=epsilon,
            momentum_decay=momentum_decay,
        )
        for tensor in self.tensors:  # PyTorch's own start, except that it would keep the product in float32
            self.optimizer.state[tensor] = {
                "step": torch.tensor(0.0),
                "mu_product": torch.ones((), dtype=torch.float64),
                "exp_avg": torch.zeros_like(tensor),
                "exp_avg_sq": torch.zeros_like(tensor),
            }


truth = through(call_optimizer, TorchNAdam)


# --- wrong ideas ------------------------------------------------------------------------------------------------


class Rule(adam.Rule):
    defaults = adam.Rule.defaults | {"learning_rate": 2e-3, "momentum_decay": 4e-3}

    def mu(self, t):
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def product(self, t):
        return np.prod(self.mu(np.arange(1, t + 1)))

    def direction(self, m, g):
        now, ahead = self.product(self.t), self.product(self.t + 1)
        return self.mu(self.t + 1) * m / (1 - ahead) + (1 - self.mu(self.t)) * g / (1 - now)


def _same_mu(last):
    """Today's μ before m; `last` is the number of the last factor of the product below it, counted from t."""

    def direction(self, m, g):
        share = self.mu(self.t) * m / (1 - self.product(self.t + last))
        return share + (1 - self.mu(self.t)) * g / (1 - self.product(self.t))

    return {"direction": direction}


def _same_product(self, m, g):
    return (self.mu(self.t + 1) * m + (1 - self.mu(self.t)) * g) / (1 - self.product(self.t))


def _share_of_beta(self, m, g):
    now, ahead = self.product(self.t), self.product(self.t + 1)
    return self.mu(self.t + 1) * m / (1 - ahead) + (1 - self.beta1) * g / (1 - now)


def _without_gradient(self, m, g):
    return self.mu(self.t + 1) * m / (1 - self.product(self.t + 1))


def _product_of_today(self, t):
    """A product that starts afresh at every step: μ now, and μ now times μ ahead."""
    return self.mu(self.t) if t == self.t else self.mu(self.t) * self.mu(self.t + 1)


def _power_of_beta(self, t):
    return self.beta1**t


def _product_with_the_next(self, t):
    """Each step multiplies its own μ and the next one into the number that it keeps."""
    kept = np.prod(self.mu(np.arange(1, self.t + 1))) * np.prod(self.mu(np.arange(2, self.t + 1)))
    return kept if t == self.t else kept * self.mu(t)


def _product_in_the_loop():
    """The product is multiplied by μ once for each tensor."""

    def moved(self, w, g, state):
        self.running = getattr(self, "running", 1.0) * self.mu(self.t)
        return adam.Rule.moved(self, w, g, state)

    def product(self, t):
        return self.running if t == self.t else self.running * self.mu(t)

    return {"moved": moved, "product": product}


AVERAGES = {m.name: m for m in adam.averages(Rule)}

MISCONCEPTIONS = (
    AVERAGES["epsilon inside the root"],
    Misconception(
        "t starting at 0",
        "It looks as if t is 0 at the first step. Then 1 − β₂ᵗ is 0, and v̂ is no number.",
        "Ask yourself: which comes first in step, counting or dividing by 1 − β₂ᵗ?",
        like(
            Rule,
            corrected=lambda self, average, beta: average / (1 - beta ** (self.t - 1.0)),
            mu=lambda self, t: Rule.mu(self, t - 1),
        ),
    ),
    Misconception(
        "counted for each tensor",
        "It looks as if t or the product of the μ moves on inside the loop over the parameters, so that it counts "
        "tensors instead of steps.",
        "Ask yourself: with three parameters, how many factors has the product after the first step?",
        matches=either(Rule, {"step": adam.counting_tensors}, _product_in_the_loop()),
    ),
    Misconception(
        "second average not corrected",
        "It looks as if v is used without dividing by 1 − β₂ᵗ.",
        "Ask yourself: v starts at 0; how large is it after one step, compared to g²?",
        like(Rule, divisor=lambda self, v: np.sqrt(v) + self.epsilon),
    ),
    Misconception(
        "power of beta1 for the product",
        "It looks as if m̂ is corrected with β₁ᵗ, as in Adam, where the product of all μ belongs.",
        "Ask yourself: how do μ₁·μ₂·μ₃ and β₁³ differ while μ still grows?",
        like(Rule, product=_power_of_beta),
    ),
    Misconception(
        "product starts afresh",
        "It looks as if the product knows only the newest μ, and not those of the steps before.",
        "Ask yourself: which number must the optimizer keep so that it need not multiply all μ again?",
        like(Rule, product=_product_of_today),
    ),
    Misconception(
        "the next momentum kept in the product",
        "It looks as if the product that the optimizer keeps holds μₜ₊₁ already, and the next step multiplies by it "
        "once more.",
        "Ask yourself: after step 1, which μ are in the number you keep, and which joins at step 2?",
        like(Rule, product=_product_with_the_next),
    ),
    Misconception(
        "momentum counted from 0",
        "It looks as if the first step uses μ₀ and μ₁, where μ₁ and μ₂ belong.",
        "Ask yourself: which t does your step use in μ when it is called for the first time?",
        like(Rule, mu=lambda self, t: Rule.mu(self, t - 1)),
    ),
    Misconception(
        "1 − β₁ for 1 − μ",
        "It looks as if today's gradient enters m̂ with the factor 1 − β₁.",
        "Ask yourself: how large is 1 − μ at the first step, when β₁ is 0.9?",
        like(Rule, direction=_share_of_beta),
    ),
    Misconception(
        "constant momentum",
        "It looks as if μ is β₁ at every step.",
        "Ask yourself: what is μ at the first step, when β₁ is 0.9?",
        like(Rule, mu=lambda self, t: self.beta1 + 0.0 * t),
    ),
    Misconception(
        "momentum_decay left out",
        "It looks as if μ uses 0.96ᵗ, without ψ in the exponent.",
        "Ask yourself: after how many steps is 0.96ᵗ a half, and 0.96^(0.004t)?",
        like(Rule, mu=lambda self, t: self.beta1 * (1 - 0.5 * 0.96**t)),
    ),
    Misconception(
        "one half left out",
        "It looks as if μ is β₁(1 − 0.96^(tψ)), which starts near 0 instead of near β₁/2.",
        "Ask yourself: which factor stands before 0.96^(tψ)?",
        like(Rule, mu=lambda self, t: self.beta1 * (1 - 0.96 ** (t * self.momentum_decay))),
    ),
    Misconception(
        "m averaged with the growing momentum",
        "It looks as if m is renewed with μₜ and 1 − μₜ, as in Dozat's paper. Here, as in PyTorch, m uses β₁.",
        "Ask yourself: which of the formulas of this exercise contain β₁, and which contain μ?",
        like(Rule, mean=lambda self, m, g: self.mu(self.t) * m + (1 - self.mu(self.t)) * g),
    ),
    Misconception(
        "today's momentum for tomorrow",
        "It looks as if m is multiplied by μₜ. Looking ahead means the μ of the next step, μₜ₊₁.",
        "Ask yourself: which μ will multiply m when the next step is taken?",
        matches=either(Rule, _same_mu(0), _same_mu(1)),
    ),
    Misconception(
        "one product for both parts",
        "It looks as if both parts of m̂ are divided by 1 − Pₜ. The part with m has one factor more.",
        "Ask yourself: up to which μ does the product below m go?",
        like(Rule, direction=_same_product),
    ),
    Misconception(
        "no looking ahead",
        "It looks as if you take Adam's own step: m / (1 − β₁ᵗ).",
        "Ask yourself: where does today's gradient enter m̂ besides through m?",
        like(Rule, direction=adam.Rule.direction),
    ),
    Misconception(
        "today's gradient left out",
        "It looks as if m̂ has only the part with m.",
        "Ask yourself: what is (1 − μₜ)·g / (1 − Pₜ) for?",
        like(Rule, direction=_without_gradient),
    ),
)


def _cases(rng):
    return adam.adam_cases(rng, momentum_decay=0.5)


NAdam = Exercise(
    name="NAdam",
    cases=_cases,
    call=call_optimizer,
    for_call=HIDDEN,
    expected=truth,
    stand_in=lambda: TorchNAdam,
    **TOLERANCE,
    difficulty=3,
    importance=2,
    minutes=15,
    hints=(
        "v and its correction are Adam's. New is what stands above the root: tomorrow's share of m, and today's share "
        "of g, each corrected with the product of the momenta that went into it.",
        "μ and the product are single numbers for the whole optimizer, renewed once per step. Keep the product up to "
        "μₜ; multiply it by μₜ₊₁ only where it is used.",
        "self.t += 1, now = mu(self.t), ahead = mu(self.t + 1), self.product *= now. In the loop "
        "m_hat = ahead * m / (1 - self.product * ahead) + (1 - now) * g / (1 - self.product).",
    ),
    misconceptions=(*common(Rule, truth), *MISCONCEPTIONS),
)
