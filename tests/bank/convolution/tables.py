"""layer_table, as students write it. The wrong ones differ from a right one in a line or two."""

import numpy as np

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("layer_table", "one function for each kind")
def layer_table(layers, input_shape):
    def places(layer, size):
        kernel, padding = layer["kernel"], layer.get("padding", 0)
        if size + 2 * padding < kernel:
            raise ValueError(f"{layer['name']!r}: a kernel of {kernel} on {size} elements with padding {padding}")
        return (size + 2 * padding - kernel) // layer.get("stride", 1) + 1

    def conv(layer, shape):
        channels, height, width = shape
        groups, out = layer.get("groups", 1), layer["out"]
        if channels % groups or out % groups:
            raise ValueError(f"{layer['name']!r}: {groups} groups of {channels} to {out} channels")
        weight = np.broadcast_to(0, (out, channels // groups, layer["kernel"], layer["kernel"]))
        after = out, places(layer, height), places(layer, width)
        return after, weight.size + out, weight[0].size * np.prod(after)

    def pool(layer, shape):
        return (shape[0], places(layer, shape[1]), places(layer, shape[2])), 0, 0

    def fc(layer, shape):
        inputs = np.prod(shape)
        return [layer["out"]], (inputs + 1) * layer["out"], inputs * layer["out"]

    def nothing(layer, shape):
        return shape, 0, 0

    kinds = {"conv": conv, "pool": pool, "fc": fc, "relu": nothing, "norm": nothing}
    table, shape = [], input_shape
    for layer in layers:
        shape, parameters, macs = kinds[layer["kind"]](layer, shape)
        table.append([layer["name"], shape, parameters, macs])
    return table


@alternative("layer_table", "places counted by range, a tuple of rows")
def layer_table(layers, input_shape):
    defaults = {"stride": 1, "padding": 0, "groups": 1, "out": None, "kernel": None}
    c, h, w = input_shape
    flat = None
    rows = ()
    for given in layers:
        layer = {**defaults, **given}
        name, kind, k, g, out = (layer[key] for key in ("name", "kind", "kernel", "groups", "out"))
        cost = 0, 0
        if kind == "fc":
            before = c * h * w if flat is None else flat
            flat, cost = out, (before * out + out, before * out)
        if kind in {"conv", "pool"}:
            sizes = []
            for size in (h, w):
                starts = range(0, size + 2 * layer["padding"] - k + 1, layer["stride"])
                if not starts:
                    raise ValueError(f"layer {name}: window {k} > {size} + 2 * {layer['padding']}")
                sizes.append(len(starts))
            h, w = sizes
        if kind == "conv":
            if c % g > 0 or out % g > 0:
                raise ValueError(f"layer {name}: cannot split {c} and {out} channels into {g}")
            weights = k * k * c * out // g
            c, cost = out, (weights + out, weights * h * w)
        rows += ((name, (c, h, w) if flat is None else (flat,), *cost),)
    return rows


@mistaken("layer_table", "rounded up instead of down")
def layer_table(layers, input_shape):
    import math

    rows, shape = [], tuple(input_shape)
    for layer in layers:
        name, kind, parameters, macs = layer["name"], layer["kind"], 0, 0
        if kind in ("conv", "pool"):
            c, *sizes = shape
            k, s, p = layer["kernel"], layer.get("stride", 1), layer.get("padding", 0)
            sizes = [math.ceil((n + 2 * p - k) / s) + 1 for n in sizes]
            g = layer.get("groups", 1)
            out = layer.get("out", c)
            if min(sizes) < 1 or c % g or out % g:
                raise ValueError(f"{name} {k} {shape} {g} {c} {out}")
            shape = (out, *sizes)
            if kind == "conv":
                weights = k * k * c // g * out
                parameters, macs = weights + out, weights * sizes[0] * sizes[1]
        if kind == "fc":
            macs = int(np.prod(shape)) * layer["out"]
            parameters, shape = macs + layer["out"], (layer["out"],)
        rows.append((name, shape, parameters, macs))
    return rows


RIGHT = """\
def layer_table(layers, input_shape):
    rows, shape = [], tuple(input_shape)
    for layer in layers:
        name, kind, parameters, macs = layer["name"], layer["kind"], 0, 0
        if kind == "conv":
            c, h, w = shape
            out, k, s = layer["out"], layer["kernel"], layer.get("stride", 1)
            p, g = layer.get("padding", 0), layer.get("groups", 1)
            if k > h + 2 * p or k > w + 2 * p or c % g or out % g:
                raise ValueError(f"{name}: kernel {k}, {h} x {w}, padding {p}, groups {g}, channels {c} and {out}")
            shape = (out, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)
            parameters = (k * k * (c // g) + 1) * out
            macs = k * k * (c // g) * out * shape[1] * shape[2]
        elif kind == "pool":
            c, h, w = shape
            k, s, p = layer["kernel"], layer.get("stride", 1), layer.get("padding", 0)
            if k > h + 2 * p or k > w + 2 * p:
                raise ValueError(f"{name}: kernel {k}, {h} x {w}, padding {p}")
            shape = (c, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)
        elif kind == "fc":
            inputs = 1
            for n in shape:
                inputs *= n
            shape = (layer["out"],)
            parameters, macs = (inputs + 1) * layer["out"], inputs * layer["out"]
        rows.append((name, shape, parameters, macs))
    return rows
"""

CONV_PARAMETERS = "parameters = (k * k * (c // g) + 1) * out"
CONV_MACS = "macs = k * k * (c // g) * out * shape[1] * shape[2]"
FC_COST = 'parameters, macs = (inputs + 1) * layer["out"], inputs * layer["out"]'
PLACES = "(h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)"
PLACES_SWAPPED = "(w + 2 * p - k) // s + 1, (h + 2 * p - k) // s + 1)"
UNEVEN = " or c % g or out % g"
POOL_STRIDE = 'k, s, p = layer["kernel"], layer.get("stride", 1), layer'
POOL_SHAPE = f"            shape = (c, {PLACES}\n"
INPUTS = "            inputs = 1\n            for n in shape:\n                inputs *= n\n"
APPEND = "rows.append((name, shape, parameters, macs))"
TESTS = (
    "            if k > h + 2 * p or k > w + 2 * p or c % g or out % g:\n",
    "            if k > h + 2 * p or k > w + 2 * p:\n",
)


def changed(*replacements):
    """The right table with some of its text replaced; every replacement must find its text."""
    text = RIGHT
    for old, new in replacements:
        if old not in text:
            raise ValueError(f"{old!r} is not in the table")
        text = text.replace(old, new)
    return text


mistaken_sources(
    __name__,
    "layer_table",
    [
        ("padding counted once", changed(("+ 2 * p", "+ p"))),
        ("padding ignored", changed(("+ 2 * p", ""))),
        (
            "height and width swapped",
            changed((APPEND, "rows.append((name, shape[:1] + shape[:0:-1], parameters, macs))")),
        ),
        (
            "height and width swapped",
            changed((f"(out, {PLACES}", f"(out, {PLACES_SWAPPED}"), (f"(c, {PLACES}", f"(c, {PLACES_SWAPPED}")),
        ),
        (
            "biases of convolutions left out",
            changed((CONV_PARAMETERS, "parameters = k * k * (c // g) * out")),
        ),
        (
            "parameters and multiply–accumulates swapped",
            changed((APPEND, "rows.append((name, shape, macs, parameters))")),
        ),
        ("uneven groups accepted", changed((UNEVEN, ""))),
        (
            "padding forgotten in the test of fit",
            changed(("k > h + 2 * p or k > w + 2 * p", "k > h or k > w")),
        ),
        (
            "a pool moves by its kernel",
            changed((POOL_STRIDE, 'k, s, p = layer["kernel"], layer.get("stride", layer["kernel"]), layer')),
        ),
        (
            "an fc output with height and width",
            changed(('shape = (layer["out"],)', 'shape = (layer["out"], 1, 1)')),
        ),
        ("fc sees only the channels", changed((INPUTS, "            inputs = shape[0]\n"))),
        (
            "biases forgotten",
            changed((CONV_PARAMETERS, "parameters = k * k * (c // g) * out"), ("(inputs + 1)", "inputs")),
        ),
        ("biases of fc left out", changed(("(inputs + 1)", "inputs"))),
        (
            "input channels forgotten",
            changed(
                (CONV_PARAMETERS, "parameters = (k * k + 1) * out"),
                (CONV_MACS, "macs = k * k * out * shape[1] * shape[2]"),
            ),
        ),
        ("groups ignored", changed(("(c // g)", "c"))),
        (
            "new weights at every place",
            changed((CONV_PARAMETERS, "parameters = (k * k * (c // g) + 1) * out * shape[1] * shape[2]")),
        ),
        (
            "normalization with parameters",
            changed(
                (
                    '        elif kind == "fc":\n',
                    '        elif kind == "norm":\n            parameters = 2 * shape[0]\n        elif kind == "fc":\n',
                )
            ),
        ),
        (
            "pooling counted like a convolution",
            changed((POOL_SHAPE, POOL_SHAPE + "            macs = k * k * c * shape[1] * shape[2]\n")),
        ),
        (
            "pooling counted like a convolution",
            changed(
                (
                    POOL_SHAPE,
                    POOL_SHAPE + "            parameters, macs = k * k * c * c, k * k * c * c * shape[1] * shape[2]\n",
                )
            ),
        ),
        (
            "a multiplication for every bias",
            changed((CONV_MACS, "macs = parameters * shape[1] * shape[2]")),
        ),
        (
            "a multiplication for every bias",
            changed(
                (CONV_MACS, "macs = parameters * shape[1] * shape[2]"),
                (FC_COST, 'parameters = macs = (inputs + 1) * layer["out"]'),
            ),
        ),
        (
            "FLOPs instead of multiply–accumulates",
            changed((APPEND, "rows.append((name, shape, parameters, 2 * macs))")),
        ),
        ("places of the input", changed((CONV_MACS, "macs = k * k * (c // g) * out * h * w"))),
        ("weights, not their uses", changed((CONV_MACS, "macs = k * k * (c // g) * out"))),
        ("nothing is refused", changed(*((test, "            if False:\n") for test in TESTS))),
        (
            "a message without layer and numbers",
            changed(
                (
                    'f"{name}: kernel {k}, {h} x {w}, padding {p}, groups {g}, channels {c} and {out}"',
                    '"it does not fit"',
                ),
                ('f"{name}: kernel {k}, {h} x {w}, padding {p}"', '"it does not fit"'),
            ),
        ),
    ],
)
