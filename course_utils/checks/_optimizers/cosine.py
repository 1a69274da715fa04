"""cosine_with_warmup: up along a line, down along half a cosine wave (Loshchilov and Hutter 2017, without restarts)."""

from __future__ import annotations

import math

from course_utils.checks._optimizers.schedules import call_schedule, mistake, number, run_by_torch, schedule_case
from course_utils.checks.exercise import Exercise


def _torch_cosine(optimizer, warmup, total):
    import torch

    schedulers = torch.optim.lr_scheduler
    falling = schedulers.CosineAnnealingLR(optimizer, T_max=total - warmup)
    if not warmup:
        return falling
    rising = schedulers.LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    return schedulers.SequentialLR(optimizer, [rising, falling], milestones=[warmup])


def by_torch(steps, total, **settings):
    """PyTorch's cosine goes up again behind its end; there the rate is 0."""
    rates = run_by_torch(_torch_cosine, "peak")(range(min(max(steps), total) + 1), total=total, **settings)
    return call_schedule(lambda step: rates[f"the rate at step {step}"] if step < total else 0.0, steps)


def _line(step, warmup):
    return (step + 1) / (warmup + 1)


def _wave(p):
    return 0.5 * (1 + math.cos(math.pi * p))


def _progress(step, warmup, total):
    return min((step - warmup) / (total - warmup), 1.0)


def schedule(line=_line, wave=_wave, progress=_progress):
    """The schedule, with what the keywords name exchanged for another idea."""

    def rate(peak, step, warmup, total):
        return peak * (line(step, warmup) if step < warmup else wave(progress(step, warmup, total)))

    return rate


def _without_warmup(peak, step, warmup, total):
    return peak * _wave(min(step / total, 1.0))


def _rate_cases(rng):
    def case(aspect, warmup, total, *steps):
        return schedule_case(aspect, steps, peak=number(rng, 0.02, 2), warmup=int(warmup), total=int(total))

    few, some = rng.integers(3, 6), rng.integers(7, 12)
    up, down, end, none = "warm-up", "the falling wave", "from total on", "no warm-up"
    return [
        case(up, few, 25, 0, 1, few - 1, few),
        case(up, some, 30, 0, some // 2, some - 1, some),
        case(down, some, 40, some, some + 1, 21, 33),
        case(down, few, 27, few + 1, 16, 25, 26),
        case(end, some, 24, 22, 23, 24, 25, 30),
        case(end, few, 15 + few, 13 + few, 15 + few, 18 + few, 2 * (15 + few)),
        case(none, 0, 20, 0, 1, 7, 15),
        case(none, 0, 12 + few, 0, 9, 11 + few, 12 + few, 14 + few),
    ]


cosine_with_warmup = Exercise(
    name="cosine_with_warmup",
    cases=_rate_cases,
    call=call_schedule,
    expected=by_torch,
    stand_in=lambda: schedule(),
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Three parts, one after the other in time: the line, the wave, and 0. Ask first in which part the step lies.",
        "Measure the progress of the wave by p, 0 at the end of the warm-up and 1 at total. cos(π·p) goes from 1 to "
        "−1, and ½ · (1 + cos(π·p)) from 1 to 0. Beyond total, keep p at 1.",
        "if step < warmup: return peak * (step + 1) / (warmup + 1). Otherwise "
        "p = min((step − warmup) / (total − warmup), 1) and return peak * 0.5 * (1 + np.cos(np.pi * p)).",
    ),
    misconceptions=(
        mistake(
            "warm-up starts at 0",
            "It looks as if the rate at step 0 is 0: you use step / warmup.",
            "Ask yourself: what does a step with rate 0 change?",
            schedule(line=lambda step, warmup: step / warmup),
        ),
        mistake(
            "warm-up over a step too early",
            "It looks as if the line reaches the peak one step before the wave begins: you use (step + 1) / warmup.",
            "Ask yourself: by what must step + 1 be divided so that the line would reach 1 at step = warmup?",
            schedule(line=lambda step, warmup: (step + 1) / warmup),
        ),
        mistake(
            "warm-up in one jump",
            "It looks as if the rate is constant during the warm-up.",
            "Ask yourself: what are the rates at steps 0 and 1 when warmup is 3?",
            schedule(line=lambda step, warmup: 1.0),
            schedule(line=lambda step, warmup: 0.0),
            schedule(line=lambda step, warmup: 1 / (warmup + 1)),
        ),
        mistake(
            "warm-up ignored",
            "It looks as if the wave begins at step 0, whatever warmup is.",
            "Ask yourself: what is the rate at step 0 when warmup is 4?",
            _without_warmup,
        ),
        mistake(
            "progress counted from step 0",
            "It looks as if the wave has already begun when the warm-up ends: your p is step / total there.",
            "Ask yourself: what should p be at step = warmup, and what is it for you?",
            schedule(progress=lambda step, warmup, total: min(step / total, 1.0)),
        ),
        mistake(
            "total counted from the end of the warm-up",
            "It looks as if the wave takes `total` steps of its own. It should end at step = total.",
            "Ask yourself: how many steps are left for the wave when the warm-up took some of them?",
            schedule(progress=lambda step, warmup, total: min((step - warmup) / total, 1.0)),
        ),
        mistake(
            "the half forgotten",
            "It looks as if the factor ½ is missing: the rate jumps to twice the peak.",
            "Ask yourself: what is 1 + cos(0)?",
            schedule(wave=lambda p: 1 + math.cos(math.pi * p)),
        ),
        mistake(
            "a wave down to minus the peak",
            "It looks as if you use cos(π·p) alone. It is negative in its second half.",
            "Ask yourself: what is cos(π), and what does a step with a negative learning rate do?",
            schedule(wave=lambda p: math.cos(math.pi * p)),
            schedule(wave=lambda p: max(math.cos(math.pi * p), 0.0)),
        ),
        mistake(
            "a quarter of a wave",
            "It looks as if you use cos(π·p/2), which is steepest at the end.",
            "Ask yourself: how steep is half a wave, ½ · (1 + cos(π·p)), where it arrives at 0?",
            schedule(wave=lambda p: math.cos(math.pi * p / 2) if p < 1 else 0.0),
            schedule(wave=lambda p: math.cos(math.pi * p / 2)),
        ),
        mistake(
            "the wave upside down",
            "It looks as if the rate rises after the warm-up: there is a minus before the cosine.",
            "Ask yourself: what are cos(0) and cos(π), and which of them belongs to the peak?",
            schedule(wave=lambda p: 0.5 * (1 - math.cos(math.pi * p))),
        ),
        mistake(
            "a straight line down",
            "It looks as if the rate falls along a line.",
            "Ask yourself: where does half a cosine wave fall slowly, and where fast?",
            schedule(wave=lambda p: 1 - p),
        ),
        mistake(
            "degrees for radians",
            "It looks as if you give the cosine an angle in degrees.",
            "Ask yourself: what does np.cos(180) say, and what np.cos(np.pi)?",
            schedule(wave=lambda p: 0.5 * (1 + math.cos(180 * p))),
        ),
        mistake(
            "up again after total",
            "It looks as if the wave goes on after total, and so the rate rises again.",
            "Ask yourself: what is p at step 2 · total, and what is cos(π·p) there?",
            schedule(progress=lambda step, warmup, total: (step - warmup) / (total - warmup)),
        ),
        mistake(
            "0 reached a step too late or too early",
            "It looks as if the wave ends one step before total, or one after it.",
            "Ask yourself: put step = total into your p; is it 1?",
            schedule(progress=lambda step, warmup, total: min((step - warmup) / (total - warmup - 1), 1.0)),
            schedule(progress=lambda step, warmup, total: min((step - warmup) / (total - warmup + 1), 1.0)),
            schedule(progress=lambda step, warmup, total: min((step - warmup + 1) / (total - warmup), 1.0)),
            schedule(progress=lambda step, warmup, total: min((step - warmup + 1) / (total - warmup + 1), 1.0)),
        ),
    ),
)
