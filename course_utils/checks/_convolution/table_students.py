"""Layer tables as students compute them: arithmetic, with a place to go wrong at each step."""

from __future__ import annotations

import math
from typing import NamedTuple


class Facts(NamedTuple):
    """What a student's count starts from; a fully connected layer is a convolution with one tap and one place."""

    kind: str
    inputs: int  # input channels, or all values where they are flattened
    out: int
    taps: int
    groups: int
    places: int  # of the output
    places_before: int  # of the input

    @property
    def weights(self) -> int:
        return self.inputs // self.groups * self.out * self.taps if self.kind in ("conv", "fc") else 0

    @property
    def biases(self) -> int:
        return self.out if self.kind in ("conv", "fc") else 0


def count_parameters(f: Facts) -> int:
    return f.weights + f.biases


def count_macs(f: Facts) -> int:
    return f.weights * f.places


def _place(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def _same(shape):
    return shape


def _no_place(before, after, kernel):
    return min(after) < 1


def _uneven(channels, out, groups):
    return channels % groups or out % groups


def never(*facts):
    return False


def student_table(
    parameters=count_parameters,
    macs=count_macs,
    place=_place,
    shown=_same,
    carried=_same,
    flatten=math.prod,
    stride=lambda entry: entry.get("stride", 1),
    misfit=_no_place,
    uneven=_uneven,
):
    """A student's table with other counts, places along an axis, shapes (in the row, or in what goes on to the next
    layer), flattening, strides, or tests of what does not fit."""

    def table(layers, input_shape):
        rows, shape = [], tuple(input_shape)
        for entry in layers:
            kind, kernel, groups = entry["kind"], entry.get("kernel", 1), entry.get("groups", 1)
            inputs, before, out = shape[0], shape[1:], entry.get("out", shape[0])
            if kind == "fc":
                inputs, shape = flatten(shape), (out,)
            elif kind in ("conv", "pool"):
                sizes = tuple(place(n, kernel, stride(entry), entry.get("padding", 0)) for n in before)
                if misfit(before, sizes, kernel) or uneven(inputs, out, groups):
                    raise ValueError
                shape = carried((out, *sizes))
            facts = Facts(kind, inputs, out, kernel**2, groups, math.prod(shape[1:]), math.prod(before))
            rows.append((entry["name"], shown(shape), parameters(facts), macs(facts)))
        return rows

    return table


def only(kind, count, otherwise):
    return lambda facts: count(facts) if facts.kind == kind else otherwise(facts)
