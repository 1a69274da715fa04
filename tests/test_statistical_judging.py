"""Initializers are judged by chance, and chance is kept in its place.

How often a correct one fails: the exact tails of all tests of a grading add up to less than one in a million, and at
a level of 1 %, where failures can be counted, as many are counted as are claimed. How often a wrong one passes:
a few times in a million where its variance is wrong, and never on the seeds that are tried here where only chance
tells it from a correct one. (`test_bank` tries every mistake on 20 seeds.)
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograder.judge import SECRET_SETS
from course_utils.checks import registry, statistical
from course_utils.checks._initialization import samples
from course_utils.checks._initialization.initializers import he, xavier
from course_utils.checks._initialization.samples import arguments, call_initializer
from course_utils.checks.hints import find_solution
from course_utils.checks.statistical import (
    EXTREME,
    MEAN,
    NEIGHBOURS,
    NORMAL,
    SHAPE,
    SINGLE,
    SQUARE,
    UNIFORM,
    Law,
    statistics_of,
)
from tests.bank.initialization import initializers, repaired
from tests.bank.registry import isolated

EXERCISES = registry.exercises("03_initialization")
FAMILIES = {
    "xavier_normal": NORMAL,
    "xavier_uniform": UNIFORM,
    "he_normal": NORMAL,
    "he_uniform": UNIFORM,
    "repaired_he_normal": NORMAL,
}
MISTAKEN = initializers.MISTAKEN + repaired.MISTAKEN
SEEDS = range(20, 80)  # the first 20 are those of test_bank
# Only chance tells these from a correct one. All others have a variance further off than the bound below covers, or
# are caught for certain, because numbers are repeated or do not come from rng.
BY_CHANCE = (
    "uniform instead of normal",
    "truncated normal",
    "normal instead of uniform",
    "negative slope ignored",
    "slope not squared",
)
WRONG = [(name, label, made) for name, label, made in MISTAKEN if name in FAMILIES and label in BY_CHANCE]


def tail(test: statistical.Statistic, n: int, family: str) -> float:
    """At most this is the probability that a correct sample of n values fails the test: exact, or a proven bound."""
    from scipy import stats

    if test.name == SHAPE:
        return 2 * math.exp(-2 * n * test.high**2)  # Massart 1990
    if test.name == NEIGHBOURS:
        return 2 * math.exp(-(test.high**2) / 2)  # Hoeffding 1963
    if test.name == MEAN:
        return 2 * stats.norm.sf(test.high * n**0.5) if family == NORMAL else 2 * math.exp(-n * test.high**2 / 2)
    if test.name == EXTREME and family == UNIFORM:
        return (test.low / math.sqrt(3)) ** n
    if test.name == EXTREME:
        inside = [math.log1p(-2 * stats.norm.sf(end)) * n for end in (test.low, test.high)]
        return math.exp(inside[0]) - math.expm1(inside[1])
    if family == NORMAL:
        return stats.chi2.cdf(n * test.low, n) + stats.chi2.sf(n * test.high, n)
    return chernoff(test.low, n) + chernoff(test.high, n)


def chernoff(end: float, n: int) -> float:
    """The bound min over t of E exp(t z²)ⁿ exp(−n t · end), for z uniform with variance 1."""
    from scipy.optimize import minimize_scalar

    nodes, weights = np.polynomial.legendre.leggauss(60)
    square = 3 * ((nodes + 1) / 2) ** 2

    def exponent(t):
        return n * (math.log(np.sum(weights / 2 * np.exp(t * square))) - t * end)

    return math.exp(minimize_scalar(exponent, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9}).fun)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_grading_fails_a_correct_program_less_than_once_in_a_million(name):
    family, rng = FAMILIES[name], np.random.default_rng(0)
    total, count = 0.0, 0
    for case in EXERCISES[name].cases(rng):
        weights = rng.normal(size=case.inputs["shape"])
        tails = [tail(test, weights.size, family) for test in statistics_of(weights, Law(family, 1.0))]
        if case.inputs["calls"] == 2:
            tails = [*tails, *tails, 2 * math.exp(-(statistical.two_sided(SINGLE) ** 2) / 2)]
        total, count = total + sum(tails), count + len(tails)
    sets = 2 + SECRET_SETS  # the notebook's own check, the same cases before the judge, and the secret ones
    assert count >= 40
    assert sets * total < 1e-6, (count, total)


@pytest.mark.parametrize("n", [4950, 7614])
@pytest.mark.parametrize("family", [NORMAL, UNIFORM])
def test_the_bounds_of_the_mean_square_are_no_wider_than_they_must_be(family, n):
    low, high = statistical.square_bounds(n, SINGLE, family)
    test = statistical.Statistic(SQUARE, 1.0, low, high)
    # Chernoff's bound is larger than the probability itself by about q · √(2π), 16 here.
    slack = 1.01 if family == NORMAL else 20
    assert SINGLE / 1.01 < tail(test, n, family) < slack * SINGLE


@pytest.mark.parametrize(
    ("n", "ratio", "most"),
    [
        (4950, 1.25, 3e-6),  # the smallest sample of all exercises
        (4950, 0.8, 3e-6),
        (
            60 * 120,
            1.25 / 1.5,
            6e-6,
        ),  # 1 + slope for 1 + slope² at slope 0.5, the hardest to tell of the known wrong laws
    ],
)
def test_a_wrong_variance_is_missed_a_few_times_in_a_million(n, ratio, most):
    from scipy import stats

    low, high = statistical.square_bounds(n, SINGLE, NORMAL)
    assert stats.chi2.cdf(n * high / ratio, n) - stats.chi2.cdf(n * low / ratio, n) < most


@pytest.mark.parametrize("family", [NORMAL, UNIFORM])
def test_at_one_percent_each_test_fails_one_correct_sample_in_a_hundred(family):
    rng, trials = np.random.default_rng(20), 2000
    draw = rng.standard_normal if family == NORMAL else lambda size: rng.uniform(-math.sqrt(3), math.sqrt(3), size)
    made = dict.fromkeys((SQUARE, MEAN, EXTREME, NEIGHBOURS, SHAPE), 0)
    failed = dict.fromkeys(made, 0)
    for _ in range(trials):
        for test in statistics_of(draw((12, 10, 5)), Law(family, 1.0), 0.01):
            made[test.name] += 1
            failed[test.name] += not test.passed
    assert made[NEIGHBOURS] == 3 * trials
    for name, count in made.items():
        five_errors = 5 * math.sqrt(count * 0.01 * 0.99)
        assert abs(failed[name] - 0.01 * count) < five_errors, (name, failed[name], count)


def reference(name: str):
    scope = {"np": np}
    exec(compile(find_solution(name), "<student>", "exec"), scope)
    return scope[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_reference_never_fails(name):
    exercise, student = EXERCISES[name], reference(name)
    for seed in SEEDS:
        for case in exercise.cases(np.random.default_rng(seed)):
            assert exercise.verify(case, call_initializer(student, **case.inputs)) is None, (seed, case.aspect)


@pytest.mark.parametrize(
    ("name", "label", "made"), WRONG, ids=[f"{n}-{label}-{i}" for i, (n, label, _) in enumerate(WRONG)]
)
def test_a_wrong_initializer_that_only_chance_tells_is_caught_on_every_seed(name, label, made):
    exercise, student = EXERCISES[name], isolated(made)
    for seed in SEEDS:
        cases = exercise.cases(np.random.default_rng(seed))
        # The last cases first: there most mistakes show.
        assert any(exercise.verify(case, call_initializer(student, **case.inputs)) for case in reversed(cases)), seed


@pytest.mark.parametrize("name", FAMILIES)
def test_pytorch_has_the_same_law_and_stands_in_for_it(name):
    import torch

    exercise, rng = EXERCISES[name], np.random.default_rng(5)
    for case in exercise.cases(rng):
        shape, option = case.inputs["shape"], arguments(case)
        fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(*shape, device="meta"))
        gain = torch.nn.init.calculate_gain("leaky_relu", option.get("negative_slope", 0.0))
        ours = xavier(**option) if name.startswith("xavier") else he(**option)
        theirs = option.get("gain", 1.0) ** 2 / ((fan_in + fan_out) / 2) if "xavier" in name else gain**2 / fan_in
        assert ours == pytest.approx(theirs, rel=1e-12)
        assert exercise.verify(case, call_initializer(exercise.replacement(), **case.inputs)) is None


def test_constants_are_those_of_the_distributions():
    from scipy import stats

    assert math.isclose(samples.CUT_SPREAD, stats.truncnorm(-2, 2).std(), rel_tol=1e-12)
    z = np.linspace(-10, 10, 4001)
    assert np.abs(Law(NORMAL, 1.0).distribution_function(z) - stats.norm.cdf(z)).max() < 1e-6
    # Moments of z²: of the χ² distribution, and of 3u² with u uniform on (0, 1).
    spread, skewness, kurtosis = statistical.SQUARE_MOMENTS[NORMAL]
    assert (spread**2, skewness, kurtosis) == pytest.approx(stats.chi2.stats(1, moments="vsk"))
    moment = [3**k / (2 * k + 1) for k in range(5)]
    central = [sum(math.comb(k, j) * moment[j] * (-1.0) ** (k - j) for j in range(k + 1)) for k in range(5)]
    spread, skewness, kurtosis = statistical.SQUARE_MOMENTS[UNIFORM]
    assert spread**2 == pytest.approx(central[2])
    assert skewness == pytest.approx(central[3] / central[2] ** 1.5)
    assert kurtosis == pytest.approx(central[4] / central[2] ** 2 - 3)


def test_what_a_student_reads():
    law, rng = Law(NORMAL, 0.0632), np.random.default_rng(1)
    shape = (60, 120)

    def said(weights):
        return statistical.fault(weights, shape, law)

    assert said(rng.normal(0, 0.0632, shape)) is None
    assert said(rng.normal(0, 0.0447, shape)) == (
        "the standard deviation of 7200 weights is 0.0445, should be 0.0632 ± 0.0034"
    )
    assert "the mean of 7200 weights is 0.0" in said(rng.random(shape) * 0.1)
    assert "shape of the distribution" in said(rng.laplace(0, 0.0632 / math.sqrt(2), shape))
    assert said(np.zeros(shape)) == "all weights are 0, should be drawn one by one"
    assert said(np.tile(rng.normal(0, 0.0632, (30, 120)), (2, 1))) == (
        "along axis 0, two slices of the weights are equal, number for number"
    )
    assert said([0.0]) == "the result is a list of 1 value, should be an array of shape (60, 120)"
