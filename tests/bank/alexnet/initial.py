"""alexnet_init: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources


@alternative("alexnet_init", "global seed, torch.nn.init, by type of layer")
def alexnet_init(model, seed):
    import torch

    torch.manual_seed(seed)
    for name, layer in model.named_modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.normal_(layer.weight, mean=0.0, std=0.01)
            torch.nn.init.constant_(layer.bias, 0.0 if name in {"conv1", "conv3", "fc8"} else 1.0)
    return model


@alternative("alexnet_init", "through the state dict, with NumPy's numbers")
def alexnet_init(model, seed):
    import torch

    rng = np.random.default_rng(seed)
    state = model.state_dict()
    for key in state:
        layer, kind = key.split(".")
        if kind == "weight":
            state[key] = torch.from_numpy(0.01 * rng.standard_normal(tuple(state[key].shape)))
        else:
            state[key] = torch.full_like(state[key], float(layer[-1] in "24567"))
    model.load_state_dict(state)
    return model


@alternative("alexnet_init", "last layer first, new parameters")
def alexnet_init(model, seed):
    import torch

    generator = torch.Generator()
    generator.manual_seed(seed)
    for name in ("fc8", "fc7", "fc6", "conv5", "conv4", "conv3", "conv2", "conv1"):
        layer = getattr(model, name, None)
        if layer is None:
            continue
        drawn = torch.randn(layer.weight.shape, generator=generator, dtype=layer.weight.dtype)
        layer.weight = torch.nn.Parameter(drawn / 100)
        fill = torch.zeros_like if name in ("conv1", "conv3", "fc8") else torch.ones_like
        layer.bias = torch.nn.Parameter(fill(layer.bias))
    return model


RIGHT = """import copy
import torch


def alexnet_init(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, layer in model.named_children():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            fan_in = layer.weight[0].numel()
            fan_out = layer.weight[:, 0].numel()
            w, b = layer.weight.data, layer.bias.data
            w.normal_(0, 0.01, generator=generator)
            b.fill_(float(name in ("conv2", "conv4", "conv5", "fc6", "fc7")))
    return model
"""
DRAW, KINDS = "w.normal_(0, 0.01, generator=generator)", "(torch.nn.Conv2d, torch.nn.Linear)"
FILL, ONES = (
    'b.fill_(float(name in ("conv2", "conv4", "conv5", "fc6", "fc7")))',
    '"conv2", "conv4", "conv5", "fc6", "fc7"',
)
SEEDED = "    generator = torch.Generator().manual_seed(seed)\n"
RETURN = "    return model\n"


def drawn(mean_and_spread, method="normal_"):
    """The weights drawn in another way."""
    return (DRAW, f"w.{method}({mean_and_spread}, generator=generator)")


mistaken_sources(
    __name__,
    "alexnet_init",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            ("0.01 taken as the variance", drawn("0, 0.01**0.5")),
            ("0.01 squared", drawn("0, 0.01**2")),
            ("He's initialization", drawn("0, (2 / fan_in) ** 0.5")),
            ("He's initialization", drawn("0, (2 / fan_out) ** 0.5")),
            ("He's initialization", (DRAW, "torch.nn.init.kaiming_uniform_(w, generator=generator)")),
            ("Xavier's initialization", drawn("0, (2 / (fan_in + fan_out)) ** 0.5")),
            ("Xavier's initialization", (DRAW, "torch.nn.init.xavier_uniform_(w, generator=generator)")),
            ("uniform instead of normal", drawn("-0.01, 0.01", "uniform_")),
            ("uniform instead of normal", drawn("-0.01 * 3**0.5, 0.01 * 3**0.5", "uniform_")),
            ("uniform instead of normal", drawn("0, 0.01", "uniform_")),
            ("only the convolutions", (KINDS, "torch.nn.Conv2d")),
            ("only the fully connected layers", (KINDS, "torch.nn.Linear")),
            ("biases left as they were", (f"            {FILL}\n", "")),
            ("biases of zero not set", (FILL, f"if name in ({ONES}):\n                b.fill_(1)")),
            ("biases drawn like weights", (FILL, "b.normal_(0, 0.01, generator=generator)")),
            ("bias one everywhere", (FILL, "b.fill_(1)")),
            ("bias zero everywhere", (FILL, "b.zero_()")),
            ("zeros and ones exchanged", ("name in", "name not in")),
            ("bias one in every hidden layer", (f"name in ({ONES})", 'name != "fc8"')),
            ("bias one in every hidden layer", (ONES, f'{ONES}, "conv3"')),
            ("bias one in every hidden layer", (ONES, f'{ONES}, "conv1"')),
            ("bias one in fc8", (ONES, f'{ONES}, "fc8"')),
            ("bias zero in fc6 and fc7", (', "fc6", "fc7"', "")),
            ("seed not used", (SEEDED, ""), (", generator=generator", "")),
            ("one fixed seed", ("manual_seed(seed)", "manual_seed(0)")),
            (
                "seeded anew for every layer",
                (SEEDED, ""),
                (DRAW, f"torch.manual_seed(seed)\n            {DRAW}".replace(", generator=generator", "")),
            ),
            ("a copy", (SEEDED, f"{SEEDED}    model = copy.deepcopy(model)\n")),
            ("nothing returned", (RETURN, "")),
            ("no longer trained", (FILL, f"{FILL}\n            layer.weight.requires_grad = False")),
        )
    ],
)
