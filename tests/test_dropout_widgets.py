"""The widgets of 05: their numbers by enumeration and against PyTorch, their pictures, controls and pages."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from course_utils.data import load_digits
from course_utils.experiments.regularized import BATCH, HIDDEN, MOMENTUM, RATE, few_examples, standardized
from course_utils.experiments.side_by_side import start
from course_utils.widgets import dropout_gap, dropout_runs, thin_networks, thinned_networks, watch_gap
from course_utils.widgets.display import waiting
from course_utils.widgets.dropout_runs import EPOCHS, EVERY, PROBABILITIES, RUNS, train
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.thin_networks import COUNTS, ThinnedNetworks
from course_utils.widgets.thin_networks import draw as draw_thinned
from course_utils.widgets.thinned import INPUT, SAMPLES, WEIGHT1, WEIGHT2, WHERE, output, thinned
from course_utils.widgets.watch_gap import DropoutGap
from course_utils.widgets.watch_gap import draw as draw_gap
from tests.widget_pictures import assert_drawn_well, assert_named_controls, assert_reaches_the_page

# The numbers of the thinned networks.


@pytest.mark.parametrize("where", WHERE)
def test_a_thinned_network_is_pytorchs_with_the_same_mask(where):
    mask, p = np.array([True, False, True, True, False])[: WHERE[where]], 0.3
    x, first, second = (torch.tensor(each) for each in (INPUT, WEIGHT1, WEIGHT2))
    scale = torch.tensor(mask / (1 - p))
    hidden = torch.relu(torch.nn.functional.linear(x * scale if where == "inputs" else x, first))
    expected = torch.dot(hidden * scale if where == "hidden units" else hidden, second)
    assert output(where, mask[None], p)[0] == pytest.approx(expected.item())


@pytest.mark.parametrize(("where", "p"), list(product(WHERE, (0.0, 0.2, 0.9))))
def test_the_samples_are_fair_and_their_average_comes_to_the_mean(where, p):
    now = thinned(where, p, 1)
    assert len(now.outputs) == 2 ** WHERE[where] and now.probabilities.sum() == pytest.approx(1)
    kept = now.masks.mean(axis=0)
    # Six standard errors are left once in 500 million times; the draws are fixed anyway.
    assert np.abs(kept - (1 - p)).max() <= 6 * np.sqrt(p * (1 - p) / SAMPLES)
    assert abs(now.averages[-1] - now.mean) <= 6 * now.std / np.sqrt(SAMPLES) + 1e-12
    assert now.sampled.std() == pytest.approx(now.std, rel=0.15, abs=1e-12)
    np.testing.assert_allclose(now.averages[:3], [now.sampled[: n + 1].mean() for n in range(3)])


def test_scaling_is_exact_after_the_last_relu_and_not_before_it():
    for p in (0.1, 0.5, 0.9):
        behind, before = thinned("hidden units", p, 1), thinned("inputs", p, 1)
        assert behind.mean == pytest.approx(behind.scaled)
        assert abs(before.mean - before.scaled) > 0.02
    by_hand = sum(w * max(0.0, float(row @ INPUT)) for w, row in zip(WEIGHT2, WEIGHT1, strict=True))
    assert behind.scaled == pytest.approx(by_hand)


# The numbers of the gap.


def test_without_dropout_a_run_is_an_ordinary_training():
    """The first column of run 2, by PyTorch on the same images, start and order."""
    data, run, examples = load_digits(), 2, 100
    x, labels = (torch.tensor(each[run]) for each in few_examples(data, range(RUNS), examples))
    weight1, bias1, weight2, bias2 = (
        torch.tensor(each[run], dtype=torch.float32, requires_grad=True)
        for each in start(range(RUNS), (64, HIDDEN, 10))
    )
    sgd = torch.optim.SGD([weight1, bias1, weight2, bias2], lr=RATE, momentum=MOMENTUM)
    rng = np.random.default_rng(99)

    def scores(images):
        return torch.relu(images @ weight1.T + bias1) @ weight2.T + bias2

    for _ in range(EVERY):
        order = rng.permutation(examples)
        for first in range(0, examples, BATCH):
            rows = order[first : first + BATCH]
            rng.random((RUNS, len(rows), weight1.shape[0]), dtype=np.float32)  # drawn, and with p = 0 without effect
            sgd.zero_grad()
            torch.nn.functional.cross_entropy(scores(x[rows]), labels[rows]).backward()
            sgd.step()
    unseen = torch.tensor(standardized(data, data.validation))
    wrong = (scores(unseen).argmax(1).numpy() != data.validation.labels).mean()
    assert train(examples, 0.0).unseen[0, 0, run] == pytest.approx(wrong, abs=0.004)


def test_every_run_and_probability_has_its_errors():
    training = train(200, 0.2)
    assert training.train.shape == training.unseen.shape == (EPOCHS // EVERY, len(PROBABILITIES), RUNS)
    assert training.train.min() >= 0 and training.unseen.max() <= 1


def test_dropout_closes_the_gap_where_labels_are_wrong():
    training = train(200, 0.2)
    gap = (training.unseen[-1] - training.train[-1]).mean(axis=1)
    assert gap[0] > 0.15 and gap[PROBABILITIES.index(0.8)] < 0.08
    unseen = training.unseen[-1].mean(axis=1)
    assert unseen[PROBABILITIES.index(0.8)] < unseen[0] - 0.03  # and helps on unseen images
    assert training.train[-1].mean(axis=1)[-1] > 0.2  # with most units gone not even the training set is learned


def test_dropping_divides_what_it_keeps_by_the_share_it_keeps():
    rng = np.random.default_rng(0)
    p = np.repeat(np.array([0.0, 0.8], np.float32), RUNS)[:, None, None]
    out, scaled_mask = dropout_runs._drop(np.ones((2 * RUNS, 50, 40), np.float32), p, rng)
    assert (out == scaled_mask).all() and (out[:RUNS] == 1).all()
    np.testing.assert_allclose(np.unique(out[RUNS:]), [0, 5], rtol=1e-6)
    assert out[RUNS:].mean() == pytest.approx(1, abs=0.2)


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for where, p, samples, draw in product(WHERE, (0.0, 0.35, 0.9), (COUNTS[0], 50, COUNTS[-1]), (1, 10)):
        yield f"thinned {where} {p} {samples} {draw}", draw_thinned(where, p, samples, draw)
    for p, (examples, wrong) in product((0.0, 0.5, 0.9), (("100", "none"), ("200", "20 %"))):
        yield f"gap {p} {examples} {wrong}", draw_gap(p, examples, wrong)


def test_every_picture_is_valid_and_keeps_its_text_inside():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_the_dropped_units_are_crossed_out():
    mask = thinned("hidden units", 0.4, 1).masks[19]
    crosses = [i for i in draw_thinned("hidden units", 0.4, 20, 1).items if getattr(i, "width", 0) == 2.4]
    assert len(crosses) == 2 * (~mask).sum() > 0


# Controls.


def test_the_thinned_networks_follow_their_controls():
    shown = ThinnedNetworks()
    seen = [shown.picture.value]
    assert "exactly the mean, for nothing bends after the dropped units" in seen[0]
    for control, value in (
        (shown.drop_probability, 0.7), (shown.where, "inputs"), (shown.samples, 1000), (shown.draw, 3),
    ):  # fmt: skip
        control.value = value
        seen.append(shown.picture.value)
        assert seen[-1] != seen[-2]
    assert "Average of 1000: " in seen[-1] and "for ReLUs come after what is dropped" in seen[-1]


def test_the_gap_follows_its_controls():
    shown = DropoutGap()
    seen = [shown.picture.value]
    for control, value in ((shown.drop_probability, 0.8), (shown.examples, "100"), (shown.wrong, "none")):
        control.value = value
        seen.append(shown.picture.value)
        assert seen[-1] != seen[-2]
    assert "100 training images, all labels right" in seen[-1] and "p = 0.8: " in seen[-1]


def test_the_gap_says_that_it_trains_once_for_each_setting():
    shown, seen = DropoutGap(), []
    shown.picture.observe(lambda change: seen.append(change["new"]), "value")
    shown.wrong.value = "none"
    shown.wrong.value = "20 %"
    assert [text for text in seen if "svg" not in text] == [
        waiting("Training 40 small networks takes a few seconds.")
    ] and len(seen) == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: thinned_networks(1.0), "The drop probability must be a number from 0 to 0.9, not 1.0."),
        (lambda: thinned_networks(where="outputs"), "What is dropped must be one of 'hidden units', 'inputs', not "
         "'outputs'."),
        (lambda: thinned_networks(samples=4), "The number of samples must be one of 1, 2, 3, 5, 10, 20, 50, 100, 200, "
         "500, 1000, 2000, 5000, not 4."),
        (lambda: thinned_networks(draw=0), "The draw must be a whole number from 1 to 10, not 0."),
        (lambda: dropout_gap(0.25), "The drop probability must be one of 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, "
         "0.9, not 0.25."),
        (lambda: dropout_gap(examples=200), "The number of training images must be one of '100', '200', '500', not "
         "200."),
        (lambda: dropout_gap(wrong_labels="50 %"), "The share of wrong labels must be one of 'none', '20 %', not "
         "'50 %'."),
    ],
)  # fmt: skip
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


@pytest.mark.parametrize(("make", "count"), [(ThinnedNetworks, 4), (DropoutGap, 3)])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make, count):
    assert_named_controls(make().view, count)


# What reaches the page.


@pytest.mark.parametrize("show", [thinned_networks, dropout_gap])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [thinned_networks, dropout_gap])
def test_a_widget_shows_and_computes_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.delattr(thin_networks, "ThinnedNetworks")
    monkeypatch.delattr(watch_gap, "DropoutGap")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("thinned_networks()", "dropout_gap()")
