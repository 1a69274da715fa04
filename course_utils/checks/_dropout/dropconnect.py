"""dropconnect_forward: each example has a draw for each weight, and the result alone must tell which were kept.

The terms weight[o, i] · x[n, i] of a sum grow like powers of 3, so all 2ᴰ partial sums differ: whatever was kept, the
sum says so. With magnitudes between 0.9 and 1.1 times 3ⁱ, two partial sums lie at least 0.9 apart.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks._dropout.sampled import (
    CALLS,
    any_of,
    call_with_rng,
    drawn,
    every_mask,
    keep,
    over,
    results,
    same_along,
    seeded,
    swapped,
    verify_masks,
    wrong_factors,
)
from course_utils.checks.compare import difference, number_pair
from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.checks.masks import binomial_bounds, fits
from course_utils.plain import strided

ONE, SEVERAL, BIAS, NEW = "one example", "several examples", "bias", "new masks at each call"
INPUTS = 7


def _layer(rng, examples, outputs, zero=False):
    """x, weight and bias with terms that grow like powers of 3, in an order that is the same for all outputs."""
    factors = rng.uniform(0.95, 1.05, size=(examples, INPUTS)), rng.uniform(0.95, 1.05, size=(outputs, INPUTS))
    signs = [rng.choice([-1.0, 1.0], size=factor.shape) for factor in factors]
    powers = 3.0 ** rng.permutation(INPUTS)
    return {
        "x": 0 * signs[0] if zero else signs[0] * factors[0] * powers,
        "weight": signs[1] * factors[1],
        "bias": rng.choice([-1.0, 1.0], size=outputs) * rng.uniform(0.32, 0.36, size=outputs),
    }


def _cases(rng):
    def case(aspect, *sizes, p, calls=1, make=lambda array: array, zero=False):
        layer = {name: make(array) for name, array in _layer(rng, *sizes, zero=zero).items()}
        return seeded(rng, aspect, calls, **layer, drop_probability=p)

    return [
        case(ONE, 1, 300, p=0.2),
        case(ONE, 1, 250, p=0.7, make=strided),
        case(SEVERAL, 60, 8, p=0.2),
        case(SEVERAL, 8, 60, p=0.3, make=strided),
        case(SEVERAL, 4, 3, p=0.0),
        case(BIAS, 60, 3, p=0.2, zero=True),
        case(BIAS, 40, 5, p=0.7, zero=True),
        case(NEW, 20, 15, p=0.2, calls=CALLS),
    ]


# --- reading --------------------------------------------------------------------------------------------------------


def _terms(case):
    """weight[o, i] · x[n, i], shape (N, out, D)."""
    return case.inputs["weight"] * case.inputs["x"][:, None, :]


def _is_silent(case):
    """Whether x is all zeros, so that nothing is left but the bias."""
    return not case.inputs["x"].any()


def _fitting(case, out):
    return isinstance(out, np.ndarray) and out.dtype.kind == "f" and out.shape == _terms(case).shape[:2]


def partial_sums(values, terms):
    """The subset of the last axis of `terms` whose sum lies nearest to each value, and that sum."""
    n = terms.shape[-1]
    subsets = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    sums = terms @ subsets.T.astype(float)  # (N, out, 2ⁿ)
    best = np.abs(sums - values[..., None]).argmin(axis=-1)
    return subsets[best], np.take_along_axis(sums, best[..., None], axis=-1)[..., 0]


def read_sums(case, out, factor, offset=None):
    """The mask of all weights, shape (N, out, D), where out is factor · Σ kept terms + offset (the bias)."""
    if not _fitting(case, out) or _is_silent(case):
        return None
    offset = case.inputs["bias"] if offset is None else offset
    kept, sums = partial_sums((out - offset) / factor, _terms(case)) if 0 < factor < np.inf else (None, None)
    return kept if kept is not None and agrees(sums * factor + offset, out) else None


def _read_share(case, out):
    """The mask of all weights, where Σ kept terms is divided by the share of weights that it keeps.

    That share is one of the 2ᴰ partial sums of an output divided by this output. Those that give a whole number of
    weights, one that chance may keep, are tried.
    """
    if not _fitting(case, out) or _is_silent(case):
        return None
    terms, sums = _terms(case), out - case.inputs["bias"]
    n, o = np.unravel_index(np.abs(sums).argmax(), sums.shape)
    subsets = np.arange(2**INPUTS)[:, None] >> np.arange(INPUTS) & 1
    with np.errstate(all="ignore"):
        kept = subsets @ terms[n, o] / sums[n, o] * terms.size
    low, high = binomial_bounds(terms.size, keep(case))
    possible = (kept > max(low, 1) - 0.5) & (kept < high + 0.5) & (np.abs(kept - kept.round()) < 0.01)
    for count in kept[possible].round():
        mask = read_sums(case, out, terms.size / count)
        if mask is not None and mask.sum() == count:
            return mask
    return None


def _inverted(q):
    return 1 / q


def _value_fault(case, out):
    shape = _terms(case).shape[:2]
    bias, q = np.broadcast_to(case.inputs["bias"], shape), keep(case)
    if not _fitting(case, out) or _is_silent(case):
        return difference(bias.copy(), out, ("out",))
    _, sums = partial_sums((out - bias) * q, _terms(case))
    nearest = sums / q + bias
    if agrees(nearest, out):
        return None
    n, o = np.unravel_index(np.abs(nearest - out).argmax(), shape)
    got, near = number_pair(out[n, o], nearest[n, o])
    return f"out[{n}, {o}] is {got}, which no mask gives: the nearest that one gives is {near}"


_verify_weights = verify_masks(_value_fault, read_sums, _inverted, "weights")


def _verify(case, outputs):
    return _value_fault(case, outputs) if _is_silent(case) else _verify_weights(case, outputs)


# --- misconceptions -------------------------------------------------------------------------------------------------


def _silent(*allowed):
    """A `matches` for x = 0, where the result must be one of allowed(bias, q)."""

    def matches(case, outputs):
        shape = _terms(case).shape[:2]
        ways = [np.broadcast_to(way(case.inputs["bias"], keep(case)), shape) for way in allowed]
        return any(agrees(way.copy(), outputs) for way in ways)

    return matches


def _where_x(loud, silent):
    """A `matches` of which one half is for x = 0."""
    return lambda case, outputs: (silent if _is_silent(case) else loud)(case, outputs)


def _with_offset(offset):
    """`read_sums` with another function of bias and q for the bias."""
    return lambda case, out, factor: read_sums(case, out, factor, offset(case.inputs["bias"], keep(case)))


def _bias_dropped(scaled):
    """A `matches`: the bias has a draw of its own like any weight, and is scaled with them or not."""

    def read(case, out):
        if not _fitting(case, out):
            return None
        q, terms = keep(case), _terms(case)
        column = np.broadcast_to(case.inputs["bias"] * (1 if scaled else q), terms.shape[:2])[..., None]
        all_terms = column if _is_silent(case) else np.concatenate([terms, column], axis=-1)
        kept, sums = partial_sums(out * q, all_terms)
        return kept if agrees(sums / q, out) and not kept[..., -1].all() else None

    def matches(case, outputs):
        found = [read(case, out) for out in results(case, outputs)]
        return all(mask is not None and fits(mask, keep(case)) for mask in found)

    return matches


def _outputs_dropped(with_bias):
    """A `matches`: whole outputs are dropped, before the bias is added or after."""

    def matches(case, outputs):
        full = _terms(case).sum(axis=-1) + (case.inputs["bias"] if with_bias else 0)
        rest = 0 if with_bias else case.inputs["bias"]
        for out in results(case, outputs):
            if not _fitting(case, out) or (_is_silent(case) and not with_bias):
                return False
            kept = np.abs(out - rest) > 1e-3
            if not agrees(kept * full / keep(case) + rest, out) or not fits(kept, keep(case)):
                return False
        return True

    return matches


def _activations(mask, q):
    """An input is dropped for all outputs of its example at once."""
    return bool((mask == mask[:, :1]).all()) and fits(mask[:, 0], q)


def _with_zero_p(loud, at_zero):
    """A `matches` of which one half is for p = 0, where dividing by p gives no numbers."""
    return lambda case, outputs: (loud if case.inputs["drop_probability"] else at_zero)(case, outputs)


def _not_finite(case, out):
    return isinstance(out, np.ndarray) and not np.isfinite(out).any()


def _nothing_kept(case, out):
    """All weights are dropped: what is left is the bias, or 0/0."""
    return _not_finite(case, out) or _silent(lambda bias, q: bias)(case, out)


dropconnect_forward = Exercise(
    name="dropconnect_forward",
    cases=_cases,
    call=call_with_rng,
    verify=_verify,
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    difficulty=3,
    importance=3,
    minutes=20,
    hints=(
        "Every example has a weight matrix of its own, with other weights missing. So one matrix product for the whole "
        "batch is not enough.",
        "The mask is (N, out, D). Multiplied by weight, of shape (out, D), it is N thinned matrices, one for each "
        "x[n]. A loop over n is fine.",
        "keep = rng.random((N, out, D)) >= drop_probability, and out[n] = (keep[n] * weight) @ x[n] / (1 - "
        "drop_probability) + bias.",
    ),
    misconceptions=(
        Misconception(
            "no scaling",
            "It looks as if the weights that are kept are not divided by 1 − p.",
            "Ask yourself: with p = 0.2, what is the mean of out over all masks, beside that of the plain layer?",
            matches=drawn(read_sums, lambda q: 1.0),
        ),
        Misconception(
            "divided by p",
            "It looks as if the weights that are kept are divided by p, the probability of dropping.",
            "Ask yourself: a weight is kept in a share 1 − p of all masks; which factor makes its mean right again?",
            matches=_with_zero_p(drawn(read_sums, lambda q: over(1 - q)), _not_finite),
        ),
        *wrong_factors(drawn(read_sums, lambda q: q), _read_share, "weights"),
        Misconception(
            "keep and drop swapped",
            "It looks as if p is the probability of keeping a weight. Here it is the probability of dropping it.",
            "Ask yourself: with p = 0.2, are most weights kept or dropped?",
            matches=_with_zero_p(
                any_of(
                    *(drawn(read_sums, factor, swapped) for factor in (lambda q: 1.0, _inverted, lambda q: over(1 - q)))
                ),
                _nothing_kept,
            ),
        ),
        Misconception(
            "DropConnect on activations",
            "It looks as if you drop elements of x: each is missing in all outputs of its example at once. That is "
            "dropout.",
            "Ask yourself: how many random numbers does one example need, if each of its weights has its own draw?",
            matches=drawn(read_sums, _inverted, _activations),
        ),
        Misconception(
            "outputs dropped",
            "It looks as if whole outputs are dropped, not single weights.",
            "Ask yourself: can an output lose one of its terms and keep the others?",
            matches=any_of(_outputs_dropped(True), _outputs_dropped(False)),
        ),
        Misconception(
            "one mask for the whole batch",
            "It looks as if all examples of the batch share one thinned weight matrix.",
            "Ask yourself: how many random numbers does your call of rng return, and how many does the docstring want?",
            matches=drawn(read_sums, _inverted, same_along(0)),
        ),
        Misconception(
            "bias dropped too",
            "It looks as if the bias is dropped like a weight.",
            "Ask yourself: with x = 0 and a bias of 1, what should come out, whatever the mask?",
            matches=any_of(_bias_dropped(True), _bias_dropped(False)),
        ),
        Misconception(
            "bias scaled too",
            "It looks as if the bias is divided by 1 − p. It is never dropped, so nothing has to make up for it.",
            "Ask yourself: with x = 0 and a bias of 1, what should come out?",
            matches=_where_x(
                drawn(_with_offset(lambda bias, q: bias / q), _inverted), _silent(lambda bias, q: bias / q)
            ),
        ),
        Misconception(
            "bias forgotten",
            "It looks as if the bias is not added.",
            "Ask yourself: with x = 0 and a bias of 1, what should come out?",
            matches=_where_x(
                drawn(_with_offset(lambda bias, q: 0 * bias), _inverted), _silent(lambda bias, q: 0 * bias)
            ),
        ),
        *every_mask(read_sums, _inverted, "weights"),
    ),
)


def by_torch(x, weight, bias, drop_probability, rng):
    """Thinned weights and their products by PyTorch, seeded from rng; what experiments use meanwhile."""
    import torch

    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    keep_mask = torch.empty((len(x), *weight.shape), dtype=torch.float64).bernoulli_(
        1 - drop_probability, generator=generator
    )
    thinned = keep_mask * torch.tensor(np.ascontiguousarray(weight)) / (1 - drop_probability)
    return torch.einsum("noi,ni->no", thinned, torch.tensor(np.ascontiguousarray(x))).numpy() + bias
