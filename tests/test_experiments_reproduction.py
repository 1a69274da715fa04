"""The small reproductions of AlexNet's experiments: what is counted, compared and repeated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils.experiments import activations
from course_utils.experiments.activations import Race, relu_against_tanh
from course_utils.experiments.reproduction import VARIANTS, Ablation, Row, ablation, start
from course_utils.experiments.reproduction_pictures import draw_ablation, draw_race
from course_utils.models import AlexNet

TINY = {"seeds": (0, 1), "train": 20, "test": 20, "epochs": 1}
SHORT = {"train": 30, "goal": 0.7, "most_epochs": 3}
FULL, _, _, NO_DROPOUT, NO_FC7, SHALLOW = VARIANTS


def made_up(*errors):
    """An ablation with these test errors, a row for each."""
    rows = zip(VARIANTS, errors, strict=False)
    return Ablation(tuple(Row(variant, 1, 1, np.array(each), np.array(each)) for variant, each in rows))


@pytest.fixture(scope="module")
def small():
    told = []
    found = ablation(variants=(FULL, NO_DROPOUT, NO_FC7), progress=lambda *at: told.append(at), **TINY)
    return found, told


@pytest.fixture(scope="module")
def race():
    return relu_against_tanh(seeds=(0, 1), rates={"relu": (0.005, 0.02), "tanh": (0.01, 0.02)}, **SHORT)


def test_parameters_are_those_of_each_variant_small_and_at_full_size(small):
    full, no_dropout, no_fc7 = small[0].rows
    assert full.full_size == no_dropout.full_size == 60_965_224
    assert full.full_size - no_fc7.full_size == 4096 * 4096 + 4096  # the lecture's 16 million
    # conv1 8 maps of 7×7, conv2 21, conv3 and conv4 32, conv5 21, which end at 1×1; fc6 and fc7 341, four classes
    convolutions = 8 * 148 + 21 * (8 * 25 + 1) + 32 * (21 * 9 + 1) + 32 * (32 * 9 + 1) + 21 * (32 * 9 + 1)
    assert full.parameters == convolutions + 341 * (21 + 1) + 341 * 342 + 4 * 342
    assert full.parameters - no_fc7.parameters == 341 * 342


def test_a_run_has_errors_for_each_seed_and_tells_its_progress(small):
    found, told = small
    assert told == [(done, 6) for done in range(1, 7)]
    for row in found.rows:
        assert row.test_errors.shape == row.train_errors.shape == (2,)
        assert (row.test_errors >= 0.2).all() and (row.test_errors <= 1).all()


def test_the_numbers_are_the_same_whatever_runs_beside_them(small):
    again = ablation(variants=(FULL,), workers=1, **TINY)
    np.testing.assert_array_equal(again.rows[0].test_errors, small[0].rows[0].test_errors)
    np.testing.assert_array_equal(again.rows[0].train_errors, small[0].rows[0].train_errors)


def test_pytorchs_generator_and_threads_are_left_alone():
    torch.manual_seed(5)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(5)
    ablation(variants=(FULL,), **TINY)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_the_network_learns_its_images():
    found = ablation(seeds=(0, 1), variants=(SHALLOW,), train=25, test=25, epochs=20)
    assert found.rows[0].train_errors.max() < 0.5  # guessing gives 0.75


def test_differences_are_taken_seed_by_seed_and_judged_against_their_error():
    found = made_up([0.2, 0.3, 0.4], [0.3, 0.4, 0.51], [0.1, 0.3, 0.52], [0.1, 0.21, 0.3])
    mean, error = found.difference(found.rows[1])
    assert mean == pytest.approx(0.31 / 3) and error == pytest.approx(np.std([0.1, 0.1, 0.11], ddof=1) / 3**0.5)
    assert found.margin(found.rows[1]) == pytest.approx(error * 4.303, rel=1e-3)  # Student's t, two degrees of freedom
    verdicts = [found.verdict(row) for row in found.rows[1:]]
    assert [each.split()[0] for each in verdicts] == ["Worse", "These", "Better"]


def test_hidden_layers_start_from_he_and_the_last_from_the_paper():
    model = start(lambda: AlexNet(4, 1, 1 / 4, 32), torch.Generator().manual_seed(0))
    assert model.fc8.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert model.conv4.weight.std().item() == pytest.approx((2 / (96 * 9)) ** 0.5, rel=0.05)
    assert not any(layer.bias.any() for layer in model if hasattr(layer, "bias"))


def test_a_curve_reaches_the_goal_between_two_epochs():
    assert activations._epochs(np.array([0.6, 0.3, 0.2, np.nan]), 0.25) == pytest.approx(2.0)
    assert activations._epochs(np.array([0.2, np.nan]), 0.25) == 0.5
    assert activations._epochs(np.array([0.6, 0.3, 0.26]), 0.25) == np.inf


def test_the_best_rate_is_each_activations_own():
    reached = {"relu": np.array([[9, 9.0], [4, 2.0], [3, np.inf]]), "tanh": np.array([[8, 8.0], [9, 9.0], [9, 9.0]])}
    race = Race({"relu": (0.1, 0.2, 0.3), "tanh": (0.1, 0.2, 0.3)}, 0.25, {}, reached)
    assert (race.best("relu"), race.best("tanh")) == (1, 0)
    assert race.factors() == pytest.approx([2, 4])
    assert race.at_the_edge("tanh") and not race.at_the_edge("relu")


def test_the_race_stops_at_its_goal_and_repeats_itself(race):
    for name in activations.ACTIVATIONS:
        assert race.curves[name].shape == (2, 2, 3) and race.reached[name].shape == (2, 2)
        for curve, reached in zip(race.curves[name].reshape(-1, 3), race.reached[name].ravel(), strict=True):
            seen = curve[~np.isnan(curve)]
            assert (seen[:-1] > 0.7).all() and np.isfinite(reached) == (seen[-1] <= 0.7)
    again = relu_against_tanh(seeds=(1,), rates={"relu": (), "tanh": (0.02,)}, workers=1, **SHORT)
    np.testing.assert_array_equal(again.curves["tanh"][0, 0], race.curves["tanh"][1, 1])
    assert not np.array_equal(race.curves["relu"][0, 0], race.curves["tanh"][0, 0])


def test_the_pictures_name_every_variant_and_both_activations(small, race):
    left = draw_ablation(small[0]).axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == [row.variant.name for row in small[0].rows]
    legend = draw_race(race).axes[1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["ReLU, median", "tanh, median"]


def test_with_one_rate_for_each_activation_only_the_curves_are_drawn(race):
    rates, curves, reached = (
        {name: values[:1] for name, values in part.items()} for part in (race.rates, race.curves, race.reached)
    )
    (axis,) = draw_race(Race(rates, race.goal, curves, reached)).axes
    shown = [text.get_text() for text in axis.get_legend().get_texts()]
    assert shown == [f"ReLU, rate {race.rates['relu'][0]:g}", f"tanh, rate {race.rates['tanh'][0]:g}"]
