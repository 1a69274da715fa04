"""The widgets of 06: their numbers against PyTorch, their pictures, their controls, and what reaches the page."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from course_utils.data import load_digits
from course_utils.widgets import batch_noise, batch_statistics, deep_rates, rates_survived, sample_batches, try_rates
from course_utils.widgets.batch_noise import SIZES, UNITS, batch, expected_spread, noise, populations, settled
from course_utils.widgets.deep_rates import RATES, RUNS, STARTS, Networks, train
from course_utils.widgets.display import waiting
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.sample_batches import BatchStatistics
from course_utils.widgets.sample_batches import draw as draw_batches
from course_utils.widgets.try_rates import RatesSurvived
from course_utils.widgets.try_rates import draw as draw_rates
from tests.widget_pictures import assert_drawn_well, assert_named_controls, assert_reaches_the_page

# The numbers of the batch statistics.


def test_the_population_is_a_layer_on_the_training_images():
    features = load_digits().train.features
    assert populations().shape == (UNITS, len(features))
    # He-normal weights: the mean square over the units is near twice the images' mean square.
    assert np.mean(populations() ** 2) == pytest.approx(2 * np.mean(features**2), rel=0.6)


@pytest.mark.parametrize(("unit", "size"), [(0, 2), (3, 16), (7, 256)])
def test_the_normalized_value_is_pytorchs(unit, size):
    for draw in (0, 5):
        members = batch(unit, size, draw)
        members[0] = populations()[unit, batch_noise.IMAGE]
        column = torch.tensor(members)[:, None]
        expected = torch.nn.functional.batch_norm(column, None, None, training=True, eps=batch_noise.EPSILON)[0, 0]
        assert noise(unit, size).normalized[draw] == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.parametrize(("unit", "size"), [(0, 2), (3, 16), (7, 256)])
def test_means_and_stds_are_those_of_the_batches(unit, size):
    seen = noise(unit, size)
    for draw in (0, 9):
        members = batch(unit, size, draw)
        assert len(members) == size and np.isin(members, populations()[unit]).all()
        assert (seen.means[draw], seen.stds[draw]) == pytest.approx((members.mean(), members.std()))


@pytest.mark.parametrize("unit", range(UNITS))
def test_the_means_scatter_as_the_root_of_the_size_says(unit):
    for size in SIZES:
        # The std of 2000 values is right within 1/√4000 = 1.6 %; five times that is never left.
        assert noise(unit, size).means.std() == pytest.approx(expected_spread(unit, size), rel=0.08)


def test_of_two_images_one_becomes_plus_one_and_the_other_minus_one():
    seen = noise(2, 2)
    apart = seen.stds > 0.05  # closer together, ε takes part
    assert apart.mean() > 0.5
    with_image = np.abs(seen.normalized)
    assert np.quantile(with_image, 0.1) > 0.99 and with_image.max() <= 1


def test_a_large_batch_comes_close_to_the_statistics_of_all_images():
    for unit in range(UNITS):
        assert noise(unit, 256).normalized.mean() == pytest.approx(settled(unit), abs=0.05)


# The numbers of the survived rates.


def in_torch(scheme, normalized, run):
    """One of the networks as PyTorch's modules, float32 as ours."""
    weights, _ = deep_rates.start(run, scheme)
    layers = []
    for k, weight in enumerate(weights):
        last = k == len(weights) - 1
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=last or not normalized)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            if linear.bias is not None:
                linear.bias.zero_()
        layers += [linear] if last else [linear, *[torch.nn.BatchNorm1d(len(weight))] * normalized, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers)


@pytest.mark.parametrize("normalized", [True, False])
def test_the_networks_train_as_pytorchs_do(normalized):
    data, rates, steps = load_digits(), torch.tensor([0.02, 0.1]), 6
    x, labels = torch.tensor(data.train.features, dtype=torch.float32), torch.tensor(data.train.labels)
    unseen = torch.tensor(data.validation.features, dtype=torch.float32)
    made, rows = deep_rates.start(1, "He")
    rows = torch.tensor(rows[:steps])
    ours = Networks([np.stack([w, w]) for w in made], normalized)
    losses = [ours.step(x[batch_rows.expand(2, -1)], labels[batch_rows.expand(2, -1)], rates) for batch_rows in rows]
    for k, rate in enumerate(rates):
        model = in_torch("He", normalized, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=float(rate))
        for step, batch_rows in enumerate(rows):
            loss = torch.nn.functional.cross_entropy(model(x[batch_rows]), labels[batch_rows])
            assert losses[step][k] == pytest.approx(loss.item(), rel=1e-3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        assert np.mean(model(unseen).argmax(1).numpy() == ours.predict(unseen)[k]) > 0.98


def test_what_the_notebook_says_about_the_rates():
    with_it, without = train("He", True).accuracy.mean(1), train("He", False).accuracy.mean(1)
    at = RATES.index
    assert with_it[at(0.1) : at(2.0) + 1].min() > 0.9
    assert without.max() < 0.75 and without[at(0.5) :].max() < 0.15
    small = train("std 0.01", False).accuracy
    assert small.max() < 0.15  # at no rate does it learn anything
    assert train("std 0.01", True).accuracy.mean(1)[: at(2.0) + 1].min() > 0.5


def test_a_run_that_explodes_stays_exploded_and_has_no_right_answer():
    trained = train("He", False)
    assert trained.loss.shape == (len(RATES), RUNS, deep_rates.STEPS // deep_rates.EVERY)
    gone = np.isinf(trained.loss)
    assert gone[-1].any() and not gone[0].any() and not np.isnan(trained.loss).any()
    assert (np.diff(gone.astype(int), axis=-1) >= 0).all()
    assert trained.accuracy[gone[:, :, -1]].max() == 0


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for size, unit, number in product(SIZES, (1, 3, UNITS), (1, 50)):
        yield f"batch {size} {unit} {number}", draw_batches(size, unit, number)
    for rate, weights in product(RATES, STARTS):
        yield f"rate {rate} {weights}", draw_rates(rate, weights)


def test_every_picture_is_valid_and_keeps_its_text_inside():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_the_members_of_the_batch_are_drawn_one_by_one():
    dots = [item for item in draw_batches(32, 4, 7).items if getattr(item, "radius", 0) == 2.8]
    assert len(dots) == 32
    members = np.sort(batch(3, 32, 6))
    at = np.array([dot.at[0] for dot in dots])
    np.testing.assert_allclose(np.corrcoef(at, members)[0, 1], 1)


# Controls.


def test_the_batch_statistics_follow_their_controls():
    statistics = BatchStatistics()
    seen = [statistics.picture.value]
    for control, value in ((statistics.size, 2), (statistics.batch, 3), (statistics.unit, 5)):
        control.value = value
        seen.append(statistics.picture.value)
        assert seen[-1] != seen[-2]
    assert "Unit 5 on all 1197" in seen[-1] and "Mini-batch 3 of 2 images" in seen[-1]
    assert "Of two images one becomes nearly +1 and the other −1" in seen[-1]


def test_the_survived_rates_follow_their_controls():
    rates = RatesSurvived()
    share = 100 * train("He", True).accuracy[RATES.index(0.2)].mean()
    assert share > 90 and f"with batch norm {share:.0f} % right" in rates.picture.value
    rates.learning_rate.value = 10.0
    assert "without batch norm every run explodes" in rates.picture.value
    rates.weights.value = "std 0.01"
    assert "std 0.01 weights, learning rate 10" in rates.picture.value


def test_the_rates_say_that_they_train_once_for_each_setting():
    shown, seen = RatesSurvived(), []
    shown.picture.observe(lambda change: seen.append(change["new"]), "value")
    shown.weights.value = "std 0.01"
    shown.weights.value = "He"
    assert [text for text in seen if "svg" not in text] == [
        waiting("Training 78 small networks takes a few seconds.")
    ] and len(seen) == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: batch_statistics(3), "The batch size must be one of 2, 4, 8, 16, 32, 64, 128, 256, not 3."),
        (lambda: batch_statistics(512), "The batch size must be a whole number from 2 to 256, not 512."),
        (lambda: batch_statistics(unit=0), "The unit must be a whole number from 1 to 8, not 0."),
        (lambda: batch_statistics(batch=51), "The batch must be a whole number from 1 to 50, not 51."),
        (lambda: rates_survived(0.3), "The learning rate must be one of 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, "
         "0.2, 0.5, 1.0, 2.0, 5.0, 10.0, not 0.3."),
        (lambda: rates_survived(True), "The learning rate must be a number from 0.001 to 10, not True."),
        (lambda: rates_survived(weights="Xavier"), "The weights must be one of 'He', 'std 0.01', not 'Xavier'."),
    ],
)  # fmt: skip
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


@pytest.mark.parametrize(("make", "count"), [(BatchStatistics, 3), (RatesSurvived, 2)])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make, count):
    assert_named_controls(make().view, count)


# What reaches the page.


@pytest.mark.parametrize("show", [batch_statistics, rates_survived])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [batch_statistics, rates_survived])
def test_a_widget_shows_and_computes_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.delattr(sample_batches, "BatchStatistics")
    monkeypatch.delattr(try_rates, "RatesSurvived")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("batch_statistics()", "rates_survived()")
