"""The widgets of 08: their numbers against PyTorch, their pictures, their controls, and the page."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from course_utils.models import AlexNet, count_macs, count_parameters
from course_utils.widgets import (
    FilterRecord,
    account_alexnet,
    alexnet_accounting,
    first_layer_filters,
    watch_filters,
)
from course_utils.widgets.account_alexnet import AlexNetAccounting
from course_utils.widgets.account_alexnet import draw as draw_table
from course_utils.widgets.alexnet_numbers import LARGEST, SMALLEST, next_fit, table
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.filter_record import RECORDED, as_image, load, recorded
from course_utils.widgets.record_filters import record
from course_utils.widgets.watch_filters import MOST, SCALES, SHOWN, FirstLayerFilters
from course_utils.widgets.watch_filters import draw as draw_filters
from tests.widget_pictures import assert_drawn_well, assert_named_controls, assert_reaches_the_page

# The numbers of the table.


@pytest.mark.parametrize(
    ("width", "size", "groups", "classes"),
    [
        (1.0, 227, 2, 1000), (1.0, 227, 1, 1000), (1.0, 224, 2, 1000), (0.125, 99, 2, 10), (0.1875, 67, 1, 10),
        (0.0625, 130, 2, 10), (0.7, 331, 2, 1000),
    ],
)  # fmt: skip
def test_the_table_is_pytorchs(width, size, groups, classes):
    with torch.device("meta"):
        model = AlexNet(classes, groups, width, size)
    costs = table(width, size, groups, classes)
    own = {row.layer.name: row for row in costs.rows}
    assert costs.parameters == count_parameters(model)
    expected = count_macs(model, (3, size, size))
    assert {name: row.macs for name, row in own.items() if row.macs} == expected
    assert costs.macs == sum(expected.values())
    out = torch.zeros(1, 3, size, size, device="meta")
    for name, layer in model.named_children():
        out = layer(out)
        if name in own:
            assert own[name].shape == tuple(out.shape[1:]), name
    assert sum(name in own for name, _ in model.named_children()) == len(own) == 13


def test_the_papers_figures():
    grouped, alone = table(groups=2), table(groups=1)
    assert (grouped.parameters, alone.parameters) == (60_965_224, 62_378_344)
    assert grouped.rows[0].macs == 105_415_200 and grouped.rows[0].parameters == 34_944
    assert grouped.share("fc", "parameters") == pytest.approx(58_631_144 / 60_965_224)
    assert grouped.share("conv", "macs") == pytest.approx(1 - 58_621_952 / grouped.macs)
    # Outputs of the convolutions, the norms, the pools and the fully connected layers, in float32.
    values = 2 * 290_400 + 69_984 + 2 * 186_624 + 43_264 + 2 * 64_896 + 43_264 + 9_216 + 4096 + 4096 + 1000
    assert grouped.memory == 4 * values


@pytest.mark.parametrize("size", [67, 68, 97, 99, 100, 131, 224, 227, 229])
def test_the_unread_pixels_change_nothing_and_the_next_ones_do(size):
    torch.manual_seed(0)
    model = AlexNet(10, 2, 1 / 16, size, activation="tanh").double().eval()
    unread = table(1 / 16, size, 2, 10).unread
    image = torch.randn(1, 3, size, size, dtype=torch.float64)
    with torch.no_grad():
        before = model(image)
        for cut, same in ((unread, True), (unread + 1, False)):
            changed = image.clone()
            changed[:, :, size - cut :] += 100.0
            changed[:, :, :, size - cut :] += 100.0
            assert torch.equal(model(changed), before) is same, cut


def test_a_size_in_32_fits():
    exact = [size for size in range(SMALLEST, LARGEST + 1) if not any(row.rest for row in table(0.1, size).rows)]
    assert exact == list(range(67, 332, 32))
    assert all(table(0.1, size).unread == 0 for size in exact)
    assert [next_fit(size) for size in (67, 68, 99, 224, 227)] == [67, 99, 99, 227, 227]


# The numbers of the filters.


def made_up(count=12, moments=4, losses=True, side=11, **settings):
    """A record of filters that drift away from where they began."""
    rng = np.random.default_rng(count)
    made = FilterRecord(**settings)
    first, drift = rng.normal(0, 0.1, (2, count, 3, side, side))
    for k in range(moments):
        made.add(first + k * drift, 100 * k, 2.3 / (1 + k) if losses else None, 0.9 / (1 + k) if losses else None)
    return made


def test_a_record_keeps_copies_of_the_first_layer():
    model = AlexNet(10, width=0.0625, image_size=67)
    kept = FilterRecord()
    kept.add(model, 0)
    first = model.conv1.weight.detach().clone()
    with torch.no_grad():
        model.conv1.weight.mul_(-2)
    kept.add(model.bfloat16(), 5, 1.5, 0.25)
    np.testing.assert_array_equal(kept.filters[0], first.numpy())
    np.testing.assert_allclose(kept.filters[1], -2 * first.numpy(), rtol=2**-7)
    assert kept.updates == [0, 5] and kept.losses[1] == 1.5 and kept.validation_errors[1] == 0.25
    assert np.isnan(kept.losses[0]) and np.isnan(kept.validation_errors[0])
    np.testing.assert_allclose(kept.moved(1), 3, rtol=0.01)
    assert kept.moved_together(1) == pytest.approx(3, rel=0.01) and kept.moved_together(0) == 0


def test_conv1_is_taken_wherever_it_stands():
    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.other = torch.nn.Conv2d(3, 2, 3)
            self.conv1 = torch.nn.Conv2d(3, 4, 5)

    kept = FilterRecord()
    kept.add(Odd(), 0)
    assert kept.filters[0].shape == (4, 3, 5, 5)
    unnamed = FilterRecord()
    unnamed.add(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 7), torch.nn.Conv2d(2, 4, 3)), 0)
    assert unnamed.filters[0].shape == (2, 3, 7, 7)


def test_how_far_a_filter_has_moved():
    kept = FilterRecord()
    first = np.zeros((4, 3, 2, 2))
    first[0, 0, 0, 0], first[1, 0, 0, 0] = 2.0, 1.0
    now = first.copy()
    now[0, 1, 1, 1], now[2, 0, 0, 0] = 3.0, 4.0
    kept.add(first, 0)
    kept.add(now, 1)
    np.testing.assert_allclose(kept.moved(1), [1.5, 0, np.inf, 0])
    assert kept.moved_together(1) == pytest.approx(5 / np.sqrt(5))
    zero = FilterRecord()
    for update, weights in enumerate((first * 0, first * 0, now)):
        zero.add(weights, update)
    assert [zero.moved_together(k) for k in range(3)] == [0, 0, np.inf]


def test_a_record_is_kept_in_a_file(tmp_path):
    made = made_up(title="a made-up run", unit="epoch")
    made.losses[0] = np.nan
    made.save(tmp_path / "run.npz")
    again = load(tmp_path / "run.npz")
    assert (again.updates, again.unit, again.title) == (made.updates, "epoch", "a made-up run")
    np.testing.assert_allclose(again.losses, made.losses, rtol=1e-6)
    np.testing.assert_allclose(again.validation_errors, made.validation_errors, rtol=1e-6)
    for ours, theirs in zip(again.filters, made.filters, strict=True):
        largest = np.abs(theirs).max(axis=(1, 2, 3), keepdims=True)
        assert (np.abs(ours - theirs) <= largest / 253).all() and ours.dtype == np.float32


def test_the_recorded_run_is_small_and_learns():
    assert RECORDED.stat().st_size < 200_000
    run = recorded()
    assert run.updates[0] == 0 and len(run.updates) >= 20 and run.filters[0].shape[1:] == (3, 11, 11)
    assert np.isfinite(run.losses).all() and run.losses[-1] < 0.7 * run.losses[0]
    assert run.validation_errors[0] > 0.8 and run.validation_errors[-1] < 0.15
    assert run.moved_together(len(run.updates) - 1) > 0.1 and "AlexNet of width" in run.title


def test_a_run_is_recorded(tmp_path):
    kept = record(size=67, width=1 / 16, images=96, epochs=2)
    assert kept.updates == [0, 3, 4, 6] and kept.filters[0].shape == (6, 3, 11, 11)
    assert np.isfinite(kept.losses).all() and all(0 <= error <= 1 for error in kept.validation_errors)
    assert kept.moved(3).min() > 0


def test_weights_as_colours():
    weights = np.array([-2.0, 0.0, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(as_image(weights, 2.0), [0, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(as_image(np.zeros(3), 0.0), 0.5)


@pytest.mark.parametrize(
    ("add", "says"),
    [
        (
            lambda made: made.add(np.zeros((12, 3, 11, 11)), 300),
            "The updates of a record must rise: 300 came after 300.",
        ),
        (
            lambda made: made.add(np.zeros((6, 3, 11, 11)), 400),
            "The filters were (12, 3, 11, 11) at first and are (6, 3, 11, 11) now.",
        ),
        (
            lambda made: made.add(np.zeros((4, 1, 5, 5)), 400),
            "Filters of colour images are (F, 3, k, k), not (4, 1, 5, 5).",
        ),
        (
            lambda made: made.add(torch.nn.Linear(3, 3), 400),
            "This model has no convolution, so it has no filters to record.",
        ),
        (
            lambda made: made.add(np.full((12, 3, 11, 11), np.nan), 400),
            "The filters hold weights that are infinite or no numbers: the run has diverged.",
        ),
        (
            lambda made: first_layer_filters(made_up(moments=1)),
            "A record is shown from two snapshots on; this one has 1.",
        ),
        (lambda made: first_layer_filters([1, 2]), "The snapshots must be a FilterRecord, not list."),
        (
            lambda made: first_layer_filters(made, "update"),
            "What to show must be one of 'weights', 'change', not 'update'.",
        ),
        (
            lambda made: first_layer_filters(made, scale="own"),
            "The scale must be one of 'each its own', 'one for all', not 'own'.",
        ),
        (lambda made: alexnet_accounting(0.01), "The width must be a number from 0.0625 to 1, not 0.01."),
        (lambda made: alexnet_accounting(1, 66), "The image size must be a whole number from 67 to 331, not 66."),
        (
            lambda made: alexnet_accounting(groups=3),
            "The number of groups must be a whole number from 1 to 2, not 3.",
        ),
        (lambda made: alexnet_accounting(num_classes=100), "The number of classes must be one of 10, 1000, not 100."),
        (lambda made: alexnet_accounting(batch=2.5), "The batch must be a whole number from 1 to 1024, not 2.5."),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(add, says):
    made = made_up()
    with pytest.raises(WidgetError) as caught:
        add(made)
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]
    assert len(made.updates) == len(made.filters) == len(made.losses) == len(made.validation_errors) == 4


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for size, (width, groups), batch in product((67, 68, 101, 224, 227, 331), ((1.0, 2), (1 / 16, 1)), (1, 1024)):
        yield f"table {size} {width} {batch}", draw_table(table(width, size, groups, 1000), batch)
    run = recorded()
    for moment, show, scale in product((0, 1, len(run.updates) - 1), SHOWN, SCALES):
        yield f"recorded {moment} {show} {scale}", draw_filters(run, moment, show, scale)
    for count in (1, 5, 24, 96):
        yield f"{count} filters", draw_filters(made_up(count, 2, side=3, unit="epoch"), 1, SHOWN[0], SCALES[1])
    yield "no losses", draw_filters(made_up(losses=False), 2, SHOWN[0], SCALES[0])
    partly = made_up()
    partly.losses[:] = [np.nan] * 4
    yield "errors only", draw_filters(partly, 2, SHOWN[0], SCALES[0])


def test_every_picture_is_valid_and_keeps_its_text_inside():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_the_words_of_the_table():
    fits, cut = (draw_table(table(image_size=size), 128).alt for size in (227, 224))
    assert "227 pixels fit: every output size is a whole number." in fits
    assert "Total: 60,965,224 parameters, 724,406,816 multiply–accumulates." in fits
    assert "Fully connected layers have 96.2 % of the parameters, convolutions 91.9 % of the arithmetic." in fits
    assert "With one group: 62,378,344 parameters" in fits
    assert "224 pixels do not fit conv1, pool1, pool2 and pool5. 195 and 227 pixels fit." in cut
    assert "conv1: (224 − 11)/4 + 1 = 54.25 is rounded down." in cut
    assert "The image's last 5 rows and columns change nothing in the result." in cut
    assert "conv1 gives 96×55×55, 34,944 parameters, 105,415,200 multiply–accumulates" in fits


def test_the_words_of_the_filters():
    made = made_up(title="a made-up run")
    first, last = (draw_filters(made, moment, SHOWN[0], SCALES[0]).alt for moment in (0, 3))
    assert "12 filters of 11×11 pixels, after 0 updates." in first and "The beginning, with which" in first
    assert "Training loss: 0.575. Validation error: 22.5 %." in last
    assert f"have moved by {100 * made.moved_together(3):.3g} % of the length" in last
    assert "the first 48 of 96 filters" in draw_filters(made_up(96, side=3), 1, SHOWN[0], SCALES[0]).alt and MOST == 48
    assert "No losses were recorded." in draw_filters(made_up(losses=False), 1, SHOWN[0], SCALES[0]).alt
    made.losses[2] = np.nan
    assert "Training loss: not recorded." in draw_filters(made, 2, SHOWN[0], SCALES[0]).alt
    still = FilterRecord()
    for update in range(2):
        still.add(made.filters[0], update)
    assert "The filters have not moved" in draw_filters(still, 1, SHOWN[0], SCALES[0]).alt
    from_zero = FilterRecord()
    for update in range(2):
        from_zero.add(update * made.filters[0], update)
    assert "have left the zeros" in draw_filters(from_zero, 1, SHOWN[0], SCALES[0]).alt


# Controls.


def test_the_filters_follow_their_controls():
    shown = FirstLayerFilters(made_up())
    assert shown.moment.description == "Update" and "after 300 updates" in shown.picture.value
    seen = {shown.picture.value}
    for moment, show, scale in ((0, 0, 0), (0, 0, 1), (2, 0, 1), (2, 1, 1), (2, 1, 0)):
        shown.moment.value, shown.show.value, shown.scale.value = moment, SHOWN[show], SCALES[scale]
        assert f"after {100 * moment} updates" in shown.picture.value and shown.picture.value not in seen
        seen.add(shown.picture.value)
    assert "Grey is no change since the beginning" in shown.picture.value
    assert "as far as its largest value" in shown.picture.value
    assert FirstLayerFilters(made_up(unit="epoch")).moment.description == "Epoch"


def test_the_table_follows_its_controls():
    shown = AlexNetAccounting()
    assert "60,965,224 parameters" in shown.picture.value
    shown.groups.value = 1
    assert "Total: 62,378,344 parameters" in shown.picture.value
    shown.batch.value = 64
    assert "Activations of 64 images take 322 MB" in shown.picture.value
    shown.width.value, shown.image_size.value, shown.num_classes.value, shown.groups.value = 0.125, 99, 10, 2
    assert "width 0.125 on images of 99 pixels, two groups, 10 classes" in shown.picture.value
    assert f"Total: {table(0.125, 99, 2, 10).parameters:,} parameters" in shown.picture.value


@pytest.mark.parametrize(("make", "count"), [(FirstLayerFilters, 3), (AlexNetAccounting, 5)])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make, count):
    assert_named_controls(make().view, count)


# What reaches the page.


@pytest.mark.parametrize("show", [first_layer_filters, alexnet_accounting])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [first_layer_filters, alexnet_accounting])
def test_a_widget_shows_and_computes_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.delattr(watch_filters, "FirstLayerFilters")
    monkeypatch.delattr(account_alexnet, "AlexNetAccounting")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("first_layer_filters()", "alexnet_accounting()")
