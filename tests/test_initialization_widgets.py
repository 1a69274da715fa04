"""The widgets of 03: their numbers against PyTorch, their pictures, their controls, and what reaches the page."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.widgets import dead_relus, dead_units, find_dead, layer_histograms, layer_signals, watch_layers
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.find_dead import DeadUnits
from course_utils.widgets.find_dead import draw as draw_units
from course_utils.widgets.layer_signals import ACTIVATIONS, BINS, ERRORS, SCHEMES, per_layer, signals
from course_utils.widgets.watch_layers import LayerHistograms
from course_utils.widgets.watch_layers import draw as draw_layers
from tests.widget_pictures import assert_drawn_well, assert_named_controls, assert_reaches_the_page

RAW, CENTRED = dead_relus.INPUTS


def stds(layers):
    return [layer.std for layer in layers]


# The numbers of the layer histograms.


def in_torch(name, scheme, gain, depth):
    """The activations of every layer and the errors at its pre-activations, by PyTorch's autograd."""
    phi = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu}[name]
    weights, inputs, grad_out = map(torch.tensor, layer_signals.draws())
    h, before, after = inputs, [], []
    for weight in weights[:depth]:
        before.append((h @ (gain * SCHEMES[scheme] * weight).T).requires_grad_())
        h = phi(before[-1])
        after.append(h)
    return [h.detach().numpy() for h in after], [
        error.numpy() for error in torch.autograd.grad(h, before, grad_outputs=grad_out)
    ]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("scheme", "gain", "depth"), [("Xavier", 1.0, 12), ("std 1", 0.3, 3), ("He", 2.5, 5)])
def test_signals_are_pytorchs(name, scheme, gain, depth):
    now = signals(name, scheme, gain, depth)
    activations, errors = in_torch(name, scheme, gain, depth)
    assert len(now.forward) == len(now.backward) == depth
    for axis, ours, theirs in (
        (ACTIVATIONS[name][3], now.forward, activations),
        (ERRORS, now.backward, errors),
    ):
        np.testing.assert_allclose(stds(ours), [values.std() for values in theirs], rtol=1e-8)
        for signal, values in zip(ours, theirs, strict=True):
            counts = [(values < axis[0]).sum(), *np.histogram(values, BINS, axis)[0], (values > axis[1]).sum()]
            # A value on the edge of two bins may be rounded into either.
            np.testing.assert_allclose(signal.shares, np.array(counts) / values.size, atol=2 / values.size)
            assert signal.shares.sum() == pytest.approx(1)


def test_the_lectures_experiment_is_one_setting():
    lecture = [0.213081, 0.047551, 0.010630, 0.002378, 0.000532, 0.000119]
    now = signals("tanh", "std 0.01", 1.0, 10)
    np.testing.assert_allclose(stds(now.forward)[:6], lecture, rtol=0.05)
    assert now.weight_std == 0.01 and layer_signals.WIDTH == 500


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_a_gain_acts_once_per_layer_where_the_activation_is_homogeneous(name):
    one, other = signals(name, "Xavier", 1.0, 20), signals(name, "Xavier", 0.7, 20)
    layer = np.arange(1, 21)
    np.testing.assert_allclose(stds(other.forward), stds(one.forward) * 0.7**layer, rtol=1e-9)
    np.testing.assert_allclose(stds(other.backward), stds(one.backward) * 0.7 ** (20 - layer), rtol=1e-9)


def test_he_keeps_relu_where_xavier_halves_its_variance():
    for scheme, factor in (("He", 1.0), ("Xavier", 0.5**0.5)):
        now = signals("relu", scheme, 1.0, 20)
        assert per_layer(stds(now.forward)) == pytest.approx(factor, rel=0.04)
        assert per_layer(stds(now.backward)[::-1]) == pytest.approx(factor, rel=0.04)


def test_a_deeper_network_begins_with_the_same_layers():
    short, long = signals("elu", "He", 0.9, 4), signals("elu", "He", 0.9, 9)
    assert stds(long.forward)[:4] == stds(short.forward)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_flat_counts_the_small_slopes(name):
    z = torch.linspace(-60, 60, 100_001, dtype=torch.float64, requires_grad=True)
    phi = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu}[name]
    (slope,) = torch.autograd.grad(phi(z).sum(), z)
    weights, inputs, _ = layer_signals.draws()
    values = 2.0 * SCHEMES["Xavier"] * inputs @ weights[0].T
    at = np.interp(values, z.detach().numpy(), slope.numpy())
    assert signals(name, "Xavier", 2.0, 1).flat == pytest.approx(np.mean(at < slope.max().item() / 10), abs=1e-3)


@pytest.mark.parametrize(("name", "scheme", "gain"), list(product(ACTIVATIONS, SCHEMES, (0.1, 3.0))))
def test_every_setting_has_numbers_that_can_be_drawn_on_a_logarithmic_axis(name, scheme, gain):
    now = signals(name, scheme, gain, layer_signals.MOST)
    for layer in (*now.forward, *now.backward):
        assert np.isfinite(layer.std) and layer.std > 0


# The numbers of the dead units.


def trained_in_torch(rate, inputs, run, steps):
    """Loss, and the hidden layers' activations on all training images, before each of `steps` and after the last."""
    pixels, labels = map(torch.tensor, dead_relus.images(inputs))
    made, rows = dead_relus.start(run)
    layers = [torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64) for weight in made]
    with torch.no_grad():
        for layer, weight in zip(layers, made, strict=True):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.zero_()
    sgd = torch.optim.SGD([p for layer in layers for p in layer.parameters()], lr=rate)

    def forward(x):
        first = F.relu(layers[0](x))
        second = F.relu(layers[1](first))
        return first, second, layers[2](second)

    for step in range(steps + 1):
        with torch.no_grad():
            *hidden, scores = forward(pixels)
            yield F.cross_entropy(scores, labels).item(), [h.numpy() for h in hidden]
        if step < steps:
            loss = F.cross_entropy(forward(pixels[rows[step]])[-1], labels[rows[step]])
            sgd.zero_grad()
            loss.backward()
            sgd.step()


@pytest.mark.parametrize(("rate", "inputs", "steps"), [(0.1, RAW, 40), (1.0, CENTRED, 20), (3.2, RAW, 9)])
@pytest.mark.parametrize("run", [0, 4])
def test_training_is_pytorchs(rate, inputs, steps, run):
    training = dead_relus.train(rate, inputs)
    for step, (loss, hidden) in enumerate(trained_in_torch(rate, inputs, run, steps)):
        if step not in training.steps:
            continue
        at = training.steps.index(step)
        assert training.loss[at, run] == pytest.approx(loss, rel=1e-6), step
        for layer, h in enumerate(hidden):
            np.testing.assert_allclose(training.fires[at, run, layer], (h > 0).mean(axis=0), atol=1e-12)


def test_dead_units_are_counted_as_by_brute_force():
    rate, run, step = 1.8, 2, 6
    *_, (_, hidden) = trained_in_torch(rate, RAW, run, step)
    counted = [sum(all(value == 0 for value in unit) for unit in h.T.tolist()) for h in hidden]
    training = dead_relus.train(rate, RAW)
    assert training.dead[training.steps.index(step), run].tolist() == counted and min(counted) > 0


@pytest.mark.parametrize("inputs", dead_relus.INPUTS)
def test_the_end_by_learning_rate_is_the_end_of_each_training(inputs):
    ends = dead_relus.dead_at_the_end(inputs)
    assert ends.shape == (len(dead_relus.RATES), dead_relus.RUNS)
    for rate in (0.01, 0.56):
        training = dead_relus.train(rate, inputs)
        np.testing.assert_allclose(ends[dead_relus.RATES.index(rate)], training.dead[-1].sum(-1) / 100)


@pytest.mark.parametrize("inputs", dead_relus.INPUTS)
def test_every_training_starts_alike_and_stays_finite(inputs):
    trainings = [dead_relus.train(rate, inputs) for rate in dead_relus.RATES]
    for training in trainings:
        assert np.isfinite(training.loss).all()
        np.testing.assert_array_equal(training.fires[0], trainings[0].fires[0])
        assert training.loss.shape == (21, 5) and training.fires.shape == (21, 5, 2, 50)


def test_the_first_layers_dead_stay_dead_and_the_seconds_may_come_back():
    came_back = 0
    for rate, inputs in product((0.1, 1.0, 5.6), dead_relus.INPUTS):
        dead = dead_relus.train(rate, inputs).fires == 0
        # A dead unit of layer 1 has no gradient; one of layer 2 may be revived by what layer 1 learns.
        assert not (dead[:-1, :, 0] & ~dead[1:, :, 0]).any()
        came_back += (dead[:-1, :, 1] & ~dead[1:, :, 1]).sum()
    assert came_back > 0


def test_large_steps_kill_and_centred_inputs_protect():
    raw, centred = (dead_relus.dead_at_the_end(inputs).mean(axis=1) for inputs in dead_relus.INPUTS)
    at = dead_relus.RATES.index
    assert raw[: at(0.56) + 1].max() < 0.1 and raw[at(1.8)] > 0.5 and raw[at(5.6)] > 0.9
    assert centred[: at(1.8) + 1].max() < 0.02 < centred[at(5.6)]
    # With all units of a layer dead only the last biases learn: no better than equal odds for ten digits.
    lost = dead_relus.train(5.6, RAW)
    assert lost.loss[-1].min() > np.log(10) - 0.05


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for name, scheme, gain, depth in product(ACTIVATIONS, SCHEMES, (0.1, 3.0), (1, 10, 20)):
        yield f"{name} {scheme} {gain} {depth}", draw_layers(name, scheme, gain, depth)
    for rate, inputs, step, run in product((0.01, 1.0, 5.6), dead_relus.INPUTS, (0, 3, 60), (1, 5)):
        yield f"{rate} {inputs} {step} {run}", draw_units(rate, inputs, step, run)


def test_every_picture_is_valid_and_keeps_its_text_inside():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_a_histogram_is_drawn_as_high_as_its_shares():
    shown = signals("sigmoid", "Xavier", 1.0, 1).forward[0].shares[1:-1]
    scene = draw_layers("sigmoid", "Xavier", 1.0, 1)
    bars = next(item for item in scene.items if getattr(item, "closed", False) and len(item.parts[0]) == 2 * BINS + 2)
    bottom = bars.parts[0][0][1]
    heights = np.array([bottom - y for _, y in bars.parts[0][1:-1:2]])
    np.testing.assert_allclose(heights / heights.max(), shown / shown.max(), atol=1e-9)


def test_the_map_crosses_out_the_dead():
    rate, step, run = 1.0, 60, 3
    dead = dead_relus.train(rate, RAW).dead[-1, run - 1]
    scene = draw_units(rate, RAW, step, run)
    crosses = sum(not item.closed and item.width == 2.2 for item in scene.items if hasattr(item, "closed"))
    assert crosses == 2 * (dead.sum() + 1)  # two strokes each, and one cross stands in the key
    assert f"Layer 1 has {dead[0]} dead units, layer 2 has {dead[1]}." in scene.alt


# Controls.


def test_the_histograms_follow_their_controls():
    histograms = LayerHistograms()
    assert "Forward, activations vanish: 0.213 →" in histograms.picture.value
    histograms.scheme.value = "Xavier"
    assert "Forward, activations shrink: 0.628 →" in histograms.picture.value
    histograms.scheme.value = "He"
    histograms.activation.value = "relu"
    assert "Forward, activations keep their size" in histograms.picture.value
    histograms.gain.value = 3.0
    assert "Forward, activations explode" in histograms.picture.value
    histograms.depth.value = 1
    assert "A network of 1 layer with 500 units" in histograms.picture.value


@pytest.mark.parametrize(
    ("name", "gain", "depth", "forward", "backward"),
    [
        ("relu", 1.30, 10, "shrink", "shrink"),  # 0.93 and 0.92 per layer
        ("relu", 1.41, 10, "keep their size", "keep their size"),  # what the notebook asks for: √2
        ("relu", 1.41, 20, "keep their size", "keep their size"),
        ("relu", 1.55, 10, "grow", "grow"),
        ("tanh", 3.00, 10, "keep their size", "grow"),
        ("sigmoid", 1.00, 3, "shrink", "vanish"),
        ("elu", 3.00, 20, "explode", "explode"),
    ],
)
def test_the_verdict_is_that_of_the_factor_per_layer(name, gain, depth, forward, backward):
    alt = draw_layers(name, "Xavier", gain, depth).alt
    assert f"Forward, activations {forward}: " in alt and f"Backward, errors {backward}: " in alt


def test_the_dead_units_follow_their_controls():
    units = DeadUnits()
    seen = [units.picture.value]
    for control, value in ((units.learning_rate, 5.6), (units.step, 3), (units.run, 2), (units.inputs, CENTRED)):
        control.value = value
        seen.append(units.picture.value)
        assert seen[-1] != seen[-2]
    training = dead_relus.train(5.6, CENTRED)
    assert f"Learning rate 5.6, after 3 steps: {training.dead[1, 1].sum()} of 100 hidden units" in seen[-1]
    units.step.value = 0
    assert "before the first step" in units.picture.value


def test_a_step_between_two_counts_shows_the_count_before():
    assert DeadUnits(step=59).step.value == 57


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: layer_histograms("gelu"), "The activation must be one of 'sigmoid', 'tanh', 'relu', 'leaky_relu', "
         "'elu', not 'gelu'."),
        (lambda: layer_histograms(scheme=1), "The scheme must be one of 'Xavier', 'He', 'std 0.01', 'std 1', not 1."),
        (lambda: layer_histograms(gain=0), "The gain must be a number from 0.1 to 3, not 0."),
        (lambda: layer_histograms(depth=21), "The depth must be a whole number from 1 to 20, not 21."),
        (lambda: dead_units(0.0), "The learning rate must be a number from 0.01 to 5.6, not 0.0."),
        (lambda: dead_units(True), "The learning rate must be a number from 0.01 to 5.6, not True."),
        (lambda: dead_units(0.5), "The learning rate must be one of 0.01, 0.018, 0.032, 0.056, 0.1, 0.18, 0.32, 0.56, "
         "1.0, 1.8, 3.2, 5.6, not 0.5."),
        (lambda: dead_units(inputs="raw"), "The inputs must be one of 'pixels 0 to 1', 'minus their mean', not 'raw'."),
        (lambda: dead_units(step=61), "The step must be a whole number from 0 to 60, not 61."),
        (lambda: dead_units(run=0), "The run must be a whole number from 1 to 5, not 0."),
    ],
)  # fmt: skip
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


@pytest.mark.parametrize("make", [LayerHistograms, DeadUnits])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make):
    assert_named_controls(make().view, 4)


# What reaches the page.


@pytest.mark.parametrize("show", [layer_histograms, dead_units])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [layer_histograms, dead_units])
def test_a_widget_shows_and_computes_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.delattr(watch_layers, "LayerHistograms")
    monkeypatch.delattr(find_dead, "DeadUnits")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("layer_histograms()", "dead_units()")
