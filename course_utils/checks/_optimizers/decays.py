"""step_decay, exponential_decay and inverse_time_decay: a rate that falls, in stairs, by shares, or like 1/t."""

from __future__ import annotations

import math

from course_utils.checks._convolution.impossible import or_raises
from course_utils.checks._optimizers.schedules import (
    at_steps,
    call_schedule,
    mistake,
    number,
    run_by_torch,
    schedule_case,
)
from course_utils.checks.exercise import Exercise, Misconception

COUNTED_FROM_ONE = "Ask yourself: what should the rate at step 0 be, and what is it for you?"


# --- stairs ---------------------------------------------------------------------------------------------------------


def stairs(initial, step, drop, every):
    return initial * drop ** (step // every)


def _torch_stairs(optimizer, drop, every):
    import torch

    return torch.optim.lr_scheduler.StepLR(optimizer, every, gamma=drop)


def _drops(times):
    """A staircase whose number of drops is `times(step, every)`."""
    return lambda initial, step, drop, every: initial * drop ** times(step, every)


def _stair_cases(rng):
    def case(aspect, every, *steps):
        return schedule_case(
            aspect, steps, initial=number(rng, 0.02, 2), drop=number(rng, 0.15, 0.45), every=int(every)
        )

    short, middle, long = rng.integers(3, 6), rng.integers(6, 9), rng.integers(10, 14)
    inside, edge, many = "inside a stair", "where a stair begins", "many stairs"
    return [
        case(inside, middle, 0, 2, middle - 2, middle + 2),
        case(inside, long, 1, 4, long + 3, 2 * long + 4),
        case(edge, short, short - 1, short, short + 1),
        case(edge, long, 2 * long - 1, 2 * long, 2 * long + 1),
        case(many, 1, 0, 1, 2, 3),
        case(many, short, 2 * short + 1, 4 * short - 1, 4 * short, 6 * short),
        case(many, 2, 1, 2, 5, 8),
    ]


step_decay = Exercise(
    name="step_decay",
    cases=_stair_cases,
    call=call_schedule,
    expected=run_by_torch(_torch_stairs, "initial"),
    stand_in=lambda: stairs,
    difficulty=1,
    importance=4,
    minutes=5,
    hints=(
        "Count how many times `every` steps are over. Each time, the rate was multiplied by drop once more.",
        "A whole number of times: step // every. Multiplying by drop n times is multiplying by dropⁿ.",
        "return initial * drop ** (step // every)",
    ),
    misconceptions=(
        mistake(
            "no floor",
            "It looks as if the rate falls a little at every step. It should stay the same for `every` steps.",
            "Ask yourself: what is the difference between / and // ?",
            _drops(lambda step, every: step / every),
        ),
        mistake(
            "steps counted from 1",
            "It looks as if every drop comes one step too early, as if the first step were step 1.",
            "Ask yourself: with every = 10, how many steps should use the initial rate, and at which does yours drop?",
            _drops(lambda step, every: (step + 1) // every),
        ),
        mistake(
            "a drop too late",
            "It looks as if the step with number `every` still has the rate of the steps before it.",
            "Ask yourself: steps are counted from 0. With every = 10, how many steps come before step 10?",
            _drops(lambda step, every: max(step - 1, 0) // every),
            _drops(lambda step, every: (step - 1) // every),
            _drops(lambda step, every: step // (every + 1)),
            _drops(lambda step, every: math.ceil(step / every) - 1 if step else 0),
        ),
        mistake(
            "a drop at every step",
            "It looks as if the rate is multiplied by drop at every step.",
            "Ask yourself: what does `every` say?",
            _drops(lambda step, every: step),
        ),
        mistake(
            "one drop at most",
            "It looks as if the rate drops only once.",
            "Ask yourself: which power of drop is left after 3 · every steps?",
            lambda initial, step, drop, every: initial * drop if step >= every else initial,
        ),
        mistake(
            "a drop only where the step divides",
            "It looks as if the rate is lower only at the steps that `every` divides, and high again right after.",
            "Ask yourself: what is the rate one step after a drop?",
            lambda initial, step, drop, every: initial * drop if step and step % every == 0 else initial,
            lambda initial, step, drop, every: initial * drop if step % every == 0 else initial,
        ),
        mistake(
            "drop subtracted",
            "It looks as if drop is taken away from the rate. It is a factor.",
            "Ask yourself: what is 0.01 after one drop of 0.1, and can a learning rate be negative?",
            lambda initial, step, drop, every: initial - drop * (step // every),
            lambda initial, step, drop, every: max(initial - drop * (step // every), 0.0),
        ),
        mistake(
            "drop used as the share that is lost",
            "It looks as if you multiply by 1 − drop. What stays is drop itself.",
            "Ask yourself: AlexNet divided its rate by 10. Is that a drop of 0.1 or of 0.9 here?",
            lambda initial, step, drop, every: initial * (1 - drop) ** (step // every),
        ),
        mistake(
            "growth",
            "It looks as if the rate grows: it is divided by drop.",
            "Ask yourself: drop is smaller than 1. Which of · and / makes a number smaller?",
            lambda initial, step, drop, every: initial / drop ** (step // every),
        ),
        mistake(
            "a product for a power",
            "It looks as if you multiply by drop · (step // every), not by a power of drop.",
            "Ask yourself: what is the factor after two drops, and what is it before the first?",
            lambda initial, step, drop, every: initial * drop * (step // every),
            lambda initial, step, drop, every: initial * drop * (step // every) if step >= every else initial,
        ),
    ),
)


# --- shares ---------------------------------------------------------------------------------------------------------


def exponential(initial, step, rate):
    return initial * math.exp(-rate * step)


def _torch_exponential(optimizer, rate):
    import torch

    return torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=math.exp(-rate))


def _decay_cases(rng):
    def case(aspect, *steps, rate=None):
        rate = number(rng, 0.03, 0.09) if rate is None else rate
        return schedule_case(aspect, steps, initial=number(rng, 0.02, 2), rate=rate)

    first, later = "first steps", "later steps"
    return [
        case(first, 0, 1, 2),
        case(first, 0, 1, 3, rate=number(rng, 0.2, 0.6)),
        case(first, 0, 1, rate=0.0),
        case(later, 7, 20, 41),
        case(later, 5, 11, rate=number(rng, 0.2, 0.6)),
        case(later, 4, 30, rate=0.0),
    ]


exponential_decay = Exercise(
    name="exponential_decay",
    cases=_decay_cases,
    call=call_schedule,
    expected=run_by_torch(_torch_exponential, "initial"),
    stand_in=lambda: exponential,
    difficulty=1,
    importance=3,
    minutes=5,
    hints=(
        "The formula is all there is. Which of your arguments is a₀, which is k, which is t?",
        "The exponent is −rate · step. At step 0 it is 0, and the rate is `initial`.",
        "return initial * np.exp(-rate * step)",
    ),
    misconceptions=(
        mistake(
            "growth",
            "It looks as if the rate grows: the minus in the exponent is missing.",
            "Ask yourself: is e^(k·t) larger or smaller than 1?",
            lambda initial, step, rate: initial * math.exp(rate * step),
        ),
        mistake(
            "steps counted from 1",
            "It looks as if the first step is step 1 for you.",
            COUNTED_FROM_ONE,
            lambda initial, step, rate: exponential(initial, step + 1, rate),
        ),
        mistake(
            "1 − k for e⁻ᵏ",
            "It looks as if you multiply by 1 − rate at every step. That is close to e^(−rate) only for small rates.",
            "Ask yourself: how large are 1 − 0.5 and e^(−0.5)?",
            lambda initial, step, rate: initial * (1 - rate) ** step,
        ),
        mistake(
            "rate used as the factor",
            "It looks as if you multiply by `rate` itself at every step.",
            "Ask yourself: what should the learning rate do when k is 0?",
            lambda initial, step, rate: initial * rate**step,
        ),
        mistake(
            "another base",
            "It looks as if your base is 2 or 10, and not e.",
            "Ask yourself: by how much does e^(−k·t) fall when t grows by 1/k?",
            lambda initial, step, rate: initial * 10 ** (-rate * step),
            lambda initial, step, rate: initial * 2 ** (-rate * step),
        ),
        mistake(
            "initial rate forgotten",
            "It looks as if your schedule starts at 1, whatever `initial` is.",
            "Ask yourself: what is e⁰, and what should the rate at step 0 be?",
            lambda initial, step, rate: math.exp(-rate * step),
        ),
        mistake(
            "initial rate inside the exponent",
            "It looks as if the exponent contains `initial` too.",
            "Ask yourself: does a schedule that starts twice as high fall by other shares?",
            lambda initial, step, rate: initial * math.exp(-initial * rate * step),
        ),
        mistake(
            "one over the time",
            "It looks as if you divide by 1 + k·t. That is the other schedule.",
            "Ask yourself: which of the two loses the same share at every step?",
            lambda initial, step, rate: initial / (1 + rate * step),
        ),
        mistake(
            "a straight line",
            "It looks as if the rate falls by the same amount at every step, a₀ · (1 − k·t).",
            "Ask yourself: when does such a line reach 0, and when does e^(−k·t)?",
            lambda initial, step, rate: initial * (1 - rate * step),
        ),
    ),
)


# --- one over the time ----------------------------------------------------------------------------------------------


def inverse_time(initial, step, rate):
    return initial / (1 + rate * step)


def _reciprocals(steps, initial, rate):
    """1/a grows by the same amount, k/a₀, at every step."""
    reciprocals = [1 / initial]
    for _ in range(max(steps)):
        reciprocals.append(reciprocals[-1] + rate / initial)
    return call_schedule(lambda step: 1 / reciprocals[step], steps)


inverse_time_decay = Exercise(
    name="inverse_time_decay",
    cases=_decay_cases,
    call=call_schedule,
    expected=_reciprocals,
    stand_in=lambda: inverse_time,
    difficulty=1,
    importance=3,
    minutes=5,
    hints=(
        "The formula is all there is. Which of your arguments is a₀, which is k, which is t?",
        "The denominator is 1 + rate · step. At step 0 it is 1, and the rate is `initial`.",
        "return initial / (1 + rate * step)",
    ),
    misconceptions=(
        mistake(
            "growth",
            "It looks as if you multiply by 1 + k·t where you should divide.",
            "Ask yourself: is 1 + k·t larger or smaller than 1?",
            lambda initial, step, rate: initial * (1 + rate * step),
        ),
        mistake(
            "steps counted from 1",
            "It looks as if the first step is step 1 for you.",
            COUNTED_FROM_ONE,
            lambda initial, step, rate: inverse_time(initial, step + 1, rate),
        ),
        Misconception(
            "the 1 in the denominator forgotten",
            "It looks as if you divide by k·t alone, which is 0 at step 0.",
            "Ask yourself: what should the rate be at step 0, and by what must you divide there?",
            or_raises(at_steps(lambda initial, step, rate: initial / (rate * step))),
        ),
        mistake(
            "rate ignored",
            "It looks as if you divide by 1 + t. The rate k is missing.",
            "Ask yourself: after how many steps is the rate half of a₀, and does that depend on k?",
            lambda initial, step, rate: initial / (1 + step),
        ),
        mistake(
            "initial rate forgotten",
            "It looks as if your schedule starts at 1, whatever `initial` is.",
            "Ask yourself: what should the rate at step 0 be?",
            lambda initial, step, rate: 1 / (1 + rate * step),
        ),
        mistake(
            "a power for a product",
            "It looks as if you divide by (1 + k)ᵗ. That falls by the same share at every step.",
            "Ask yourself: what is 1 + k·t after ten steps, and what is (1 + k)¹⁰?",
            lambda initial, step, rate: initial / (1 + rate) ** step,
        ),
        mistake(
            "root of the time",
            "It looks as if you divide by the square root of 1 + k·t.",
            "Ask yourself: the denominator in the formula has no root; by what is a₀ divided when k·t is 3?",
            lambda initial, step, rate: initial / math.sqrt(1 + rate * step),
        ),
        mistake(
            "exponential decay",
            "It looks as if you compute a₀ · e^(−k·t). That is the other schedule.",
            "Ask yourself: which of the two still has a tenth of its rate at k·t = 9?",
            exponential,
        ),
        Misconception(
            "divided by the rate",
            "It looks as if the rate k divides the time.",
            "Ask yourself: does a larger k make your schedule fall faster or more slowly?",
            or_raises(at_steps(lambda initial, step, rate: initial / (1 + step / rate))),
        ),
    ),
)
