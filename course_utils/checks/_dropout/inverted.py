"""dropout_forward: inverted dropout, judged by its mask and by what the mask makes of x."""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.sampled import (
    CALLS,
    any_of,
    by_mode,
    call_with_rng,
    drawn,
    drawn_once,
    every_mask,
    in_training,
    keep,
    nonzero,
    over,
    results,
    same_along,
    same_within,
    seeded,
    swapped,
    verify_masks,
    wrong_factors,
)
from course_utils.checks.compare import describe_kind, difference, number_text
from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.plain import strided

TRAINING, SHAPES, EVALUATION, NEW = "training", "any shape", "evaluation", "a new mask at each call"


def _cases(rng):
    # Many rows and columns, so that a wrong mask that is copied along one of them does not look right by chance.
    return [
        seeded(rng, TRAINING, x=nonzero(rng, 60, 50), drop_probability=0.2),
        seeded(rng, TRAINING, x=nonzero(rng, 45, 55), drop_probability=0.7, training=True),
        seeded(rng, SHAPES, x=strided(nonzero(rng, 40, 3, 4, 5)), drop_probability=0.3),
        seeded(rng, SHAPES, x=strided(nonzero(rng, 700)), drop_probability=0.2),
        seeded(rng, SHAPES, x=nonzero(rng, 4, 3, 2), drop_probability=0.0),
        seeded(rng, EVALUATION, x=nonzero(rng, 50, 40), drop_probability=0.2, training=False),
        seeded(rng, EVALUATION, x=strided(nonzero(rng, 2, 3, 4, 2)), drop_probability=0.7, training=False),
        seeded(rng, NEW, CALLS, x=nonzero(rng, 60, 70), drop_probability=0.7),
    ]


# --- reading --------------------------------------------------------------------------------------------------------


def _pair(case, result):
    """(out, keep_mask) with the mask spread to the shape of x; None where these are not two arrays that fit."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return None
    x, out, mask = case.inputs["x"], result[0], np.asarray(result[1])
    if not isinstance(out, np.ndarray) or out.shape != x.shape or mask.dtype.kind not in "biuf":
        return None
    try:
        return out, np.broadcast_to(mask, x.shape)
    except ValueError:
        return None


def _is_binary(mask):
    return bool(np.isin(mask, (0, 1)).all())


def read_pair(case, result, factor):
    """The mask, where out is x · mask · factor."""
    pair = _pair(case, result)
    if pair is None or not _is_binary(pair[1]):
        return None
    kept = pair[1].astype(bool)
    return kept if agrees(case.inputs["x"] * kept * factor, pair[0]) else None


def _inverted(q):
    return 1 / q


def _value_fault(case, result):
    x, q = case.inputs["x"], keep(case)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        missing = ": is a return missing?" if result is None else ", should be 2 values (out, keep_mask)"
        return f"the result is {describe_kind(result)}{missing}"
    out, mask = result
    if not isinstance(mask, np.ndarray) or mask.shape != x.shape or mask.dtype.kind not in "biuf":
        return difference(np.ones(x.shape), mask, label="keep_mask")
    if not _is_binary(mask):
        other = mask[~np.isin(mask, (0, 1))][0]
        return f"keep_mask holds {number_text(other)}, should hold 0 and 1 alone"
    if not in_training(case):
        dropped = f"keep_mask has {mask.size - int(mask.sum())} zeros in evaluation, should be all ones"
        return dropped if not mask.all() else difference(x, out, label="out")
    return difference(x * mask / q, out, label="out")


# --- misconceptions -------------------------------------------------------------------------------------------------


def evaluates_to(factor):
    """A `matches` for evaluation: the mask is all ones and x is multiplied by factor(q)."""

    def matches(case, outputs):
        mask = read_pair(case, outputs, factor(keep(case)))
        return mask is not None and bool(mask.all())

    return matches


def _rescaled(q):
    return by_mode(drawn(read_pair, q), evaluates_to(lambda q: 1.0))


def _active(case, outputs):
    mask = None if in_training(case) else read_pair(case, outputs, 1 / keep(case))
    return mask is not None and not mask.all()


def _other_masks(change):
    """A `matches` for a mask that is not zeros and ones: the results are right once it is `change`d."""

    def matches(case, outputs):
        for result in results(case, outputs):
            pair = _pair(case, result)
            if pair is None or not change(case, *pair):
                return False
        return True

    return matches


def _drops(case, out, mask):
    """The mask is 1 where an element is dropped."""
    if not _is_binary(mask):
        return False
    if not in_training(case):
        return not mask.any() and agrees(case.inputs["x"], out)
    return agrees(case.inputs["x"] * (1 - mask) / keep(case), out) and (mask == (out == 0)).all()


def _scaled_mask(case, out, mask):
    """The mask holds 0 and 1/(1 − p)."""
    values = mask[mask != 0]
    return np.allclose(values, 1 / keep(case), rtol=1e-3) and agrees(case.inputs["x"] * mask, out)


def _read_share(case, result):
    """The mask, where out is x · mask divided by the share of ones in it."""
    pair = _pair(case, result)
    return read_pair(case, result, 1 / pair[1].mean()) if pair is not None and pair[1].any() else None


def _other_way_round(case, outputs):
    """The results are right once the mask comes second."""
    pairs = results(case, outputs)
    if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        return False
    return all(_value_fault(case, pair[::-1]) is None for pair in pairs)


def _many_values(mask):
    return np.unique(mask).size > 2


def _gaussian(case, out, mask):
    return _many_values(mask) and mask.max() > 1 and agrees(case.inputs["x"] * mask, out)


def _not_thresholded(case, out, mask):
    x, q = case.inputs["x"], keep(case)
    inside = _many_values(mask) and mask.min() >= 0 and mask.max() <= 1
    with np.errstate(all="ignore"):
        return inside and any(agrees(x * mask * factor, out) for factor in (1.0, 1 / q, 1 / np.float64(1 - q)))


dropout_forward = Exercise(
    name="dropout_forward",
    cases=_cases,
    call=call_with_rng,
    verify=verify_masks(_value_fault, read_pair, _inverted),
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    difficulty=2,
    importance=5,
    minutes=15,
    hints=(
        "Draw one random number for each element of x and compare it with p: that is the mask. What is kept must be "
        "made larger, so that the mean over all masks is x again.",
        "rng.random(x.shape) gives numbers spread evenly over [0, 1), one for each element. A share 1 − p of them is "
        "not below p. With training=False there is nothing to draw.",
        "keep_mask = rng.random(x.shape) >= drop_probability, and out = x * keep_mask / (1 - drop_probability). In "
        "evaluation return x and np.ones(x.shape).",
    ),
    misconceptions=(
        Misconception(
            "no scaling",
            "It looks as if you drop elements and leave the others as they are. Then the sum shrinks in training.",
            "Ask yourself: with p = 0.2, what is the mean of your out over all masks, when x is 1?",
            matches=_rescaled(lambda q: 1.0),
        ),
        Misconception(
            "scaling at both times",
            "It looks as if evaluation scales as well. Inverted dropout has done all scaling in training.",
            "Ask yourself: with p = 0.2, what is the mean of out in training, and what is it in evaluation?",
            matches=by_mode(
                drawn(read_pair, _inverted), any_of(evaluates_to(lambda q: q), evaluates_to(lambda q: 1 / q))
            ),
        ),
        Misconception(
            "the convention of 2014",
            "It looks as if you scale in evaluation instead of in training. That is classic dropout.",
            "Ask yourself: which of the two conventions lets you use the network as it is?",
            matches=by_mode(drawn(read_pair, lambda q: 1.0), evaluates_to(lambda q: q)),
        ),
        Misconception(
            "keep and drop swapped",
            "It looks as if p is the probability of keeping an element. Here it is the probability of dropping it.",
            "Ask yourself: with p = 0.2, are most elements kept or dropped?",
            matches=any_of(
                *(drawn(read_pair, factor, swapped) for factor in (lambda q: 1.0, _inverted, lambda q: over(1 - q)))
            ),
        ),
        Misconception(
            "divided by p",
            "It looks as if what is kept is divided by p, the probability of dropping.",
            "Ask yourself: an element is kept in a share 1 − p of all masks; which factor makes its mean x again?",
            matches=_rescaled(lambda q: over(1 - q)),
        ),
        *wrong_factors(_rescaled(lambda q: q), _read_share),
        Misconception(
            "active in evaluation",
            "It looks as if elements are dropped in evaluation too.",
            "Ask yourself: should the same image get two different answers, when the network is used twice?",
            matches=_active,
        ),
        Misconception(
            "(keep_mask, out)",
            "It looks as if you return the mask first and out second.",
            "Ask yourself: the caller writes out, keep_mask = dropout_forward(…); which of the two goes on to the next "
            "layer?",
            matches=_other_way_round,
        ),
        Misconception(
            "mask of what is dropped",
            "It looks as if keep_mask is 1 where an element is dropped.",
            "Ask yourself: the backward pass multiplies by keep_mask; which gradients should it keep?",
            matches=_other_masks(_drops),
        ),
        Misconception(
            "scale stored in the mask",
            "It looks as if keep_mask holds 0 and 1/(1 − p). The mask should say what is kept, and nothing else.",
            "Ask yourself: the backward pass divides by 1 − p; what happens if the mask has done so already?",
            matches=_other_masks(_scaled_mask),
        ),
        Misconception(
            "mask not thresholded",
            "It looks as if the mask is made of the random numbers themselves. They were to be compared with p.",
            "Ask yourself: what is rng.random(3) >= 0.2?",
            matches=_other_masks(_not_thresholded),
        ),
        Misconception(
            "normal noise",
            "It looks as if x is multiplied by normal noise. Nothing is dropped then.",
            "Ask yourself: which values can a mask take, and how often is a normal number exactly 0?",
            matches=_other_masks(_gaussian),
        ),
        Misconception(
            "one mask for all examples",
            "It looks as if you draw one mask and use it for every example of the batch.",
            "Ask yourself: how many random numbers does your call of rng return, and how many elements has x?",
            matches=drawn(read_pair, _inverted, same_along(0)),
        ),
        Misconception(
            "whole examples dropped",
            "It looks as if an example is kept or dropped as a whole.",
            "Ask yourself: how many random numbers does your call of rng return, and how many elements has x?",
            matches=drawn(read_pair, _inverted, same_within),
        ),
        Misconception(
            "one draw for everything",
            "It looks as if one random number decides about the whole array.",
            "Ask yourself: which argument of rng.random says how many numbers to draw?",
            matches=drawn_once(read_pair, _inverted),
        ),
        *every_mask(read_pair, _inverted),
    ),
)


def by_torch(x, drop_probability, rng, training=True):
    """PyTorch's dropout, seeded from rng; what experiments use meanwhile."""
    import torch

    if not training:
        return x.copy(), np.ones(x.shape, dtype=bool)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    mask = (torch.rand(x.shape, generator=generator) >= drop_probability).numpy()
    return x * mask / (1 - drop_probability), mask
