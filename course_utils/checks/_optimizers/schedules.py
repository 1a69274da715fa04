"""What the exercises on schedules share: a case asks for the rates at several steps, and PyTorch runs to the last."""

from __future__ import annotations

from collections.abc import Callable

from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Misconception


def call_schedule(student, steps, **settings):
    return {f"the rate at step {step}": student(step=step, **settings) for step in steps}


def at_steps(rate: Callable) -> Callable:
    """What `call_schedule` returns where the rate at one step is `rate`."""
    return lambda **inputs: call_schedule(rate, **inputs)


def run_by_torch(make: Callable, first: str) -> Callable:
    """An oracle: the scheduler that `make(optimizer, **settings)` returns, run from step 0.

    `first` names the setting that is the optimizer's own rate.
    """

    def expected(steps, **settings):
        import torch

        optimizer = torch.optim.SGD([torch.zeros(1)], lr=settings.pop(first))
        scheduler, rates = make(optimizer, **settings), []
        for _ in range(max(steps) + 1):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            scheduler.step()
        return call_schedule(lambda step: rates[step], steps)

    return expected


def number(rng, low, high):
    """A random setting, rounded so that it can be read in a message."""
    return round(float(rng.uniform(low, high)), 3)


def schedule_case(aspect, steps, **settings):
    return Case(aspect, {"steps": [int(step) for step in steps], **settings})


def mistake(name, explanation, question, *rates):
    """A misconception that leads to one of these rates at a step."""
    if len(rates) == 1:
        return Misconception(name, explanation, question, at_steps(rates[0]))
    return Misconception(name, explanation, question, matches=one_of(call_schedule, *rates))
