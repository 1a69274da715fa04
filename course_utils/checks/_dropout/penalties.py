"""l2_penalty and l1_penalty: the penalty by its formula, the gradients by PyTorch."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

OUTPUTS = ("penalty", "gradients")
PENALTY, GRADIENTS, ONE, STRENGTHS = "penalty", "gradients", "one array", "other strengths"


def call_penalty(student, part, weights, strength):
    result = student(weights, strength)
    if result is None:
        raise TypeError("the result is None: is a return missing?")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError("the result should be two values (penalty, gradients)")
    penalty, gradients = result
    if part != "penalty" and not isinstance(gradients, (list, tuple)):
        raise TypeError("the result should be a number and a list of gradients, one for each array")
    return {name: value for name, value in (("penalty", penalty), ("gradients", gradients)) if part in (name, "both")}


def _cases(rng):
    def weights(*shapes, make=lambda array: array):
        arrays = [rng.normal(0, 1.5, size=shape) for shape in shapes]
        arrays[0].flat[0], arrays[-1].flat[-1] = 3.0, -2.5
        arrays[-1].flat[0] = 0.0
        return [make(array) for array in arrays]

    def case(aspect, part, strength, *shapes, **more):
        return Case(aspect, {"part": part, "weights": weights(*shapes, **more), "strength": strength})

    return [
        case(PENALTY, "penalty", 0.3, (3, 4), (5,), (2, 3)),
        case(PENALTY, "penalty", 1.7, (2, 3, 2, 2), (4, 3), make=strided),
        case(GRADIENTS, "gradients", 0.3, (3, 4), (5,), (2, 3)),
        case(GRADIENTS, "gradients", 1.7, (2, 3, 2, 2), (4, 3), make=strided),
        case(ONE, "both", 0.3, (4, 3)),
        case(STRENGTHS, "both", 1e-3, (3, 2), (4,)),
        case(STRENGTHS, "both", 5.0, (2, 2), (3, 5)),
    ]


def _by_torch(penalty_of):
    """The (penalty, gradients) of a function of tensors, by autograd."""

    def penalty(weights, strength):
        leaves = [tensor(w, requires_grad=True) for w in weights]
        value = strength * sum(penalty_of(w) for w in leaves)
        value.backward()
        return value.item(), [w.grad.numpy() for w in leaves]

    return penalty


_l2 = _by_torch(lambda w: 0.5 * w.square().sum())
_l1 = _by_torch(lambda w: w.abs().sum())


def _part(part, values):
    return {name: value for name, value in zip(OUTPUTS, values, strict=True) if part in (name, "both")}


def _expected(function):
    return lambda part, weights, strength: _part(part, function(weights, strength))


def _total(of):
    return lambda weights, strength: sum(float(of(w)) for w in weights) * strength


def _each(of):
    return lambda weights, strength: [strength * of(w) for w in weights]


# A student's penalties and gradients, right and wrong, as functions of (weights, strength).
HALF_SQUARES, SQUARES, SIZES = (
    _total(lambda w: (w**2).sum() / 2),
    _total(lambda w: (w**2).sum()),
    _total(lambda w: np.abs(w).sum()),
)
WEIGHTS, SIGNS = _each(lambda w: w), _each(np.sign)


def _differently(penalty=None, gradients=None, *, right):
    """A variant in which another penalty or other gradients stand beside what is `right`."""
    penalty, gradients = penalty or right[0], gradients or right[1]
    return lambda part, weights, strength: _part(part, (penalty(weights, strength), gradients(weights, strength)))


def _any_of(right, *ways):
    """A `matches` for one idea that shows in several ways: pairs of a penalty and gradients, None for the right one."""

    def penalty(pair):
        return lambda weights, strength: tuple(f(weights, strength) for f in pair)

    pairs = [tuple(wrong or good for wrong, good in zip(way, right, strict=True)) for way in ways]
    return one_of(call_penalty, *(penalty(pair) for pair in pairs))


def _both_arrays_wrong(name, half):
    """Mistakes about lists and strengths, for either penalty: `half` is (penalty, gradients) for strength 1."""
    penalty, gradients = half
    return (
        Misconception(
            "only one array counted",
            "It looks as if only one of the arrays is counted, the first or the last.",
            "Ask yourself: what does your loop do with the sum that it had before?",
            matches=one_of(
                call_penalty,
                lambda weights, strength: (penalty(weights[-1:], strength), gradients(weights, strength)),
                lambda weights, strength: (penalty(weights[:1], strength), gradients(weights, strength)),
            ),
        ),
        Misconception(
            "mean for sum",
            "It looks as if you average over the elements. Then a large layer is punished no more than a small one.",
            "Ask yourself: does the Σ in the formula divide by anything?",
            matches=one_of(
                call_penalty,
                lambda weights, strength: (
                    sum(penalty([w], strength) / w.size for w in weights),
                    gradients(weights, strength),
                ),
                lambda weights, strength: (
                    sum(penalty([w], strength) / w.size for w in weights),
                    [g / g.size for g in gradients(weights, strength)],
                ),
                lambda weights, strength: (
                    penalty(weights, strength) / sum(w.size for w in weights),
                    gradients(weights, strength),
                ),
            ),
        ),
        Misconception(
            "strength left out",
            f"It looks as if λ is missing, in the penalty, in the gradients, or in both. {name} is λ times a sum.",
            "Ask yourself: when λ is doubled, what happens to the gradients?",
            matches=one_of(
                call_penalty,
                lambda weights, strength: (penalty(weights, strength), gradients(weights, 1.0)),
                lambda weights, strength: (penalty(weights, 1.0), gradients(weights, strength)),
                lambda weights, strength: (penalty(weights, 1.0), gradients(weights, 1.0)),
            ),
        ),
        Misconception(
            "weights already updated",
            "It looks as if your second result is the weights minus their gradients. Return the gradients alone.",
            "Ask yourself: who takes the step, the penalty or the optimizer?",
            matches=one_of(
                call_penalty,
                lambda weights, strength: (
                    penalty(weights, strength),
                    [w - g for w, g in zip(weights, gradients(weights, strength), strict=True)],
                ),
            ),
        ),
        Misconception(
            "gradient with a minus",
            "It looks as if your gradients point downhill. A gradient points uphill; the minus belongs to the update.",
            "Ask yourself: when a positive weight grows, does the penalty grow or shrink?",
            matches=one_of(
                call_penalty,
                lambda weights, strength: (penalty(weights, strength), [-g for g in gradients(weights, strength)]),
            ),
        ),
    )


_L2, _L1 = (HALF_SQUARES, WEIGHTS), (SIZES, SIGNS)

l2_penalty = Exercise(
    name="l2_penalty",
    cases=_cases,
    call=call_penalty,
    expected=_expected(_l2),
    stand_in=lambda: _l2,
    for_call=("part",),
    difficulty=1,
    importance=4,
    minutes=10,
    hints=(
        "The penalty is one number for the whole network. Each array has its own gradient, of its own shape.",
        "The derivative of ½ λ w² with respect to w is λ w. The ½ is there to cancel the 2.",
        "penalty = 0.5 * strength * sum(np.sum(w**2) for w in weights), and the gradients are [strength * w for w in "
        "weights].",
    ),
    misconceptions=(
        Misconception(
            "penalty without the half",
            "It looks as if your penalty is λ Σ w². The ½ is missing.",
            "Ask yourself: a single weight of 2 with λ = 1: what is the penalty?",
            matches=_any_of(_L2, (SQUARES, None), (SQUARES, _each(lambda w: 2 * w))),
        ),
        Misconception(
            "gradient doubled",
            "It looks as if your gradient is 2 λ w beside a penalty of ½ λ Σ w².",
            "Ask yourself: what does a numerical derivative of your penalty give?",
            _differently(gradients=_each(lambda w: 2 * w), right=_L2),
        ),
        Misconception(
            "half left in the gradient",
            "It looks as if your gradient is ½ λ w. Differentiating a square brings a 2.",
            "Ask yourself: what does a numerical derivative of your penalty give?",
            _differently(gradients=_each(lambda w: w / 2), right=_L2),
        ),
        Misconception(
            "norm not squared",
            "It looks as if you take the norm √Σw², not its square.",
            "Ask yourself: when all weights are doubled, by which factor should the penalty grow?",
            matches=_any_of(
                _L2,
                (_total(lambda w: np.sqrt((w**2).sum()) / 2), None),
                (_total(lambda w: np.sqrt((w**2).sum())), None),
                (lambda weights, strength: strength / 2 * sum((w**2).sum() for w in weights) ** 0.5, None),
                (lambda weights, strength: strength * sum((w**2).sum() for w in weights) ** 0.5, None),
            ),
        ),
        Misconception(
            "L1 for L2",
            "It looks as if you punish the absolute values, not the squares.",
            "Ask yourself: what does a weight of 0.1 cost, and one of 10?",
            matches=_any_of(_L2, (SIZES, SIGNS), (_total(lambda w: np.abs(w).sum() / 2), SIGNS)),
        ),
        Misconception(
            "signs lost in the gradient",
            "It looks as if your gradient is λ|w|.",
            "Ask yourself: which way should a negative weight move, so that the penalty shrinks?",
            _differently(gradients=_each(np.abs), right=_L2),
        ),
        *_both_arrays_wrong("The L2 penalty", _L2),
    ),
)

l1_penalty = Exercise(
    name="l1_penalty",
    cases=_cases,
    call=call_penalty,
    expected=_expected(_l1),
    stand_in=lambda: _l1,
    for_call=("part",),
    difficulty=1,
    importance=3,
    minutes=10,
    hints=(
        "The penalty adds up absolute values. How steep is |w|, to the right of 0 and to the left?",
        "The slope of |w| is 1 or −1, however large w is. At 0 take 0. One function of NumPy gives all three.",
        "penalty = strength * sum(np.sum(np.abs(w)) for w in weights), and the gradients are [strength * np.sign(w) "
        "for w in weights].",
    ),
    misconceptions=(
        Misconception(
            "slope 1 at 0",
            "It looks as if a weight of exactly 0 gets the slope 1 or −1. The docstring asks for 0 there.",
            "Ask yourself: if a weight has reached 0, where should the penalty push it?",
            matches=_any_of(
                _L1,
                (None, _each(lambda w: np.where(w >= 0, 1.0, -1.0))),
                (None, _each(lambda w: np.where(w > 0, 1.0, -1.0))),
            ),
        ),
        Misconception(
            "divided by |w|",
            "It looks as if your slope is w / |w|. For w = 0 that is 0/0.",
            "Ask yourself: which function of NumPy gives −1, 0 and 1?",
            _differently(gradients=_each(lambda w: w / np.abs(w)), right=_L1),
        ),
        Misconception(
            "gradient of L2",
            "It looks as if your gradient is λ w. That belongs to ½ λ Σ w².",
            "Ask yourself: how steep is |w| at w = 3, and at w = 0.1?",
            matches=_any_of(_L1, (None, WEIGHTS), (HALF_SQUARES, WEIGHTS), (SQUARES, WEIGHTS)),
        ),
        Misconception(
            "no absolute value",
            "It looks as if you add up the weights with their signs.",
            "Ask yourself: what is your penalty for the two weights 5 and −5?",
            matches=_any_of(
                _L1, (_total(lambda w: w.sum()), None), (_total(lambda w: w.sum()), _each(lambda w: np.ones(w.shape)))
            ),
        ),
        Misconception(
            "absolute value of the sum",
            "It looks as if you add the weights up first and take the absolute value afterwards.",
            "Ask yourself: what is your penalty for the two weights 5 and −5?",
            matches=_any_of(
                _L1,
                (_total(lambda w: np.abs(w.sum())), None),
                (lambda weights, strength: strength * abs(sum(w.sum() for w in weights)), None),
            ),
        ),
        Misconception(
            "half where there is none",
            "It looks as if you multiply by ½. The L1 penalty has no half: there is no square whose 2 it could cancel.",
            "Ask yourself: what is the derivative of ½ λ |w|?",
            matches=_any_of(
                _L1,
                (_total(lambda w: np.abs(w).sum() / 2), None),
                (_total(lambda w: np.abs(w).sum() / 2), _each(lambda w: np.sign(w) / 2)),
            ),
        ),
        Misconception(
            "slope without a sign",
            "It looks as if your gradient is λ for every weight that is not 0.",
            "Ask yourself: which way should a negative weight move, so that the penalty shrinks?",
            matches=_any_of(_L1, (None, _each(lambda w: (w != 0) * 1.0)), (None, _each(lambda w: np.ones(w.shape)))),
        ),
        *_both_arrays_wrong("The L1 penalty", _L1),
    ),
)
