"""step_decay, exponential_decay and inverse_time_decay: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("step_decay", "one drop after the other")
def step_decay(initial, step, drop, every):
    while step >= every:
        initial, step = initial * drop, step - every
    return initial


@alternative("step_decay", "floor, and the power by logarithms")
def step_decay(initial, step, drop, every):
    return float(np.exp(np.log(initial) + np.floor(step / every) * np.log(drop)))


@alternative("exponential_decay", "a power of e⁻ᵏ")
def exponential_decay(initial, step, rate):
    return initial * np.exp(-rate) ** step


@alternative("exponential_decay", "divided, in float32")
def exponential_decay(initial, step, rate):
    return np.float32(initial) / np.exp(np.float32(rate * step))


@alternative("exponential_decay", "step by step")
def exponential_decay(initial, step, rate):
    import math

    for _ in range(step):
        initial *= math.exp(-rate)
    return initial


@alternative("inverse_time_decay", "a negative power")
def inverse_time_decay(initial, step, rate):
    return initial * (1 + rate * step) ** -1


@alternative("inverse_time_decay", "the reciprocal, step by step")
def inverse_time_decay(initial, step, rate):
    reciprocal = 1 / initial
    for _ in range(step):
        reciprocal += rate / initial
    return np.float64(1) / reciprocal


# --- mistakes ---------------------------------------------------------------------------------------------------


def stairs(result):
    return f"def step_decay(initial, step, drop, every):\n    return {result}\n"


def exponential(result):
    return f"def exponential_decay(initial, step, rate):\n    return {result}\n"


def inverse(result):
    return f"def inverse_time_decay(initial, step, rate):\n    return {result}\n"


STAIRS = [
    ("no floor", "initial * drop ** (step / every)"),
    ("steps counted from 1", "initial * drop ** ((step + 1) // every)"),
    ("a drop too late", "initial * drop ** (max(step - 1, 0) // every)"),
    ("a drop too late", "initial * drop ** ((step - 1) // every)"),
    ("a drop too late", "initial * drop ** (step // (every + 1))"),
    ("a drop at every step", "initial * drop ** step"),
    ("one drop at most", "initial * (drop if step >= every else 1)"),
    ("a drop only where the step divides", "initial * (drop if step and step % every == 0 else 1)"),
    ("a drop only where the step divides", "initial * drop if step % every == 0 else initial"),
    ("drop subtracted", "initial - drop * (step // every)"),
    ("drop subtracted", "max(0.0, initial - (step // every) * drop)"),
    ("drop used as the share that is lost", "initial * (1 - drop) ** (step // every)"),
    ("growth", "initial * drop ** -(step // every)"),
    ("a product for a power", "initial * drop * (step // every)"),
    ("a product for a power", "initial if step < every else initial * drop * (step // every)"),
]
EXPONENTIAL = [
    ("growth", "initial * np.exp(rate * step)"),
    ("steps counted from 1", "initial * np.exp(-rate * (step + 1))"),
    ("1 − k for e⁻ᵏ", "initial * (1 - rate) ** step"),
    ("rate used as the factor", "initial * rate ** step"),
    ("another base", "initial * 2 ** (-rate * step)"),
    ("another base", "initial * 10.0 ** (-rate * step)"),
    ("initial rate forgotten", "np.exp(-rate * step)"),
    ("initial rate inside the exponent", "initial * np.exp(-initial * rate * step)"),
    ("one over the time", "initial / (1 + rate * step)"),
    ("a straight line", "initial * (1 - rate * step)"),
]
INVERSE = [
    ("growth", "initial * (1 + rate * step)"),
    ("steps counted from 1", "initial / (1 + rate * (step + 1))"),
    ("the 1 in the denominator forgotten", "initial / (rate * step)"),
    ("rate ignored", "initial / (1 + step)"),
    ("initial rate forgotten", "1 / (1 + rate * step)"),
    ("a power for a product", "initial / (1 + rate) ** step"),
    ("root of the time", "initial / np.sqrt(1 + rate * step)"),
    ("exponential decay", "initial * np.exp(-rate * step)"),
    ("divided by the rate", "initial / (1 + step / rate)"),
]
mistaken_sources(__name__, "step_decay", [(name, stairs(result)) for name, result in STAIRS])
mistaken_sources(__name__, "exponential_decay", [(name, exponential(result)) for name, result in EXPONENTIAL])
mistaken_sources(__name__, "inverse_time_decay", [(name, inverse(result)) for name, result in INVERSE])
