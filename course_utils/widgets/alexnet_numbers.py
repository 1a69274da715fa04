"""The numbers of the accounting table: AlexNet's layers at any width, image size and number of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_utils.widgets.stack_numbers import Layer, Row, account

SMALLEST, LARGEST, EVERY = 67, 331, 32  # pixels; a size that fits exactly comes every 32
NARROWEST = 1 / 16


@dataclass(frozen=True)
class Table:
    """AlexNet on square images. `rows` hold the costs for one image; a ReLU works in place and has no row.

    `unread` is how many pixel rows (and columns) at the image's end change nothing in the result.
    """

    width: float
    image_size: int
    groups: int
    num_classes: int
    rows: tuple[Row, ...]
    unread: int

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply–accumulates for one image, biases not counted."""
        return sum(row.macs for row in self.rows)

    @property
    def memory(self) -> int:
        """The bytes of all activations of one image in float32."""
        return sum(row.memory for row in self.rows)

    def share(self, kind: str, cost: str) -> float:
        """What part of a cost, "parameters" or "macs", the layers of a kind have."""
        return sum(getattr(row, cost) for row in self.rows if row.layer.kind == kind) / getattr(self, cost)


def layers(width: float = 1.0, groups: int = 2, num_classes: int = 1000) -> tuple[Layer, ...]:
    """The paper's layers: width scales all channels and hidden units, groups (1 or 2) divide conv2, conv4 and conv5."""

    def conv(name: str, maps: int, kernel: int, stride: int = 1, padding: int = 0, groups_here: int = 1) -> Layer:
        out = max(1, round(maps * width / groups)) * groups
        return Layer("conv", name, out, kernel, stride, padding, groups_here)

    def norm_and_pool(number: int) -> tuple[Layer, Layer]:
        return Layer("norm", f"norm{number}"), Layer("pool", f"pool{number}", kernel=3, stride=2)

    units = max(1, round(4096 * width))
    return (
        conv("conv1", 96, 11, stride=4), *norm_and_pool(1),
        conv("conv2", 256, 5, padding=2, groups_here=groups), *norm_and_pool(2),
        conv("conv3", 384, 3, padding=1),
        conv("conv4", 384, 3, padding=1, groups_here=groups),
        conv("conv5", 256, 3, padding=1, groups_here=groups), Layer("pool", "pool5", kernel=3, stride=2),
        Layer("fc", "fc6", units), Layer("fc", "fc7", units), Layer("fc", "fc8", num_classes),
    )  # fmt: skip


def table(width: float = 1.0, image_size: int = 227, groups: int = 2, num_classes: int = 1000) -> Table:
    """The `Table` of AlexNet on (3, image_size, image_size) images.

    Source: Krizhevsky, Sutskever and Hinton (2012), section 3.5.
    """
    rows = account(layers(width, groups, num_classes), (3, image_size, image_size))
    return Table(width, image_size, groups, num_classes, rows, _unread(rows, image_size))


def next_fit(image_size: int) -> int:
    """The smallest size from `image_size` on at which every division comes out even."""
    return image_size + (SMALLEST - image_size) % EVERY


def _unread(rows: Sequence[Row], image_size: int) -> int:
    """Follow the last element before fc6 back to the last pixel it sees; padding is no pixel."""
    spatial = [row for row in rows if row.layer.kind in ("conv", "pool")]
    sides = [image_size, *(row.shape[1] for row in spatial)]
    last = sides[-1] - 1
    for row, side in zip(reversed(spatial), reversed(sides[:-1]), strict=True):
        last = min(last * row.layer.stride - row.layer.padding + row.layer.kernel - 1, side - 1)
    return image_size - 1 - last
