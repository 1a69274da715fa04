"""A convolution three ways, side by side: the plain loop, the course's im2col reference, and PyTorch on one thread.

`python -m benchmarks.convolution` times them on layers of several sizes, all in one run, one after the other, and
shows ratios, which say more than seconds on a machine that does other things too. `--quick` takes a few seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from autograder.build.course import build_sources
from autograder.references import load_references
from benchmarks.honest_class import ROOT

ASSIGNMENT, NOTEBOOK = "02_convolution", "convolution"
console = Console(width=120)


@dataclass(frozen=True)
class Layer:
    """One convolution: `images` of (channels, side, side), `outputs` filters of (channels, kernel, kernel)."""

    name: str
    images: int
    channels: int
    side: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0

    @property
    def output_side(self) -> int:
        """Height and width of the output."""
        return (self.side + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def macs(self) -> int:
        """Multiply–accumulates for all images."""
        return self.images * self.outputs * self.output_side**2 * self.channels * self.kernel**2

    @property
    def expansion(self) -> float:
        """How many numbers im2col makes of each number of the input."""
        return (self.kernel * self.output_side / self.side) ** 2

    def arrays(self, rng: np.random.Generator) -> dict[str, Any]:
        """Inputs in float32, as networks use them."""
        x = rng.standard_normal((self.images, self.channels, self.side, self.side), dtype=np.float32)
        shape = (self.outputs, self.channels, self.kernel, self.kernel)
        weight, bias = rng.standard_normal(shape, dtype=np.float32), rng.standard_normal(self.outputs, dtype=np.float32)
        return {"x": x, "weight": weight, "bias": bias, "stride": self.stride, "padding": self.padding}


LAYERS = (
    Layer("digits", 1, 1, 8, 8, 3, padding=1),
    Layer("LeNet-5, C1", 1, 1, 32, 6, 5),
    Layer("LeNet-5, C3, all maps", 1, 6, 14, 16, 5),
    Layer("CIFAR-10, first", 1, 3, 32, 10, 5),
    Layer("CIFAR-10, first, 32 images", 32, 3, 32, 10, 5),
    Layer("AlexNet, conv3", 1, 256, 13, 384, 3, padding=1),
    Layer("AlexNet, conv1", 1, 3, 227, 96, 11, stride=4),
    Layer("VGG-16, conv3-2", 1, 256, 56, 256, 3, padding=1),
)
QUICK = LAYERS[:4]
ROUNDS = 5
AT_LEAST = 0.05  # seconds that a measurement takes at least, so that the clock does not matter


def loop(x, weight, bias, stride, padding):
    """The plain loop: four over the output, with NumPy's product and sum for each window."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kernel = weight.shape[2]
    side = (padded.shape[2] - kernel) // stride + 1
    out = np.empty((len(x), len(weight), side, side), dtype=x.dtype)
    for n in range(len(x)):
        for o in range(len(weight)):
            for r in range(side):
                for s in range(side):
                    top, left = r * stride, s * stride
                    window = padded[n, :, top : top + kernel, left : left + kernel]
                    out[n, o, r, s] = np.sum(window * weight[o]) + bias[o]
    return out


def pytorch(x, weight, bias, stride, padding):
    """PyTorch's own."""
    import torch

    with torch.inference_mode():
        inputs = (torch.from_numpy(array) for array in (x, weight, bias))
        return torch.nn.functional.conv2d(*inputs, stride, padding).numpy()


def im2col_reference() -> Callable[..., np.ndarray]:
    """`conv2d_forward` as the solution of the notebook has it: im2col, then one matrix product for each image."""
    build_sources(ROOT)
    notebook = ROOT / "build" / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    return load_references(notebook, ASSIGNMENT)["conv2d_forward"]


def compare(layer: Layer, ways: dict[str, Callable[..., np.ndarray]]) -> dict[str, float]:
    """Seconds for one call of each way: the median of several rounds, in each of which all take their turn.

    A way that needs more than a second is timed once. Raises `SystemExit` where the results differ.
    """
    inputs = layer.arrays(np.random.default_rng(0))
    results = {name: way(**inputs) for name, way in ways.items()}  # the first calls, not timed
    scale = max(float(np.abs(result).max()) for result in results.values())
    for name, result in results.items():
        if not np.allclose(result, results["PyTorch"], rtol=1e-3, atol=1e-4 * scale):
            sys.exit(f"{layer.name}: {name} and PyTorch differ. A comparison of times means nothing.")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            if not seconds[name] or seconds[name][0] < 1:
                seconds[name].append(_seconds(lambda way=way: way(**inputs)))
    return {name: median(measured) for name, measured in seconds.items()}


def _seconds(call: Callable[[], Any]) -> float:
    """Seconds for one call, from as many as fill the time that a measurement takes at least."""
    calls, started = 0, perf_counter()
    while True:
        call()
        calls += 1
        if (passed := perf_counter() - started) >= AT_LEAST:
            return passed / calls


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the small layers only")
    quick = parser.parse_args(arguments).quick
    import torch

    torch.set_num_threads(1)
    ways = {"loop": loop, "im2col": im2col_reference(), "PyTorch": pytorch}
    table = Table(title="One convolution, float32, one thread (times as ratios)", title_justify="left")
    table.add_column("layer", no_wrap=True)
    for heading in ("million MACs", "columns / x", "loop / im2col", "im2col / PyTorch", "loop / PyTorch"):
        table.add_column(heading, justify="right")
    with threadpool_limits(1):
        for layer in QUICK if quick else LAYERS:
            seconds = compare(layer, ways)
            table.add_row(
                layer.name,
                f"{layer.macs / 1e6:,.3f}",
                f"{layer.expansion:.1f}",
                f"{seconds['loop'] / seconds['im2col']:,.0f} ×",
                f"{seconds['im2col'] / seconds['PyTorch']:.1f} ×",
                f"{seconds['loop'] / seconds['PyTorch']:,.0f} ×",
            )
    console.print(table)
    console.print("columns / x: how many numbers im2col's columns hold for each number of the image.")


if __name__ == "__main__":
    main()
