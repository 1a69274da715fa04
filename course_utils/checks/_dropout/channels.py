"""channel_dropout: whole feature maps. A map is dropped where the result holds nothing but zeros."""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.sampled import (
    CALLS,
    any_of,
    call_with_rng,
    drawn,
    every_mask,
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
from course_utils.checks.compare import difference
from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.checks.masks import fits
from course_utils.plain import strided

MAPS, OTHER, NONE, NEW = "whole maps", "other shapes", "nothing to drop", "new masks at each call"


def _cases(rng):
    return [
        seeded(rng, MAPS, x=nonzero(rng, 45, 40, 2, 3), drop_probability=0.2),
        seeded(rng, MAPS, x=strided(nonzero(rng, 36, 48, 3, 2)), drop_probability=0.7),
        seeded(rng, OTHER, x=nonzero(rng, 1, 600, 2, 3), drop_probability=0.2),
        seeded(rng, OTHER, x=strided(nonzero(rng, 40, 45, 4, 1)), drop_probability=0.3),
        seeded(rng, NONE, x=nonzero(rng, 3, 2, 4, 5), drop_probability=0.0),
        seeded(rng, NEW, CALLS, x=nonzero(rng, 40, 45, 2, 2), drop_probability=0.2),
    ]


def read_maps(case, out, factor):
    """The mask of the maps, shape (N, C), where out is x · mask · factor."""
    x = case.inputs["x"]
    if not isinstance(out, np.ndarray) or out.shape != x.shape:
        return None
    kept = ((out != 0) & ~np.isnan(out)).any(axis=(2, 3))  # 0/0 was dropped
    return kept if agrees(x * kept[..., None, None] * factor, out) else None


def _read_share(case, out):
    """The mask of the maps, where out is x · mask divided by the share of maps that it keeps."""
    if not isinstance(out, np.ndarray) or out.shape != case.inputs["x"].shape:
        return None
    share = (out != 0).any(axis=(2, 3)).mean()
    return read_maps(case, out, 1 / share) if share > 0 else None


def _read_elements(case, out):
    """The mask of all elements, where out is x · mask / (1 − p)."""
    x = case.inputs["x"]
    if not isinstance(out, np.ndarray) or out.shape != x.shape:
        return None
    kept = out != 0
    return kept if agrees(x * kept / keep(case), out) else None


def _inverted(q):
    return 1 / q


def _value_fault(case, out):
    x, q = case.inputs["x"], keep(case)
    readable = isinstance(out, np.ndarray) and out.shape == x.shape
    kept = (out != 0).any(axis=(2, 3)) if readable else np.ones(x.shape[:2])
    return difference(x * kept[..., None, None] / q, out, ("out",))


def _elements(law):
    """A `matches`: not whole maps are dropped, but elements; their mask obeys `law`."""

    def matches(case, outputs):
        masks = [_read_elements(case, out) for out in results(case, outputs)]
        return all(mask is not None and law(mask, keep(case)) for mask in masks)

    return matches


def _positions(mask, q):
    """One mask of the positions of an image, for all its channels."""
    return bool((mask == mask[:, :1]).all()) and fits(mask[:, 0], q)


def _rows(mask, q):
    """In each map, rows or columns are kept or dropped as a whole."""
    return any((mask == mask.take([0], axis)).all() and fits(mask.take(0, axis), q) for axis in (2, 3))


channel_dropout = Exercise(
    name="channel_dropout",
    cases=_cases,
    call=call_with_rng,
    verify=verify_masks(_value_fault, read_maps, _inverted, "feature maps"),
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Neighbouring pixels of a map say nearly the same, so dropping single pixels hides little. One draw decides "
        "about a whole map.",
        "A batch has N · C maps, so N · C numbers are drawn. A mask of shape (N, C, 1, 1) broadcasts over height and "
        "width.",
        "keep = rng.random((N, C, 1, 1)) >= drop_probability, and then x * keep / (1 - drop_probability).",
    ),
    misconceptions=(
        Misconception(
            "no scaling",
            "It looks as if the maps that are kept are left as they are.",
            "Ask yourself: with p = 0.2, what is the mean of out over all masks, when x is 1?",
            matches=drawn(read_maps, lambda q: 1.0),
        ),
        Misconception(
            "divided by p",
            "It looks as if what is kept is divided by p, the probability of dropping.",
            "Ask yourself: a map is kept in a share 1 − p of all masks; which factor makes its mean x again?",
            matches=drawn(read_maps, lambda q: over(1 - q)),
        ),
        *wrong_factors(drawn(read_maps, lambda q: q), _read_share, "maps"),
        Misconception(
            "keep and drop swapped",
            "It looks as if p is the probability of keeping a map. Here it is the probability of dropping it.",
            "Ask yourself: with p = 0.2, are most maps kept or dropped?",
            matches=any_of(
                *(drawn(read_maps, factor, swapped) for factor in (lambda q: 1.0, _inverted, lambda q: over(1 - q)))
            ),
        ),
        Misconception(
            "single elements dropped",
            "It looks as if every element has its own draw. That is ordinary dropout.",
            "Ask yourself: how many maps are in the batch, and how many random numbers do you draw?",
            matches=_elements(fits),
        ),
        Misconception(
            "positions dropped",
            "It looks as if the same pixels are dropped in all channels of an image.",
            "Ask yourself: in (N, C, H, W), over which two axes should a mask be constant?",
            matches=_elements(_positions),
        ),
        Misconception(
            "rows or columns dropped",
            "It looks as if rows or columns of a map are dropped, not the whole map.",
            "Ask yourself: in (N, C, H, W), over which two axes should a mask be constant?",
            matches=_elements(_rows),
        ),
        Misconception(
            "one mask for all images",
            "It looks as if all images of the batch lose the same channels.",
            "Ask yourself: how many maps are in the batch, and how many random numbers do you draw?",
            matches=drawn(read_maps, _inverted, same_along(0)),
        ),
        Misconception(
            "whole images dropped",
            "It looks as if an image loses all its channels or none.",
            "Ask yourself: what does the next layer get from an image that has no channel left?",
            matches=drawn(read_maps, _inverted, same_within),
        ),
        *every_mask(read_maps, _inverted, "maps"),
    ),
)


def by_torch(x, drop_probability, rng):
    """The mask from PyTorch, seeded from rng; what experiments use meanwhile."""
    import torch

    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    kept = torch.empty((*x.shape[:2], 1, 1), dtype=torch.float64).bernoulli_(1 - drop_probability, generator=generator)
    return x * kept.numpy() / (1 - drop_probability)
