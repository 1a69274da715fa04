"""The loop: the paper's update, the same images however the work is divided, records, rules and arguments."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from course_utils._training.plan import EpochPlan
from course_utils.train import (
    AlexNetSGD,
    Augmentation,
    EarlyStopping,
    PlateauRule,
    TrainingError,
    evaluate,
    fit,
)
from tests.training_runs import CROP, made_images, small_data, small_model, train


def weights(model):
    return torch.cat([each.detach().flatten() for each in model.parameters()])


def test_the_update_is_the_papers_also_when_the_rate_changes():
    rng = torch.Generator().manual_seed(0)
    parameters = [torch.randn(3, 4, generator=rng, dtype=torch.float64), torch.randn(5, generator=rng).double()]
    ours = [torch.nn.Parameter(each.clone()) for each in parameters]
    optimizer = AlexNetSGD(ours, lr=0.1)
    velocity = [torch.zeros_like(each) for each in parameters]
    for step in range(60):
        rate = 0.1 if step < 25 else 0.01 if step < 40 else 0.05
        optimizer.param_groups[0]["lr"] = rate
        for index, each in enumerate(parameters):
            gradient = torch.randn(each.shape, generator=rng, dtype=torch.float64)
            ours[index].grad = gradient.clone()
            velocity[index] = 0.9 * velocity[index] - 0.0005 * rate * each - rate * gradient
            each += velocity[index]
        optimizer.step()
        if step == 30:  # a copy that has been through a checkpoint goes on in the same way
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = AlexNetSGD(ours, lr=1.0)
            optimizer.load_state_dict(state)
    for own, each in zip(ours, parameters, strict=True):
        torch.testing.assert_close(own.detach(), each, rtol=1e-12, atol=1e-14)


def test_a_rate_of_zero_is_refused():
    optimizer = AlexNetSGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    optimizer.param_groups[0]["lr"] = 0.0
    with pytest.raises(ValueError, match="above 0, not 0.0"):
        optimizer.step()


def test_a_run_equals_the_loop_written_out():
    """Without augmentation: the order of the plan, the mean taken away, the mean loss, the paper's update."""
    (x, y), validation = small_data()
    model, own = small_model(dtype=torch.float64), small_model(dtype=torch.float64)
    history = fit(model, ((x, y), validation), 2, "cpu", batch_size=10, learning_rate=0.05, progress="quiet", seed=4)
    pixels = torch.from_numpy(x / 255.0)
    mean = pixels.mean((0, 2, 3), keepdim=True)
    pixels = (pixels - mean) / pixels.std((0, 2, 3), keepdim=True, correction=0)
    labels = torch.from_numpy(y)
    velocity = [torch.zeros_like(each) for each in own.parameters()]
    for epoch in range(2):
        losses = []
        for rows in np.split(EpochPlan(45, 10, 4, epoch, False).order, range(10, 45, 10)):
            own.zero_grad()
            loss = functional.cross_entropy(own(pixels[rows]), labels[rows])
            loss.backward()
            losses.append(loss.item() * len(rows))
            with torch.no_grad():
                for each, v in zip(own.parameters(), velocity, strict=True):
                    v.mul_(0.9).sub_(0.0005 * 0.05 * each + 0.05 * each.grad)
                    each += v
        assert history[epoch]["train_loss"] == pytest.approx(sum(losses) / 45, rel=1e-9)
    torch.testing.assert_close(weights(model), weights(own), rtol=1e-9, atol=1e-12)


def test_the_epochs_see_every_image_once_in_new_orders_and_draws():
    plans = [EpochPlan(50, 8, seed, epoch, True) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for plan in plans:
        assert sorted(plan.order) == list(range(50))
        assert plan.uniform.shape == (50, 4) and plan.uniform.min() >= 0 and plan.uniform.max() < 1
    assert len({tuple(plan.order) for plan in plans}) == 3
    assert len({float(plan.uniform[0, 0]) for plan in plans}) == 3


@pytest.mark.parametrize(("world", "accumulate"), [(1, 1), (1, 4), (2, 1), (2, 3), (5, 2)])
def test_the_pieces_of_all_processes_are_the_batch(world, accumulate):
    plan = EpochPlan(23, 11, 0, 0, True)  # batches of 11, 11 and 1
    per_rank = [list(plan.pieces(0, rank, world, accumulate)) for rank in range(world)]
    for step in range(plan.steps):
        pieces = [piece for rank in per_rank for piece in rank[step]]
        assert len({len(rank[step]) for rank in per_rank}) == 1, "processes with fewer pieces would be waited for"
        rows = np.concatenate([piece.rows for piece in pieces if piece.counted])
        np.testing.assert_array_equal(rows, plan.order[step * 11 : step * 11 + 11])
        assert {piece.batch for piece in pieces} == {len(rows)}
        assert all(len(piece.rows) == max(1, piece.counted) for piece in pieces)


@pytest.mark.parametrize("options", [{"accumulate": 3}, {"loading": "device"}, {"workers": 2}, {"accumulate": 16}])
def test_pieces_workers_and_the_place_of_the_images_change_nothing(options):
    model, other = small_model(dtype=torch.float64), small_model(dtype=torch.float64)
    history, again = train(model), train(other, **options)
    torch.testing.assert_close(weights(model), weights(other), rtol=1e-10, atol=1e-12)
    assert again[-1]["train_loss"] == pytest.approx(history[-1]["train_loss"], rel=1e-10)
    assert again[-1]["train_error"] == history[-1]["train_error"]


def test_a_run_depends_on_its_seed_and_on_nothing_before_it():
    runs = []
    for seed, before in ((0, 1), (0, 2), (1, 1)):
        model = small_model(dropout=0.3)
        torch.manual_seed(before)
        train(model, seed=seed, epochs=1)
        runs.append((weights(model), torch.rand(1).item()))
    torch.manual_seed(1)
    assert torch.equal(runs[0][0], runs[1][0]) and not torch.equal(runs[0][0], runs[2][0])
    assert runs[0][1] == torch.rand(1).item(), "the global generator was moved"


def test_it_learns_and_records_every_epoch():
    model = small_model()
    history = train(model, epochs=6)
    assert [record["epoch"] for record in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["validation_error"] == 0 and history[0]["train_loss"] > 2 * history[-1]["train_loss"]
    assert {"train_error", "validation_loss", "validation_top5_error", "seconds", "images_per_second"} <= history[
        0
    ].keys()
    x, y = small_data()[1]
    middle = x[:, :, 1 : 1 + CROP, 1 : 1 + CROP] / 255.0
    learned = small_data()[0][0] / 255.0
    normal = (middle - learned.mean((0, 2, 3), keepdims=True)) / learned.std((0, 2, 3), keepdims=True)
    with torch.no_grad():
        loss = functional.cross_entropy(model.eval()(torch.from_numpy(normal).float()), torch.from_numpy(y)).item()
    assert history[-1]["validation_loss"] == pytest.approx(loss, rel=1e-4), "the middle square, training's mean"
    measured = evaluate(model, small_data()[1], small_data()[0], "cpu", crop=CROP)
    assert measured["loss"] == pytest.approx(loss, rel=1e-4) and measured["error"] == 0


def test_evaluation_does_not_drop_and_training_goes_on_dropping():
    model = small_model(dropout=0.9)
    train(model, epochs=1)
    assert model.training
    first, second = (evaluate(model, small_data()[1], small_data()[0], "cpu", crop=CROP) for _ in range(2))
    assert first == second


def test_the_plateau_rule_divides_and_counts_afresh():
    rule = PlateauRule(patience=2)
    errors = [0.5, 0.4, 0.4, 0.41, 0.4, 0.4, 0.39, 0.5, 0.39]
    assert [rule.update(error) for error in errors] == [1, 1, 1, 10, 1, 10, 1, 1, 10]
    assert [rule.update(0.5) for _ in range(9)] == [1] * 9, "three times, as in the paper"


def test_early_stopping_waits_for_a_new_best():
    rule = EarlyStopping(patience=2)
    assert [rule.update(error) for error in (0.5, 0.4, 0.45, 0.39, 0.39, 0.4)] == [False] * 5 + [True]


def test_the_rate_falls_and_the_run_stops_when_nothing_improves(capsys):
    images, labels = made_images(30)
    others = (images[:10], (labels[:10] + 1) % 3)  # wrong labels: learning makes the error worse
    history = train(
        small_model(), data=((images, labels), others), epochs=20, patience=1, early_stopping=4, progress="lines"
    )
    assert len(history) < 20 and history[-1]["stopped_early"]
    assert min(record["learning_rate"] for record in history) < 0.01
    shown = capsys.readouterr().out
    assert (
        "the learning rate is now 0.005." in shown and "Stopped early: no better validation error in 4 epochs." in shown
    )


def test_any_form_of_the_data_is_taken():
    (x, y), (vx, vy) = small_data()
    split = SimpleNamespace(images=x, labels=y), SimpleNamespace(images=vx, labels=vy)
    forms = (
        SimpleNamespace(train=split[0], validation=split[1], test=None),
        split,
        ((torch.from_numpy(x), torch.from_numpy(y)), (vx, vy.tolist())),
    )
    losses = [train(small_model(), data=data, epochs=1)[0]["validation_loss"] for data in forms]
    assert losses[0] == losses[1] == losses[2]
    assert "validation_loss" not in train(small_model(), data=(x, y), epochs=1)[0]


def test_bytes_and_floats_are_the_same_images():
    (x, y), (vx, vy) = small_data()
    floats = ((x / np.float32(255), y), (vx / np.float32(255), vy))
    models = small_model(dtype=torch.float64), small_model(dtype=torch.float64)
    for model, data in zip(models, (small_data(), floats), strict=True):
        train(model, data=data, epochs=1)
    torch.testing.assert_close(weights(models[0]), weights(models[1]), rtol=1e-5, atol=1e-6)


X, Y = made_images(6)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (((X[:, 0], Y)), r"shape \(6, 14, 14\); \(N, C, H, W\) is needed"),
        ((X, Y[:5]), r"6 training images and labels of shape \(5,\)"),
        ((X, Y - 5), "whole numbers from 0 on"),
        ((X, Y + 0.5), "whole numbers from 0 on"),
        ((X.astype(np.int32), Y), "uint8 or float, not int32"),
        ((X[:0], Y[:0]), "There are no training images"),
        ((X, Y + 7), "gives 3 numbers for an image, but there is a label 9"),
        ((X[:, :2], Y), "The network does not take images of 2×12×12"),
        ((X[:, :, :9], Y), "12 pixels cannot be cut out of train images of 9×14"),
        (((X, Y), (X[:, :1], Y)), "3 channels and the validation images 1"),
        ((np.full(X.shape, np.nan), Y), "not finite"),
        (3, "not int"),
    ],
)
def test_data_that_do_not_fit_are_said_in_a_sentence(data, says):
    with pytest.raises(TrainingError, match=says) as error:
        train(small_model(), data=data)
    assert error.value._render_traceback_() == [str(error.value)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"epochs": 0}, "epochs is a whole number from 1 on, not 0"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 0.0}, "learning rate is above 0"),
        ({"momentum": 1.0}, "momentum"),
        ({"normalize": "imagenet"}, "normalize is one of standard, paper, none"),
        ({"loading": "disk"}, "loading one of auto"),
        ({"precision": "half"}, "precision is one of auto, float32, bf16, fp16, not 'half'"),
        ({"progress": "loud"}, "shown as one of"),
        ({"device": "tpu"}, "no device called 'tpu'"),
        ({"data": made_images(6), "early_stopping": 1}, "needs validation images"),
    ],
)
def test_arguments_out_of_range_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        train(small_model(), **options)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_with_weights_in_float32(precision):
    model = small_model()
    history = train(model, precision=precision, epochs=6)
    assert history[-1]["validation_error"] < 0.1
    assert {each.dtype for each in model.parameters()} == {torch.float32}


def test_the_model_is_compiled_on_request():
    model, other = small_model(), small_model()
    train(model, epochs=1)
    train(other, epochs=1, compile="eager")  # the frontend without a compiler, which takes a minute
    assert torch.equal(weights(model), weights(other))


@pytest.mark.cuda
def test_a_gpu_computes_what_the_cpu_computes():
    on_cpu, on_gpu = small_model(dtype=torch.float64), small_model(dtype=torch.float64)
    train(on_cpu)
    for loading in ("device", "workers"):
        on_gpu = small_model(dtype=torch.float64)
        train(on_gpu, device="cuda", loading=loading, workers=2)
        torch.testing.assert_close(weights(on_gpu).cpu(), weights(on_cpu), rtol=1e-8, atol=1e-10)


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_a_gpu_learns_in_every_precision(precision):
    model = small_model()
    assert train(model, device="cuda", precision=precision, epochs=6)[-1]["validation_error"] < 0.1


@pytest.mark.parametrize("wrong", [{"crop": 0}, {"colour": -0.1}, {"brightness": 1.0}])
def test_impossible_augmentations_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1 pixel, colour >= 0 and 0 <= brightness < 1"):
        Augmentation(**wrong)
