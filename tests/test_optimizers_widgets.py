"""The widgets of 04: their numbers against PyTorch and direct computation, their pictures, controls and pages."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from course_utils.widgets import map_stability, optimizer_paths, optimizer_race, race_optimizers, stability_map
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.map_stability import StabilityMap
from course_utils.widgets.map_stability import draw as draw_map
from course_utils.widgets.momentum_rates import (
    CURVATURES,
    MOMENTA,
    PRODUCTS,
    best,
    grid,
    slowest,
    spectral_radius,
    steps_for_a_tenth,
    walk,
)
from course_utils.widgets.optimizer_paths import FACTORS, RACERS, RATES, STEPS, SURFACES, loss_of_a_race, race
from course_utils.widgets.race_optimizers import ALL, OptimizerRace
from course_utils.widgets.race_optimizers import draw as draw_race
from tests.widget_pictures import assert_drawn_well, assert_named_controls, assert_reaches_the_page

# The numbers of the race.


@pytest.mark.parametrize("surface", SURFACES)
def test_a_slope_is_pytorchs_gradient_of_the_height(surface):
    ground = SURFACES[surface]
    for x, y in ((0.3, -0.7), (-1.1, 0.4), ground.start):
        at = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(ground.height(at[0], at[1]), at)
        assert ground.slope(x, y) == pytest.approx(tuple(gradient.tolist()), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("surface", SURFACES)
def test_the_minima_are_the_lowest_points_of_the_window(surface):
    ground = SURFACES[surface]
    left, right, bottom, top = ground.window
    for x, y in ground.minima:
        assert left < x < right and bottom < y < top
        assert ground.height(x, y) == pytest.approx(ground.lowest, abs=1e-12)
        assert ground.slope(x, y) == pytest.approx((0, 0), abs=1e-12)
    heights = ground.height(*np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201)))
    assert heights.min() >= ground.lowest - 1e-12
    assert left < ground.start[0] < right and bottom < ground.start[1] < top


def test_a_walk_is_what_training_with_pytorch_does():
    ground = SURFACES["Beale"]
    at = torch.tensor(ground.start, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([at], lr=0.1)
    for _ in range(20):
        adam.zero_grad()
        ground.height(at[0], at[1]).backward()
        adam.step()
    np.testing.assert_allclose(optimizer_paths.walk("Beale", "Adam", 0.1, 20).points[-1], at.tolist(), rtol=1e-9)


@pytest.mark.parametrize("surface", SURFACES)
def test_every_racers_rate_is_the_best_of_its_neighbours(surface):
    rates = np.array([digit * 10.0**power for power in range(-5, 2) for digit in (1, 2, 5)])
    for name, rate in zip(RACERS, RATES[surface], strict=True):
        at = int(np.argmin(np.abs(rates - rate)))
        near = rates[max(at - 2, 0) : at + 3]
        losses = [loss_of_a_race(optimizer_paths.walk(surface, name, r)) for r in near]
        assert near[int(np.argmin(losses))] == pytest.approx(rate), name


def test_scaling_every_coordinate_helps_only_along_the_axes():
    def height(surface, name):
        return dict(zip(RACERS, race(surface, 1.0), strict=True))[name].heights[-1]

    assert height("ravine", "AdaGrad") < 1e-30 < 1e-8 < height("turned ravine", "AdaGrad")
    assert height("turned ravine", "SGD") == pytest.approx(height("ravine", "SGD"), rel=0.05)  # SGD sees no axes


def test_a_racer_that_leaves_stops_with_finite_numbers():
    for surface in SURFACES:
        for path in race(surface, FACTORS[-1]):
            assert np.isfinite(path.points).all() and np.isfinite(path.heights).all()
    assert any(len(path.points) < STEPS + 1 for path in race("Rosenbrock", FACTORS[-1]))


# The numbers of the map.


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.81, 0.99])
@pytest.mark.parametrize("product_", [0.02, 0.5, 1.0, 1.9, 2.1, 3.5, 4.2])
def test_the_radius_is_that_of_the_matrix_of_a_step(product_, momentum):
    step = np.array([[1 + momentum - product_, -momentum], [1, 0]])
    expected = np.abs(np.linalg.eigvals(step)).max()
    assert spectral_radius(product_, momentum) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_edge_of_stability_is_where_the_formula_puts_it(momentum):
    limit = 2 * (1 + momentum)
    assert spectral_radius(limit - 1e-6, momentum) < 1 < spectral_radius(limit + 1e-6, momentum)


def test_a_walk_is_pytorchs_sgd_with_momentum():
    w = torch.ones(2, dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([w], lr=1.4 / 10, momentum=0.6)
    path = walk(1.4, 0.6, 10.0)
    for t in range(1, 30):
        sgd.zero_grad()
        (0.5 * (10 * w[0] ** 2 + w[1] ** 2)).backward()
        sgd.step()
        np.testing.assert_allclose(path[t], w.tolist(), rtol=1e-9)


@pytest.mark.parametrize("curvature", CURVATURES.values())
def test_no_setting_on_the_map_is_faster_than_the_best(curvature):
    at, momentum = best(curvature)
    fastest = float(slowest(at, momentum, curvature))
    _, _, radii = grid(curvature)
    assert fastest <= radii.min() + 1e-9
    assert fastest == pytest.approx(np.sqrt(momentum), abs=1e-6)  # Polyak, 1964


@pytest.mark.parametrize(("radius", "steps"), [(1.0, np.inf), (1.4, np.inf), (0.1, 1.0), (0.0, 0.0), (10**-0.02, 50.0)])
def test_steps_for_a_tenth(radius, steps):
    assert steps_for_a_tenth(radius) == pytest.approx(steps)


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for surface, factor, step in product(SURFACES, (FACTORS[0], 1.0, FACTORS[-1]), (0, 1, STEPS)):
        yield f"race {surface} {factor} {step}", draw_race(surface, factor, step, ALL)
    for name in RACERS:
        yield f"race {name}", draw_race("Rosenbrock", 2.0, 30, name)
    for curvature, at, momentum in product(CURVATURES.values(), (*PRODUCTS, 2.0, 3.0), (*MOMENTA, 0.5)):
        yield f"map {curvature} {at} {momentum}", draw_map(at, momentum, curvature)


def test_every_picture_is_valid_and_keeps_its_text_inside():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_the_map_is_coloured_by_the_radius():
    cells = dict(map_stability._cells(10.0))
    area = {
        shade: sum((part[1][0] - part[0][0]) * (part[2][1] - part[1][1]) for part in parts)
        for shade, parts in cells.items()
    }
    whole = map_stability.MAP[2] * map_stability.MAP[3]
    assert sum(area.values()) == pytest.approx(whole)
    _, _, radii = grid(10.0)
    assert area[map_stability.UNSTABLE] / whole == pytest.approx(np.mean(radii >= 1))


# Controls.


def test_the_race_follows_its_controls():
    shown = OptimizerRace()
    seen = [shown.picture.value]
    for control, value in (
        (shown.surface, "Beale"), (shown.rate_factor, 20.0), (shown.step, 299), (shown.follow, "Adam"),
    ):  # fmt: skip
        control.value = value
        seen.append(shown.picture.value)
        assert seen[-1] != seen[-2]
    assert "The surface Beale" in seen[-1] and "After 299 steps" in seen[-1] and "left" in seen[-1]


def test_the_map_follows_its_controls():
    shown = StabilityMap()
    assert "Stable: the slower direction becomes ten times smaller every 6.64 steps." in shown.picture.value
    shown.product.value = 3.2
    assert "Unstable: " in shown.picture.value and "α·λ = 3.2 is above 2(1 + μ) = 3." in shown.picture.value
    shown.momentum.value = 0.6
    assert "On the edge" in shown.picture.value
    shown.curvature.value = "λ = 100"
    assert "½·100·x²" in shown.picture.value


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: optimizer_race("bowl"), "The surface must be one of 'Beale', 'Rosenbrock', 'ravine', 'turned ravine', "
         "'saddle', not 'bowl'."),
        (lambda: optimizer_race(rate_factor=3), "The rate factor must be one of 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, "
         "10.0, 20.0, not 3."),
        (lambda: optimizer_race(step=301), "The step must be a whole number from 0 to 300, not 301."),
        (lambda: optimizer_race(follow="LBFGS"), "The optimizer to follow must be one of 'all', 'SGD', 'momentum', "
         "'Nesterov', 'AdaGrad', 'RMSProp', 'Adam', not 'LBFGS'."),
        (lambda: stability_map(0), "The product of learning rate and curvature must be a number from 0.02 to 4.2, "
         "not 0."),
        (lambda: stability_map(momentum=1), "The momentum must be a number from 0 to 0.99, not 1."),
        (lambda: stability_map(curvature=10), "The curvature must be one of 'λ = 1', 'λ = 10', 'λ = 100', not 10."),
    ],
)  # fmt: skip
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


@pytest.mark.parametrize(("make", "count"), [(OptimizerRace, 4), (StabilityMap, 3)])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make, count):
    assert_named_controls(make().view, count)


# What reaches the page.


@pytest.mark.parametrize("show", [optimizer_race, stability_map])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [optimizer_race, stability_map])
def test_a_widget_shows_and_computes_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.delattr(race_optimizers, "OptimizerRace")
    monkeypatch.delattr(map_stability, "StabilityMap")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("optimizer_race()", "stability_map()")
