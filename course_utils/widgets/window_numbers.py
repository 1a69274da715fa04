"""The numbers of the convolution window: a small input, a kernel, and what one output element is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_KERNEL, MOST_STRIDE, MOST_PADDING = 7, 3, 2
BIAS = 1
# Whole numbers drawn once and kept: one digit each, so that every product can be checked in the head.
_RNG = np.random.default_rng(20)
INPUT = _RNG.integers(0, 6, (2, 7, 6))  # (channels, height, width)
WEIGHT = _RNG.integers(-1, 3, (2, MOST_KERNEL, MOST_KERNEL))  # a smaller kernel is its upper left corner


@dataclass(frozen=True)
class Axis:
    """A kernel of `kernel` rows (or columns) on its way along `size` of them, with `padding` zeros at either end."""

    size: int
    kernel: int
    stride: int
    padding: int

    @property
    def padded(self) -> int:
        return self.size + 2 * self.padding

    @property
    def outputs(self) -> int:
        """The places that the kernel takes, ⌊(size − kernel + 2·padding)/stride⌋ + 1; 0 when it does not fit."""
        return max((self.padded - self.kernel) // self.stride + 1, 0)

    @property
    def rest(self) -> int:
        """How much of the padded axis lies beyond the last place of the kernel; 0 when it does not fit."""
        return (self.padded - self.kernel) % self.stride if self.outputs else 0

    def reads(self, index: int) -> range:
        """The positions on the padded axis that output `index` reads."""
        return range(index * self.stride, index * self.stride + self.kernel)

    @property
    def unread(self) -> tuple[int, ...]:
        """The positions on the padded axis that no output reads."""
        read = {position for index in range(self.outputs) for position in self.reads(index)}
        return tuple(position for position in range(self.padded) if position not in read)

    @property
    def formula(self) -> str:
        """The output size worked out, such as "(6 − 3 + 2·1)/2 + 1 = 3.5, rounded down to 3"."""
        if not self.outputs:
            return f"{self.size} + 2·{self.padding} < {self.kernel}, no output"
        exact = (self.padded - self.kernel) / self.stride + 1
        text = f"({self.size} − {self.kernel} + 2·{self.padding})/{self.stride} + 1 = "
        if not self.rest:
            return text + str(self.outputs)
        shown = f"{exact:.4g}"
        sign = "=" if float(shown) == exact else "≈"
        return text.replace("=", sign) + f"{shown}, rounded down to {self.outputs}"


@dataclass(frozen=True)
class Element:
    """One output element: the window it reads, (channels, kh, kw), its products with the weights, and their sum.

    `sums` holds the sum of the products of every channel; `value` is their sum plus `BIAS`.
    """

    window: np.ndarray
    products: np.ndarray
    sums: tuple[int, ...]
    value: int


@dataclass(frozen=True)
class Sliding:
    """A kernel sliding over the first `channels` channels of `INPUT`; rows first, as in every pair of the course."""

    rows: Axis
    columns: Axis
    channels: int

    @property
    def fits(self) -> bool:
        return self.rows.outputs > 0 and self.columns.outputs > 0

    @property
    def padded(self) -> np.ndarray:
        """(channels, padded height, padded width)."""
        down, across = self.rows.padding, self.columns.padding
        return np.pad(INPUT[: self.channels], ((0, 0), (down, down), (across, across)))

    @property
    def weight(self) -> np.ndarray:
        """(channels, kh, kw)."""
        return WEIGHT[: self.channels, : self.rows.kernel, : self.columns.kernel]

    def element(self, row: int, column: int) -> Element:
        """What output[row, column] is made of; cross-correlation, the kernel is not flipped."""
        rows, columns = self.rows.reads(row), self.columns.reads(column)
        window = self.padded[:, rows.start : rows.stop, columns.start : columns.stop]
        products = window * self.weight
        sums = tuple(int(part) for part in products.sum((1, 2)))
        return Element(window, products, sums, sum(sums) + BIAS)

    def output(self) -> np.ndarray:
        """Every output element, (output height, output width); without elements when the kernel does not fit."""
        shape = (self.rows.outputs, self.columns.outputs)
        values = [self.element(i, j).value for i in range(shape[0]) for j in range(shape[1])]
        return np.array(values, int).reshape(shape)

    def verdict(self) -> str:
        """One sentence: whether the kernel fits, and what of the padded input no window reads."""
        axes = {"row": self.rows, "column": self.columns}
        if not self.fits:
            what = " and ".join(
                f"its {axis.kernel} {noun}s are more than the {axis.padded} ({axis.size} + 2·{axis.padding}) there are"
                for noun, axis in axes.items()
                if not axis.outputs
            )
            return f"The kernel does not fit: {what}."
        missed = [
            f"{noun}{'s' * (len(axis.unread) > 1)} {_listed(axis.unread)}" for noun, axis in axes.items() if axis.unread
        ]
        what = "padded input" if any(axis.padding for axis in axes.values()) else "input"
        if not missed:
            return f"The kernel fits, and every element of the {what} is read."
        why = []
        if any(axis.stride > axis.kernel for axis in axes.values() if axis.unread):
            why.append("the stride is larger than the kernel")
        if any(axis.rest for axis in axes.values()):
            why.append("one more step would leave the input")
        return f"No window reads {' and '.join(missed)} of the {what}: {', and '.join(why)}."


def _listed(positions: tuple[int, ...]) -> str:
    """ "7", "2 and 5" or "2, 5 and 8"."""
    *some, last = map(str, positions)
    return f"{', '.join(some)} and {last}" if some else last
