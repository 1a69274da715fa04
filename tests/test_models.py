"""The networks: the paper's numbers, its normalization and its initial weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course_utils._training.response_norm import LocalResponseNorm
from course_utils.models import AlexNet, SmallConvNet, alexnet_init, count_macs, count_parameters, topk_errors


def on_paper(*arguments, **options):
    """A network without memory for its weights."""
    with torch.device("meta"):
        return AlexNet(*arguments, **options)


def test_the_parameters_are_the_papers():
    assert count_parameters(on_paper()) == 60_965_224
    assert count_parameters(on_paper(groups=1)) == 62_378_344
    assert count_parameters(on_paper()) - count_parameters(on_paper(without=["fc7"])) == 4096 * 4096 + 4096


def test_the_layers_are_the_papers():
    model = on_paper()
    x = torch.zeros(2, 3, 227, 227, device="meta")
    shapes = {}
    for name, layer in model.named_children():
        x = layer(x)
        shapes[name] = tuple(x.shape[1:])
    assert [shapes[f"conv{number}"] for number in range(1, 6)] == [
        (96, 55, 55), (256, 27, 27), (384, 13, 13), (384, 13, 13), (256, 13, 13)
    ]  # fmt: skip
    assert [shapes[f"pool{number}"] for number in (1, 2, 5)] == [(96, 27, 27), (256, 13, 13), (256, 6, 6)]
    names = list(shapes)
    assert names[:4] == ["conv1", "act1", "norm1", "pool1"], "the norm comes before the pool"
    assert names[-7:] == ["fc6", "act6", "drop6", "fc7", "act7", "drop7", "fc8"] and shapes["fc8"] == (1000,)
    assert model.drop6.p == 0.5 and (model.pool1.kernel_size, model.pool1.stride) == (3, 2)


def test_two_groups_are_two_towers():
    model = AlexNet(4, width=0.125, image_size=64)
    x = torch.randn(2, model.conv2.in_channels, 9, 9)
    halves = [
        nn.functional.conv2d(part, weight, bias, padding=2)
        for part, weight, bias in zip(
            x.chunk(2, 1), model.conv2.weight.chunk(2), model.conv2.bias.chunk(2), strict=True
        )
    ]
    torch.testing.assert_close(model.conv2(x), torch.cat(halves, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (64, {"width": 0.25}),
        (32, {"width": 0.1, "groups": 1}),
        (48, {"width": 0.01}),
        (128, {"width": 0.1, "in_channels": 1}),
        (67, {"width": 0.1, "without": ("conv3", "conv4", "fc6", "fc7")}),
        (64, {"width": 0.1, "activation": "tanh", "norm": False, "overlapping": False, "dropout": 0.0}),
    ],
)
def test_small_ones_take_small_images(size, options):
    model = AlexNet(7, image_size=size, **options)
    x = torch.randn(2, options.get("in_channels", 3), size, size)
    assert model(x).shape == (2, 7)
    kinds = {type(layer) for layer in model}
    assert (nn.Tanh in kinds) == ("activation" in options) and (LocalResponseNorm in kinds) == options.get("norm", True)
    assert not set(options.get("without", ())) & {name for name, _ in model.named_children()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"image_size": 31}, "at least 32 pixels, not 31"),
        ({"groups": 3}, "groups=3"),
        ({"width": 0.0}, "width=0.0"),
        ({"activation": "elu"}, "'relu' or 'tanh', not 'elu'"),
        ({"without": ["conv1"]}, "conv3, conv4, fc6, fc7, not"),
        ({"without": "fc7"}, "not 'fc7'"),
    ],
)
def test_impossible_networks_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        AlexNet(**options)


def test_a_slice_is_a_network_with_the_same_layers():
    model = AlexNet(4, width=0.1, image_size=64)
    assert model[:3].conv1 is model.conv1 and len(model[:3]) == 3 and model[0] is model.conv1


def test_the_initial_weights_are_the_papers():
    model = alexnet_init(AlexNet(10, width=0.25, image_size=64), 3)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            one = name.split(".")[0] in ("conv2", "conv4", "conv5", "fc6", "fc7")
            assert torch.equal(parameter, torch.full_like(parameter, float(one))), name
        else:  # six standard errors
            assert abs(parameter.mean()) < 6 * 0.01 / parameter.numel() ** 0.5, name
            assert parameter.std().item() == pytest.approx(0.01, rel=6 / (2 * parameter.numel()) ** 0.5), name
    state = torch.get_rng_state()
    again, other = (alexnet_init(AlexNet(10, width=0.25, image_size=64), seed) for seed in (3, 4))
    assert torch.equal(again.fc6.weight, model.fc6.weight) and not torch.equal(other.fc6.weight, model.fc6.weight)
    torch.set_rng_state(state)
    assert alexnet_init(model, 3) is model and torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 8])
def test_response_normalization_is_pytorchs_with_five_times_its_alpha(channels):
    x = (30 * torch.randn(2, channels, 4, 3, dtype=torch.float64)).requires_grad_()
    theirs = nn.LocalResponseNorm(5, 5 * 1e-4, 0.75, 2.0)
    upstream = torch.randn_like(x)
    results = []
    for norm in (LocalResponseNorm(), theirs):
        out = norm(x)
        results.append((out.detach(), *torch.autograd.grad(out, x, upstream)))
    for own, expected in zip(*results, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-14)


def test_response_normalization_with_the_formula_written_out():
    """Section 3.3: b_i = a_i / (2 + 1e-4 Σ a_j²)^0.75, j from i - 2 to i + 2."""
    a = 40 * torch.randn(1, 7, 1, 1, dtype=torch.float64)
    flat = a.flatten()
    expected = [
        flat[i] / (2 + 1e-4 * sum(flat[j] ** 2 for j in range(max(0, i - 2), min(6, i + 2) + 1))) ** 0.75
        for i in range(7)
    ]
    torch.testing.assert_close(LocalResponseNorm()(a).flatten(), torch.stack(expected))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_response_normalization_in_half_precision(half):
    x = 400 * torch.randn(2, 9, 5, 4)  # whose squares fp16 cannot hold
    exact = LocalResponseNorm()(x)
    own = LocalResponseNorm()(x.to(half))
    assert own.dtype == half
    torch.testing.assert_close(own.float(), exact, rtol=0.02, atol=1e-3)
    with pytest.raises(ValueError, match="odd number of channels, not 4"):
        LocalResponseNorm(4)


def test_the_multiply_accumulates_of_alexnet():
    with torch.device("meta"):
        model = AlexNet()
    # A meta tensor is never computed, so the whole network costs nothing here.
    counts = count_macs(model, (3, 227, 227))
    assert counts["conv1"] == 105_415_200 and counts["conv2"] == 223_948_800 and counts["fc6"] == 9216 * 4096
    assert list(counts) == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    assert model.training, "the mode is left as it was"


def test_the_small_network():
    model = SmallConvNet()
    assert count_parameters(model) == 94_538
    assert model(torch.zeros(2, 3, 8, 8)).shape == model(torch.zeros(2, 3, 33, 20)).shape == (2, 10)
    with_norm = SmallConvNet(4, in_channels=1, width=8, batch_norm=True)
    assert with_norm(torch.zeros(2, 1, 8, 8)).shape == (2, 4)
    assert isinstance(with_norm.norm1, nn.BatchNorm2d) and with_norm.conv1.bias is None


def test_top_k_errors():
    logits = torch.tensor([[0.1, 0.5, 0.4], [0.9, 0.05, 0.06], [0.2, 0.3, 0.5], [0.3, 0.2, 0.1]])
    labels = torch.tensor([1, 2, 0, 2])
    assert topk_errors(logits, labels, (1, 2, 3)) == [0.75, 0.5, 0.0]
    assert topk_errors(logits, labels) == [0.75, 0.0]  # fewer than five classes
