"""merge_towers: correct in other styles, and wrong."""

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken_sources


@alternative("merge_towers", "zeros, then half by half")
def merge_towers(tower_a, tower_b):
    import torch

    merged = {}
    for name in sorted(tower_a):
        a, b = tower_a[name], tower_b[name]
        if name == "fc8.bias":
            merged[name] = torch.stack([a, b]).sum(dim=0)
            continue
        axis = 1 if name == "fc8.weight" else 0
        shape = list(a.shape)
        shape[axis] *= 2
        merged[name] = torch.zeros(shape, dtype=a.dtype)
        merged[name].narrow(axis, 0, a.shape[axis]).copy_(a)
        merged[name].narrow(axis, a.shape[axis], a.shape[axis]).copy_(b)
    return merged


@alternative("merge_towers", "an ordered dict, both biases in one tower")
def merge_towers(tower_a, tower_b):
    import collections

    import torch

    merged = collections.OrderedDict()
    for name in tower_a.keys():
        pair = (tower_a[name], tower_b[name])
        if name.startswith("fc8"):
            merged[name] = torch.hstack(pair) if name.endswith("weight") else pair[1] + pair[0]
        else:
            merged[name] = torch.nn.Parameter(torch.concatenate(pair, dim=0))
    return merged


@alternative("merge_towers", "filled in float32, whatever came")
def merge_towers(tower_a, tower_b):
    import torch

    merged = {}
    for name, a in tower_a.items():
        b = tower_b[name]
        if name == "fc8.bias":
            merged[name] = (a.double() + b.double()).float()
        elif name == "fc8.weight":
            merged[name] = torch.zeros(len(a), 2 * a.shape[1])
            merged[name][:, : a.shape[1]], merged[name][:, a.shape[1] :] = a, b
        else:
            merged[name] = torch.zeros(2 * len(a), *a.shape[1:])
            merged[name][: len(a)], merged[name][len(a) :] = a, b
    return merged


RIGHT = """import torch


def halves(t):
    return t[:, : t.shape[1] // 2], t[:, t.shape[1] // 2 :]


def diagonal(a, b):
    return torch.cat([torch.cat([a, 0 * a], 1), torch.cat([0 * b, b], 1)])


def merge_towers(tower_a, tower_b):
    merged = {}
    for name in tower_a:
        a, b = tower_a[name], tower_b[name]
        layer, kind = name.split(".")
        crossing = kind == "weight" and layer in ("conv3", "fc6", "fc7")
        if name == "fc8.weight":
            merged[name] = torch.cat([a, b], dim=1)
        elif name == "fc8.bias":
            merged[name] = a + b
        else:
            merged[name] = torch.cat([a, b])
    return merged
"""
INNER = "merged[name] = torch.cat([a, b])\n"
FC8, BIAS = "merged[name] = torch.cat([a, b], dim=1)", "merged[name] = a + b"
ALTERNATELY = "torch.stack([a, b], dim=1).flatten(0, 1)"


def where(condition, new):
    """Inner tensors merged in another way where a condition holds."""
    return (INNER, f"merged[name] = ({new}) if {condition} else torch.cat([a, b])\n")


CONNECTED = 'name in ("fc6.weight", "fc7.weight")'
mistaken_sources(
    __name__,
    "merge_towers",
    [
        (name, changed(RIGHT, *changes))
        for name, *changes in (
            ("conv3 in groups", where('name == "conv3.weight"', "torch.cat([halves(a)[0], halves(b)[1]])")),
            (
                "conv3 in groups",
                where('name == "conv3.weight"', "diagonal(halves(a)[0], halves(b)[1])"),
            ),
            ("one group", where('name in ("conv2.weight", "conv4.weight", "conv5.weight")', "diagonal(a, b)")),
            ("fc6 and fc7 kept apart", where(CONNECTED, "diagonal(halves(a)[0], halves(b)[1])")),
            ("fc6 and fc7 kept apart", where(CONNECTED, "torch.cat([halves(a)[0], halves(b)[1]])")),
            ("fc6 and fc7 side by side", where(CONNECTED, "torch.cat([a, b], 1)")),
            ("fc6 and fc7 on the diagonal", where(CONNECTED, "diagonal(a, b)")),
            ("fc6 and fc7 side by side", where("crossing", "torch.cat([a, b], 1)")),
            ("all biases added", where('kind == "bias"', "a + b")),
            ("columns of fc8 exchanged", (FC8, "merged[name] = torch.cat([b, a], dim=1)")),
            ("rows in turn", where('name == "fc6.weight"', ALTERNATELY)),
            ("rows in turn", where('layer == "fc6"', ALTERNATELY)),
            ("rows in turn", where("True", ALTERNATELY)),
            ("B before A", ("cat([a, b]", "cat([b, a]")),
            ("B before A", (INNER, "merged[name] = torch.cat([b, a])\n")),
            ("columns exchanged in tower B", where("crossing", "torch.cat([a, torch.cat(halves(b)[::-1], 1)])")),
            (
                "twice as many classes",
                (FC8, "merged[name] = torch.cat([a, b])"),
                (BIAS, "merged[name] = torch.cat([a, b])"),
            ),
            ("biases of fc8 one after the other", (BIAS, "merged[name] = torch.cat([a, b])")),
            ("one bias of fc8 lost", (BIAS, "merged[name] = a")),
            ("one bias of fc8 lost", (BIAS, "merged[name] = b")),
            ("fc8 averaged", (BIAS, "merged[name] = (a + b) / 2")),
            ("fc8 averaged", (BIAS, "merged[name] = (a + b) / 2"), (FC8, f"{FC8} / 2")),
            ("weights of fc8 added", (FC8, "merged[name] = a + b")),
            ("weights of fc8 added", (FC8, "merged[name] = (a + b) / 2")),
            ("towers averaged", (FC8, BIAS), (INNER, f"{BIAS}\n"), (BIAS, "merged[name] = (a + b) / 2")),
            ("towers averaged", (FC8, BIAS), (INNER, f"{BIAS}\n")),
        )
    ],
)
