"""curriculum_keep_probability: a schedule, compared with its closed form."""

from __future__ import annotations

import math

from course_utils.checks.exercise import Case, Exercise, Misconception

FIRST, MIDDLE, LATE = "first steps", "on the way", "in the end"


def keep_probability(step, final_keep, gamma):
    """1 − (1 − θ)(1 − e^(−γt)): the distance covered so far, taken from 1."""
    return 1.0 + (1 - final_keep) * math.expm1(-gamma * step)


def _cases(rng):
    def case(aspect, step, final_keep, gamma):
        given = {"final_keep": float(final_keep + rng.uniform(0, 0.08)), "gamma": float(gamma * rng.uniform(1, 1.2))}
        return Case(aspect, {"step": step, **given})

    return [
        case(FIRST, 0, 0.75, 0.3),
        case(FIRST, 1, 0.75, 0.3),
        case(FIRST, 2, 0.3, 0.05),
        case(MIDDLE, 7, 0.6, 0.1),
        case(MIDDLE, 5, 0.2, 0.25),
        case(LATE, 40, 0.8, 0.1),
        case(LATE, 5000, 0.6, 0.01),
    ]


curriculum_keep_probability = Exercise(
    name="curriculum_keep_probability",
    cases=_cases,
    expected=keep_probability,
    outputs=("keep probability",),
    difficulty=1,
    importance=2,
    minutes=5,
    hints=(
        "Training starts with all units there. So the result is 1 at step 0, and it comes down to θ as e^(−γt) goes to "
        "0.",
        "Write the result as θ plus a distance. At step 0 the distance is 1 − θ, and it is multiplied by e^(−γt).",
        "(1 - final_keep) * np.exp(-gamma * step) + final_keep.",
    ),
    misconceptions=(
        Misconception(
            "drop probability returned",
            "It looks as if you return the probability of dropping, 1 minus what is asked for.",
            "Ask yourself: training starts with all units there; what is the probability of keeping one then?",
            lambda step, final_keep, gamma: 1 - keep_probability(step, final_keep, gamma),
        ),
        Misconception(
            "no limit",
            "It looks as if your result falls to 0. Then no unit is left in the end.",
            "Ask yourself: what is your result after very many steps, and what should it be?",
            lambda step, final_keep, gamma: math.exp(-gamma * step),
        ),
        Misconception(
            "1 − θ forgotten",
            "It looks as if you return e^(−γt) + θ. At step 0 that is more than 1.",
            "Ask yourself: what is your result at step 0?",
            lambda step, final_keep, gamma: math.exp(-gamma * step) + final_keep,
        ),
        Misconception(
            "θ and 1 − θ swapped",
            "It looks as if θ and 1 − θ have changed places.",
            "Ask yourself: which of the two is left when e^(−γt) has become 0?",
            lambda step, final_keep, gamma: final_keep * math.exp(-gamma * step) + 1 - final_keep,
        ),
        Misconception(
            "rising instead of falling",
            "It looks as if most units are dropped at the start and fewer later: the curriculum the wrong way round.",
            "Ask yourself: should training begin with the easy task or with the hard one?",
            lambda step, final_keep, gamma: 1 - (1 - final_keep) * math.exp(-gamma * step),
        ),
        Misconception(
            "sign of the exponent",
            "It looks as if the exponent is +γt, so your result grows without a limit.",
            "Ask yourself: should the distance from θ grow or shrink from step to step?",
            lambda step, final_keep, gamma: (1 - final_keep) * math.exp(gamma * step) + final_keep,
        ),
        Misconception(
            "steps counted from 1",
            "It looks as if you count the first step as 1. Before the first update, t is 0.",
            "Ask yourself: what should the result be at step 0?",
            lambda step, final_keep, gamma: keep_probability(step + 1, final_keep, gamma),
        ),
        Misconception(
            "divided by γ",
            "It looks as if the exponent is −t/γ. There, γ would be a number of steps.",
            "Ask yourself: does a larger γ make the schedule faster or slower?",
            lambda step, final_keep, gamma: keep_probability(step / gamma, final_keep, 1.0),
        ),
        Misconception(
            "cut off at θ",
            "It looks as if e^(−γt) falls until it meets θ, and stays there.",
            "Ask yourself: is θ reached after some number of steps, or only approached?",
            lambda step, final_keep, gamma: max(final_keep, math.exp(-gamma * step)),
        ),
        Misconception(
            "straight line",
            "It looks as if the probability falls along a straight line.",
            "Ask yourself: by which factor does the distance from θ shrink in one step?",
            lambda step, final_keep, gamma: max(final_keep, 1 - gamma * step),
        ),
        Misconception(
            "1 − γ for e^(−γ)",
            "It looks as if the distance from θ shrinks by the factor 1 − γ. For small γ that is near e^(−γ), and not "
            "the same.",
            "Ask yourself: what are 1 − γ and e^(−γ) for γ = 0.3?",
            lambda step, final_keep, gamma: (1 - final_keep) * (1 - gamma) ** step + final_keep,
        ),
    ),
)
