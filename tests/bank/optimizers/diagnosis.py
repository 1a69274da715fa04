"""diagnose: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources

# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("diagnose", "loops over plain floats")
def diagnose(curves):
    import math

    def name(curve):
        for value in curve:
            if math.isnan(value) or math.isinf(value):
                return "exploding"
        n = len(curve)
        q = n // 4
        end = sum(curve[n - q :]) / q
        previous = sum(curve[n - 2 * q : n - q]) / q
        up = down = 0.0
        for i in range(1, n):
            if curve[i] > curve[i - 1]:
                up += curve[i] - curve[i - 1]
            else:
                down += curve[i - 1] - curve[i]
        if end > 2 * curve[0]:
            return "exploding"
        if 5 * end <= curve[0]:
            return "good"
        return "low" if 2 * up <= down and 20 * (previous - end) >= curve[0] - end else "high"

    return [name(curve) for curve in curves]


@alternative("diagnose", "the names as a NumPy array, by np.select")
def diagnose(curves):
    rows = []
    for curve in curves:
        c = np.array(curve)
        ok = bool(np.isfinite(c).all())
        c = np.nan_to_num(c, posinf=0.0)
        previous, end = c[-2 * (len(c) // 4) :].reshape(2, -1).mean(axis=1)
        steps = np.diff(c)
        rows.append((ok, c[0], previous, end, np.clip(steps, 0, None).sum(), np.clip(-steps, 0, None).sum()))
    ok, start, previous, end, up, down = np.array(rows).T
    low = (up <= down / 2) & (previous - end >= (start - end) / 20)
    return np.select(
        [(ok == 0) | (end > 2 * start), end <= start / 5, low], ["exploding", "good", "low"], default="high"
    )


@alternative("diagnose", "float32, high asked for before low")
def diagnose(curves):
    names = []
    for curve in curves:
        c = np.array(curve, dtype=np.float32)
        quarter = c.size // 4
        if np.isnan(c).any() or np.isinf(c).any():
            names.append("exploding")
            continue
        end, previous = c[-quarter:].mean(), c[-2 * quarter : -quarter].mean()
        up = sum(max(b - a, 0) for a, b in zip(c, c[1:], strict=False))
        down = sum(max(a - b, 0) for a, b in zip(c, c[1:], strict=False))
        if end > 2 * c[0]:
            names.append("exploding")
        elif end <= c[0] / 5:
            names.append("good")
        elif up > down / 2 or previous - end < (c[0] - end) / 20:
            names.append("high")
        else:
            names.append("low")
    return tuple(names)


# --- mistakes ---------------------------------------------------------------------------------------------------

RIGHT = """def diagnose(curves):
    names = []
    for curve in curves:
        curve = np.array(curve)
        quarter = len(curve) // 4
        start, end = curve[0], np.mean(curve[-quarter:])
        previous = np.mean(curve[-2 * quarter : -quarter])
        steps = np.diff(curve)
        up, down = steps[steps > 0].sum(), -steps[steps < 0].sum()
        if not np.isfinite(curve).all() or end > 2 * start:
            names.append("exploding")
        elif end <= start / 5:
            names.append("good")
        elif up <= down / 2 and previous - end >= (start - end) / 20:
            names.append("low")
        else:
            names.append("high")
    return names
"""
BROKEN, LARGE, GOOD, STEADY, FALLING, END = (
    "not np.isfinite(curve).all()",
    "end > 2 * start",
    "end <= start / 5",
    "up <= down / 2",
    "previous - end >= (start - end) / 20",
    "np.mean(curve[-quarter:])",
)
LOW = f'elif {STEADY} and {FALLING}:\n            names.append("low")\n        else:\n            names.append("high")'
HIGH = (
    'elif up > down / 2 or previous - end < (start - end) / 20:\n            names.append("high")\n'
    '        else:\n            names.append("low")'
)
PREVIOUS, FRONT = "np.mean(curve[-2 * quarter : -quarter])", "np.mean(curve[: 4 * quarter].reshape(4, -1)"
STEPS, UP_AND_DOWN = "np.diff(curve)", "steps[steps > 0].sum(), -steps[steps < 0].sum()"
HIGH_LAST = '        else:\n            names.append("high")'
GOOD_LAST = f'        elif {GOOD}:\n            names.append("good")\n{HIGH_LAST}'

WRONG = [
    ("NaN not seen", changed(RIGHT, (BROKEN, "False"))),
    ("NaN not seen", changed(RIGHT, (BROKEN, "False"), (LOW, HIGH))),
    ("NaN not seen", changed(RIGHT, (BROKEN, "np.isinf(curve).any()"))),
    ("NaN not seen", changed(RIGHT, (BROKEN, "np.nan in curve or np.inf in curve"))),
    ("only the last value asked for NaN", changed(RIGHT, (BROKEN, "not np.isfinite(curve[-1])"))),
    ("only the last value asked for NaN", changed(RIGHT, (BROKEN, "not np.isfinite(end)"))),
    ("infinity not seen", changed(RIGHT, (BROKEN, "np.isnan(curve).any()"))),
    (
        "good asked before exploding",
        changed(
            RIGHT,
            (
                f'if {BROKEN} or {LARGE}:\n            names.append("exploding")',
                f'if {GOOD}:\n            names.append("good")',
            ),
            (
                f'elif {GOOD}:\n            names.append("good")',
                f'elif {BROKEN} or {LARGE}:\n            names.append("exploding")',
            ),
        ),
    ),
    (
        "low asked before good",
        changed(RIGHT, (f'        elif {GOOD}:\n            names.append("good")\n', ""), (HIGH_LAST, GOOD_LAST)),
    ),
    ("a quarter rounded up", changed(RIGHT, ("len(curve) // 4", "int(np.ceil(len(curve) / 4))"))),
    ("a quarter rounded up", changed(RIGHT, ("len(curve) // 4", "round(len(curve) / 4)"))),
    ("a quarter rounded up", changed(RIGHT, ("len(curve) // 4", "int(len(curve) / 4 + 0.5)"))),
    ("quarters cut from the front", changed(RIGHT, (END, f"{FRONT}[3])"), (PREVIOUS, f"{FRONT}[2])"))),
    (
        "quarters cut from the front",
        changed(RIGHT, (END, "np.mean(curve[3 * quarter :])"), (PREVIOUS, "np.mean(curve[2 * quarter : 3 * quarter])")),
    ),
    ("median for mean", changed(RIGHT, (END, "np.median(curve[-quarter:])"))),
    (
        "median for mean",
        changed(RIGHT, (END, END.replace("mean", "median")), (PREVIOUS, PREVIOUS.replace("mean", "median"))),
    ),
    ("the last value for the end", changed(RIGHT, (END, "curve[-1]"))),
    ("the smallest value for the end", changed(RIGHT, (END, "np.min(curve)"))),
    ("the smallest value for the end", changed(RIGHT, (GOOD, "np.min(curve) <= start / 5"))),
    ("the largest value counts as exploding", changed(RIGHT, (LARGE, "np.max(curve) > 2 * start"))),
    ("any end above the start explodes", changed(RIGHT, (LARGE, "end > start"))),
    ("a fixed number for a good end", changed(RIGHT, (GOOD, "end <= 0.2"))),
    ("a fixed number for a good end", changed(RIGHT, (GOOD, "end <= 0.5"))),
    ("a fixed number for a good end", changed(RIGHT, (GOOD, "end <= 1.0"))),
    ("jumps not looked at", changed(RIGHT, (STEADY + " and ", ""))),
    ("only jumps looked at", changed(RIGHT, (" and " + FALLING, ""))),
    ("every rise counts as jumping", changed(RIGHT, (STEADY, "up == 0"))),
    ("rises counted, not summed", changed(RIGHT, (UP_AND_DOWN, "(steps > 0).sum(), (steps < 0).sum()"))),
    ("only the latest jumps looked at", changed(RIGHT, (STEPS, "np.diff(curve[-quarter:])"))),
    ("only the latest jumps looked at", changed(RIGHT, (STEPS, "np.diff(curve)[-quarter:]"))),
    ("only the latest jumps looked at", changed(RIGHT, (STEPS, "np.diff(curve[-2 * quarter :])"))),
    ("the fall measured by the start", changed(RIGHT, (FALLING, "previous - end >= start / 20"))),
    ("any fall counts as still falling", changed(RIGHT, (FALLING, "previous - end > 0"))),
    ("any fall counts as still falling", changed(RIGHT, (FALLING, "end <= previous"))),
    ("a curve that does not move", changed(RIGHT, (STEADY, "up < down / 2"))),
    ("a curve that does not move", changed(RIGHT, (FALLING, "previous - end > (start - end) / 20"))),
    ("low and high swapped", changed(RIGHT, ('"low"', '"x"'), ('"high"', '"low"'), ('"x"', '"high"'))),
]
mistaken_sources(__name__, "diagnose", WRONG)
