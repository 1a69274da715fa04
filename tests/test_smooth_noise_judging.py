"""The bounds on smooth random maps are left as rarely as they claim, and wrong maps leave them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from course_utils.checks._augmentation import smooth_noise as noise
from course_utils.checks._augmentation.elastic import elastic_field
from course_utils.checks.statistical import SINGLE

SIGMA, SIDE = 1.5, 60
TRIALS, ALPHA = 400, 0.02


def maps(count, sigma=SIGMA):
    """Many smooth maps, the inner points alone."""
    draws = np.random.default_rng(7).uniform(-1, 1, (count, SIDE, SIDE))
    return noise.inner(scipy.ndimage.gaussian_filter(draws, (0, sigma, sigma), truncate=6), SIGMA)


def filters(sigma=SIGMA):
    made_by, gap = noise.smoothing(sigma), noise.step(sigma)
    return {None: made_by, **{axis: noise.differences(made_by, gap, axis) for axis in (0, 1)}}


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_the_norms_are_bounds_on_those_of_the_matrix(axis):
    """The covariances of a small square of points, written out."""
    made_by, n = filters()[axis], 8
    pad = max(len(made_by.down), len(made_by.across))
    lines = []
    for f in (made_by.down, made_by.across):
        rows = np.zeros((n, n + pad))
        for i in range(n):
            rows[i, i : i + len(f)] = f
        lines.append(rows @ rows.T)
    covariance = np.kron(*lines)
    np.testing.assert_allclose(np.diag(covariance), made_by.mean_square)
    assert np.sum(covariance**2) <= n**2 * made_by.squares * (1 + 1e-9)
    assert np.linalg.eigvalsh(covariance)[-1] <= made_by.peak * (1 + 1e-9)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_right_maps_stay_within_the_bounds(axis):
    gap, made_by, outside = noise.step(SIGMA), filters()[axis], 0
    for points in maps(TRIALS):
        seen = points if axis is None else noise.difference_of(points, gap, axis)
        low, high = noise.square_bounds(made_by, seen.size, ALPHA)
        outside += not low <= noise.share(seen, made_by) <= high
    assert outside <= ALPHA * TRIALS


def test_means_and_products_stay_within_the_bounds():
    found = maps(TRIALS)
    n = found[0].size
    assert np.sum(np.abs(found.mean(axis=(1, 2))) > noise.mean_bound(n, ALPHA)) <= ALPHA * TRIALS
    pairs = list(zip(found[::2], found[1::2], strict=True))
    far = sum(abs(np.sum(a * b)) > noise.product_bound(a, ALPHA) for a, b in pairs)
    assert far <= ALPHA * len(pairs)


def test_maps_of_another_sigma_leave_the_bounds_of_the_check():
    """With as many points as the exercise has, 1.5 is told from 1.2 and 1.9 by every map."""
    draws = np.random.default_rng(8).uniform(-1, 1, (6, 170, 210))
    low, high = noise.square_bounds(noise.smoothing(1.5), 2 * 154 * 194)
    for other in (1.2, 1.9):
        found = noise.inner(scipy.ndimage.gaussian_filter(draws, (0, other, other)), 1.5)
        for pair in (found[0:2], found[2:4], found[4:6]):
            assert not low <= noise.share(pair, noise.smoothing(1.5)) <= high


def test_one_grading_makes_few_tests():
    """Two means, one product and three mean squares for each large field: below 2·10⁻⁹ for a right program."""
    large = [case for case in elastic_field.cases(np.random.default_rng(0)) if case.aspect == "size and smoothness"]
    assert len(large) * 6 * SINGLE < 2e-9
