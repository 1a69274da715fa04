"""Random masks are judged by chance, and chance is kept in its place.

How often a correct program fails: the exact tails of all tests of a grading add up to less than one in a million, and
at a level of 1 %, where failures can be counted, as many are counted as are claimed. How often a wrong one passes:
computed where only chance tells it from a correct one, and never on the seeds that are tried here. (`test_bank` tries
every mistake on 20 seeds.)
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from autograder.judge import SECRET_SETS
from course_utils.checks import masks, registry
from course_utils.checks._dropout import backward, block_masks, blocks, dropconnect
from course_utils.checks.hints import find_solution
from course_utils.checks.statistical import SINGLE
from tests.bank.dropout import blocks as block_bank
from tests.bank.dropout import channels, classic, inverted
from tests.bank.dropout import dropconnect as dropconnect_bank
from tests.bank.registry import isolated

EXERCISES = registry.exercises("05_dropout")
RANDOM = ("dropout_forward", "classic_dropout", "dropconnect_forward", "channel_dropout", "dropblock_mask")
SEEDS = range(20, 60)  # the first 20 are those of test_bank
# What these do is right in form, and only a count is off.
BY_CHANCE = (
    "keep and drop swapped",
    "a fixed number dropped",
    "γ = p",
    "γ without the correction",
    "correction turned round",
    "b for b²",
    "square maps taken for granted",
)
MISTAKEN = [row for bank in (inverted, classic, dropconnect_bank, channels, block_bank) for row in bank.MISTAKEN]
WRONG = [row for row in MISTAKEN if row[1] in BY_CHANCE]


def tail(low: int, high: int, n: int, q: float) -> float:
    """The probability that a correct mask leaves the interval from low to high."""
    from scipy import stats

    return stats.binom.cdf(low - 1, n, q) + stats.binom.sf(high, n, q)


def reference(name: str):
    scope = {"np": np}
    exec(compile(find_solution(name), "<student>", "exec"), scope)
    return scope[name]


def verified(name: str, student, case):
    exercise = EXERCISES[name]
    return exercise.verify(case, exercise.call(student, **case.inputs))


# --- false alarms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RANDOM)
def test_a_grading_fails_a_correct_program_less_than_once_in_a_million(name, monkeypatch):
    tails, bounds, equal = [], masks.binomial_bounds, masks.chance_of_equal_counts

    def recording_bounds(n, q, alpha=SINGLE):
        low, high = bounds(n, q, alpha)
        tails.append(tail(low, high, n, q))
        return low, high

    def recording_chance(*counted):
        chance = equal(*counted)
        if chance <= SINGLE:  # otherwise nobody fails by it
            tails.append(chance)
        return chance

    monkeypatch.setattr(masks, "binomial_bounds", recording_bounds)
    monkeypatch.setattr(masks, "chance_of_equal_counts", recording_chance)
    student = reference(name)
    for case in EXERCISES[name].cases(np.random.default_rng(0)):
        assert verified(name, student, case) is None, case.aspect
    sets = 2 + SECRET_SETS  # the notebook's own check, the same cases before the judge, and the secret ones
    assert len(tails) >= 20
    assert max(tails) <= SINGLE * (1 + 1e-6)
    assert sets * sum(tails) < 1e-6, (len(tails), sum(tails))


def test_two_masks_are_never_equal_by_chance():
    for name in RANDOM[:4]:
        case = next(c for c in EXERCISES[name].cases(np.random.default_rng(0)) if c.inputs["calls"] > 1)
        p, shape = case.inputs.get("drop_probability", 0.7), case.inputs["x"].shape
        drawn = math.prod(shape[:2])  # at least: of dropconnect_forward, the products of N and D
        assert masks.agreement(p) ** drawn < SINGLE
    for case in EXERCISES["monte_carlo_predict"].cases(np.random.default_rng(0)):
        pairs = math.comb(2 * case.inputs["samples"], 2)  # those of two generators
        assert pairs * masks.agreement(0.2) ** case.inputs["x"].size < SINGLE


@pytest.mark.parametrize("n", [40, 700, 4200])
@pytest.mark.parametrize("q", [0.8, 0.3, 0.68, 0.95])
@pytest.mark.parametrize("alpha", [SINGLE, 0.01])
def test_the_bounds_are_the_quantiles_of_the_binomial_law(n, q, alpha):
    from scipy import stats

    assert masks.binomial_bounds(n, q, alpha) == (stats.binom.ppf(alpha / 2, n, q), stats.binom.isf(alpha / 2, n, q))


def test_without_chance_there_is_one_right_count():
    assert masks.binomial_bounds(30, 1.0) == (30, 30)
    assert masks.binomial_bounds(30, 0.0) == (0, 0)


@pytest.mark.parametrize("q", [0.8, 0.3])
def test_at_one_percent_each_count_fails_as_often_as_it_should(q):
    rng, trials, alpha = np.random.default_rng(20), 3000, 0.01
    made, failed = {}, {}
    for _ in range(trials):
        for count in masks.counts_of(rng.random((24, 10, 15)) < q, q, alpha):
            chance = q if count.name == masks.KEPT else masks.agreement(q)
            made[count.name] = tail(count.low, count.high, count.n, chance)
            failed[count.name] = failed.get(count.name, 0) + (not count.passed)
    assert set(made) == {masks.KEPT, *(masks.neighbours(axis) for axis in range(3))}
    for name, share in made.items():
        assert 0.7 * alpha < share <= alpha
        assert abs(failed[name] - share * trials) < 5 * math.sqrt(trials * share), (name, failed[name])


def test_the_chance_of_equal_counts():
    from scipy import stats

    exact = sum(stats.binom.pmf(k, 6, 0.8) ** 3 for k in range(7))
    assert masks.chance_of_equal_counts(6, 0.8, 3) == pytest.approx(exact, rel=1e-12)
    counts = np.random.default_rng(1).binomial(6, 0.8, size=(20_000, 3))
    share = np.mean((counts == counts[:, :1]).all(axis=1))
    assert abs(share - exact) < 5 * math.sqrt(exact / 20_000)


# --- what is wrong is caught ----------------------------------------------------------------------------------------


def missed(n: int, right: float, wrong: float) -> float:
    """The probability that a mask whose elements are kept with probability `wrong` passes for one of `right`."""
    from scipy import stats

    low, high = masks.binomial_bounds(n, right)
    return stats.binom.cdf(high, n, wrong) - stats.binom.cdf(low - 1, n, wrong)


@pytest.mark.parametrize("name", RANDOM[:4])
def test_a_keep_probability_that_is_off_by_a_tenth_is_missed_less_than_once_in_ten_thousand(name):
    chances = {-0.1: 1.0, 0.1: 1.0}
    for case in EXERCISES[name].cases(np.random.default_rng(0)):
        q = case.inputs.get("keep_probability", 1 - case.inputs.get("drop_probability", 0))
        if q == 1 or not case.inputs.get("training", True):
            continue
        x = case.inputs["x"]
        n = {"channel_dropout": math.prod(x.shape[:2])}.get(name, x.size)
        if name == "dropconnect_forward":
            n = x.size * len(case.inputs["weight"])
        for shift in chances:
            chances[shift] *= missed(n, q, q + shift)
    assert max(chances.values()) < 1e-4, chances


@pytest.mark.parametrize(
    "gamma",
    [
        lambda H, W, b, p: p,
        lambda H, W, b, p: p / b**2,
        lambda H, W, b, p: p / b**2 * (H - b + 1) * (W - b + 1) / (H * W),
        lambda H, W, b, p: p / b * H * W / ((H - b + 1) * (W - b + 1)),
        lambda H, W, b, p: p / b**2 * (H / (H - b + 1)) ** 2,
        lambda H, W, b, p: p / b**2 * (W / (W - b + 1)) ** 2,
    ],
)
def test_a_wrong_gamma_is_missed_less_than_once_in_a_million(gamma):
    chance = 1.0
    for case in EXERCISES["dropblock_mask"].cases(np.random.default_rng(0)):
        (N, C, H, W), b, p = (case.inputs[key] for key in ("shape", "block_size", "drop_probability"))
        if p and b <= min(H, W):
            places = (H - b + 1) * (W - b + 1)
            right, wrong = ((1 - g) ** places for g in (blocks.gamma_of(case), min(1, gamma(H, W, b, p))))
            chance *= missed(N * C, right, wrong)
    assert chance < 1e-6


@pytest.mark.parametrize("name", RANDOM)
def test_the_reference_never_fails(name):
    student = reference(name)
    for seed in SEEDS:
        for case in EXERCISES[name].cases(np.random.default_rng(seed)):
            assert verified(name, student, case) is None, (seed, case.aspect)


@pytest.mark.parametrize("name", (*RANDOM, "monte_carlo_predict"))
def test_what_stands_in_for_it_passes(name):
    student = EXERCISES[name].replacement()
    for case in EXERCISES[name].cases(np.random.default_rng(3)):
        assert verified(name, student, case) is None, case.aspect


@pytest.mark.parametrize(
    ("name", "label", "made"), WRONG, ids=[f"{n}-{label}-{i}" for i, (n, label, _) in enumerate(WRONG)]
)
def test_a_wrong_mask_that_only_chance_tells_is_caught_on_every_seed(name, label, made):
    student = isolated(made)
    for seed in SEEDS:
        cases = EXERCISES[name].cases(np.random.default_rng(seed))
        order = reversed(cases) if label == "a fixed number dropped" else cases  # where it shows first
        with np.errstate(all="ignore"):
            assert any(verified(name, student, case) for case in order), seed


# --- reading --------------------------------------------------------------------------------------------------------


def test_partial_sums_of_dropconnect_lie_apart():
    closest = math.inf
    for case in EXERCISES["dropconnect_forward"].cases(np.random.default_rng(0)):
        if not case.inputs["x"].any():
            continue
        for terms in (case.inputs["weight"] * case.inputs["x"][:, None, :])[:2, :20].reshape(-1, dropconnect.INPUTS):
            subsets = np.array(list(itertools.product((0, 1), repeat=len(terms))))
            closest = min(closest, np.diff(np.sort(subsets @ terms)).min())
    assert closest > 0.9


def test_a_mask_of_weights_is_read_from_the_sums():
    rng = np.random.default_rng(4)
    case = EXERCISES["dropconnect_forward"].cases(rng)[3]
    x, weight, bias, p = (case.inputs[key] for key in ("x", "weight", "bias", "drop_probability"))
    mask = rng.random((len(x), *weight.shape)) >= p
    out = np.einsum("noi,oi,ni->no", mask, weight, x) / (1 - p) + bias
    for given in (out, out.astype(np.float32)):
        assert np.array_equal(dropconnect.read_sums(case, given, 1 / (1 - p)), mask)
    assert dropconnect.read_sums(case, out + 0.2, 1 / (1 - p)) is None


def test_a_union_of_blocks():
    rng = np.random.default_rng(5)
    for b in (1, 2, 3):
        dropped = rng.random((2, 3, 5, 7)) < 0.75
        covered = np.zeros_like(dropped)
        for n, c, i, j in np.ndindex(2, 3, 6 - b, 8 - b):
            if dropped[n, c, i : i + b, j : j + b].all():
                covered[n, c, i : i + b, j : j + b] = True
        assert np.array_equal(block_masks.union_of_blocks(dropped, b), covered)


@pytest.mark.parametrize(("H", "W", "b"), [(3, 4, 2), (5, 3, 3), (4, 3, 1)])
def test_the_chances_of_whole_maps_corners_and_centres_are_those_of_all_sets_of_blocks(H, W, b):
    gamma, whole, corner, centre = 0.17, 0.0, 0.0, 0.0
    places = list(itertools.product(range(H - b + 1), range(W - b + 1)))
    for chosen in itertools.product((0, 1), repeat=len(places)):
        dropped = np.zeros((1, 1, H, W), dtype=bool)
        for i, j in itertools.compress(places, chosen):
            dropped[0, 0, i : i + b, j : j + b] = True
        chance = gamma ** sum(chosen) * (1 - gamma) ** (len(places) - sum(chosen))
        whole += chance * (not dropped.any())
        corner += chance * block_masks.corners_of(dropped, b).mean()
        centre += chance * dropped[0, 0, H // 2, W // 2]
    assert block_masks.chances(H, W, b, gamma) == pytest.approx((whole, corner, centre), rel=1e-12)


def test_a_mask_that_is_made_of_the_given_one_is_not_called_a_new_one():
    rng = np.random.default_rng(6)
    grad_out, mask = rng.normal(size=(4, 30)), rng.random((4, 30)) >= 0.2
    for made in (mask, ~mask, mask[0], mask[-1], mask.all(axis=0), mask.any(axis=0), 0 * mask):
        assert not backward.resampled(grad_out, mask, 0.2, grad_out * made / 0.8)
    assert backward.resampled(grad_out, mask, 0.2, grad_out * mask[::-1] / 0.8)


# --- what a student reads -------------------------------------------------------------------------------------------


def test_sentences():
    rng = np.random.default_rng(1)
    mask = rng.random((40, 50)) < 0.8
    assert masks.fault(mask, 0.8) is None
    assert masks.fault(~mask, 0.8) == "406 of 2000 elements are kept, should be 1480 to 1711 of them"
    copied = np.tile(rng.random(50) < 0.8, (40, 1))
    assert "are kept or dropped together" in masks.fault(copied, copied.mean())
    second = rng.random((40, 50)) < 0.8
    assert masks.calls_fault([mask, second], mask, 0.8) is None
    assert "two calls with one rng drop the same" in masks.calls_fault([mask, mask], mask, 0.8)
    assert "not all random numbers come from rng" in masks.calls_fault([mask, second], second, 0.8)
    almost = mask.copy()
    almost[0] = ~almost[0]
    assert "depends on the mask of the call before" in masks.calls_fault([mask, almost], mask, 0.8)
    fixed = [rng.permutation(2000).reshape(40, 50) < 1600 for _ in range(9)]
    assert masks.calls_fault(fixed, fixed[0], 0.8) == (
        "9 calls all keep exactly 1600 of 2000 elements; independent draws almost never do"
    )
