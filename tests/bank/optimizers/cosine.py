"""cosine_with_warmup: correct in other styles, and wrong."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("cosine_with_warmup", "the three parts in their order, with the square of a cosine")
def cosine_with_warmup(peak, step, warmup, total):
    import math

    if step >= total:
        return 0.0
    if step >= warmup:
        return peak * math.cos(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2
    return peak / (warmup + 1) * (step + 1)


@alternative("cosine_with_warmup", "all rates at once, by interpolation")
def cosine_with_warmup(peak, step, warmup, total):
    rates = np.zeros(max(step, total) + 1)
    rates[: warmup + 1] = np.linspace(0, peak, warmup + 2)[1:]
    p = np.linspace(0, 1, total - warmup + 1)
    rates[warmup : total + 1] = peak * (1 + np.cos(np.pi * p)) / 2
    return rates[step]


@alternative("cosine_with_warmup", "clipped, in float32")
def cosine_with_warmup(peak, step, warmup, total):
    line = np.float32((step + 1) / (warmup + 1))
    p = np.clip((step - warmup) / (total - warmup), 0, 1)
    wave = np.float32(0.5 + 0.5 * np.cos(np.pi * p))
    return np.float32(peak) * (line if step < warmup else wave)


# --- mistakes ---------------------------------------------------------------------------------------------------


def written(line="(step + 1) / (warmup + 1)", p="min((step - warmup) / (total - warmup), 1)", wave=None, rising=None):
    wave = wave or "0.5 * (1 + np.cos(np.pi * p))"
    rising = f"    if step < warmup:\n        return peak * {line}\n" if rising is None else rising
    return f"def cosine_with_warmup(peak, step, warmup, total):\n{rising}    p = {p}\n    return peak * ({wave})\n"


WRONG = [
    ("warm-up starts at 0", written("step / warmup")),
    ("warm-up over a step too early", written("(step + 1) / warmup")),
    ("warm-up in one jump", written("1.0")),
    ("warm-up in one jump", written("0.0")),
    ("warm-up in one jump", written("1 / (warmup + 1)")),
    ("warm-up ignored", written(rising="", p="min(step / total, 1)")),
    ("progress counted from step 0", written(p="min(step / total, 1)")),
    ("total counted from the end of the warm-up", written(p="min((step - warmup) / total, 1)")),
    ("the half forgotten", written(wave="1 + np.cos(np.pi * p)")),
    ("a wave down to minus the peak", written(wave="np.cos(np.pi * p)")),
    ("a wave down to minus the peak", written(wave="max(np.cos(np.pi * p), 0)")),
    ("a quarter of a wave", written(wave="np.cos(np.pi * p / 2) if p < 1 else 0")),
    ("a quarter of a wave", written(wave="np.cos(np.pi * p / 2)")),
    ("the wave upside down", written(wave="0.5 * (1 - np.cos(np.pi * p))")),
    ("a straight line down", written(wave="1 - p")),
    ("degrees for radians", written(wave="0.5 * (1 + np.cos(180 * p))")),
    ("up again after total", written(p="(step - warmup) / (total - warmup)")),
    *(
        ("0 reached a step too late or too early", written(p=f"min({p}, 1)"))
        for p in (
            "(step - warmup) / (total - warmup - 1)",
            "(step - warmup) / (total - warmup + 1)",
            "(step - warmup + 1) / (total - warmup)",
        )
    ),
]
mistaken_sources(__name__, "cosine_with_warmup", WRONG)
