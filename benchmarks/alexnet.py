"""AlexNet's images per second, side by side: our loop, a plain PyTorch loop, and the model alone, which is the limit.

`python -m benchmarks.alexnet` takes a small AlexNet, for a minute on a CPU; `--full` the whole one, for a GPU. It needs
NumPy and PyTorch alone. All ways take their turn in each round, and ratios are medians over the rounds. What differs
between the loops is only the loop: they train the same network on the same made-up images.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from course_utils._training.precision import Precision
from course_utils.device import PRECISIONS, choose_device, describe_device
from course_utils.models import AlexNet, alexnet_init, count_macs, count_parameters
from course_utils.train import AlexNetSGD, Augmentation, fit

IMAGENET, PAPER_EPOCHS, PAPER_DAYS = 1_281_167, 90, "five to six days on two GTX 580 GPUs"
# Dense bf16 arithmetic in FLOP/s, without sparsity, as NVIDIA's data sheets give it. The longest name that fits counts.
PEAKS = {"H100": 989e12, "H100 PCIe": 756e12, "H200": 989e12, "A100": 312e12}


@dataclass(frozen=True)
class Setup:
    """What is measured: a network, its images and how many of them."""

    device: torch.device
    precision: str
    width: float = 0.25
    size: int = 64
    batch_size: int = 64
    steps: int = 6
    epochs: int = 2
    rounds: int = 3
    classes: int = 10
    compile: bool = False
    workers: int = 0

    @property
    def stored(self) -> int:
        """Side of the stored images, which crops are cut from: 256 for 227."""
        return round(self.size * 256 / 227)

    def model(self) -> AlexNet:
        """A new network with the paper's initial weights."""
        return alexnet_init(AlexNet(self.classes, width=self.width, image_size=self.size))

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Noise, as good as photographs for a clock: bytes (N, 3, stored, stored), and labels."""
        rng = np.random.default_rng(0)
        count = self.steps * self.batch_size
        images = rng.integers(0, 256, (count, 3, self.stored, self.stored), dtype=np.uint8)
        return images, rng.integers(0, self.classes, count)

    def flops(self) -> int:
        """Floating-point operations to learn from one image: forward, and the gradients of weights and of inputs.

        The gradient of the image itself is not computed. Two operations for each multiply–accumulate.
        """
        with torch.device("meta"):
            model = AlexNet(self.classes, width=self.width, image_size=self.size)
        macs = count_macs(model, (3, self.size, self.size))
        return 2 * (3 * sum(macs.values()) - macs["conv1"])


def our_loop(setup: Setup, data: tuple[np.ndarray, np.ndarray], augment: bool, loading: str) -> float:
    """Images per second of `fit`, the first epoch not counted."""
    images, labels = data
    if not augment:
        images = middle(setup, images)
    history = fit(
        setup.model(), (images, labels), setup.epochs + 1, setup.device, batch_size=setup.batch_size,
        precision=setup.precision, augment=Augmentation(setup.size) if augment else None, normalize="paper",
        compile=setup.compile, loading=loading, workers=setup.workers if loading == "workers" else None,
        progress="quiet",
    )  # fmt: skip
    return setup.epochs * len(images) / sum(record["seconds"] for record in history[1:])


class PlainImages(Dataset):
    """As the tutorials write it: one image at a time, cut and mirrored in Python, as float32."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, size: int):
        self.images, self.labels, self.size = images, labels, size

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = torch.from_numpy(self.images[index])
        free = image.shape[1] - self.size
        if free:
            top, left = torch.randint(free + 1, (2,)).tolist()
            image = image[:, top : top + self.size, left : left + self.size]
            if torch.rand(1).item() < 0.5:
                image = image.flip(2)
        return image.float() - 127.5, int(self.labels[index])


def plain_loop(setup: Setup, data: tuple[np.ndarray, np.ndarray], augment: bool) -> float:
    """Images per second of PyTorch's "Training a classifier" over the same model, the first epoch not counted."""
    images, labels = data
    dataset = PlainImages(images if augment else middle(setup, images), labels, setup.size)
    workers = setup.workers
    loader = DataLoader(
        dataset, batch_size=setup.batch_size, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )
    model = setup.model().to(setup.device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    seconds = 0.0
    for epoch in range(setup.epochs + 1):
        running_loss = 0.0
        started = perf_counter()
        for inputs, targets in loader:
            inputs, targets = inputs.to(setup.device), targets.to(setup.device)
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = criterion(outputs, targets)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        seconds += perf_counter() - started if epoch else 0.0
    return setup.epochs * len(dataset) / seconds


def model_alone(setup: Setup) -> float:
    """Images per second of the model, the loss and the update on one batch that lies on the device: nothing is read."""
    precision = Precision(setup.precision, setup.device, torch.float32)
    model = setup.model().to(setup.device, memory_format=torch.channels_last)
    forward = torch.compile(model) if setup.compile else model
    shape = (setup.batch_size, 3, setup.size, setup.size)
    x = (60 * torch.randn(shape)).to(setup.device, precision.dtype, memory_format=torch.channels_last)
    labels = torch.randint(setup.classes, (setup.batch_size,)).to(setup.device)
    optimizer = AlexNetSGD(model.parameters())

    def epoch() -> None:
        for _ in range(setup.steps):
            optimizer.zero_grad()
            with precision.autocast():
                loss = nn.functional.cross_entropy(forward(x), labels)
            precision.scaler.scale(loss).backward()
            precision.scaler.step(optimizer)
            precision.scaler.update()
        if setup.device.type == "cuda":
            torch.cuda.synchronize()

    benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
    try:
        epoch()
        started = perf_counter()
        for _ in range(setup.epochs):
            epoch()
        return setup.epochs * setup.steps * setup.batch_size / (perf_counter() - started)
    finally:
        torch.backends.cudnn.benchmark = benchmark


def middle(setup: Setup, images: np.ndarray) -> np.ndarray:
    """The middle squares, cut once before the clock runs: for the runs without augmentation."""
    first = (setup.stored - setup.size) // 2
    return np.ascontiguousarray(images[:, :, first : first + setup.size, first : first + setup.size])


def peak(setup: Setup) -> tuple[float, str]:
    """FLOP/s that the hardware has, and where the number is from: a data sheet, or a product measured here."""
    if setup.device.type == "cuda" and setup.precision == "bf16":
        name = torch.cuda.get_device_name(setup.device)
        known = [each for each in PEAKS if each in name]
        if known:
            best = max(known, key=len)
            return PEAKS[best], f"the data sheet's dense bf16 rate of an {best}"
    half = Precision(setup.precision, setup.device, torch.float32).half
    side = 8192 if setup.device.type == "cuda" else 1536
    a, b = (torch.randn(side, side, device=setup.device, dtype=half or torch.float32) for _ in range(2))
    seconds = []
    for _ in range(6):
        started = perf_counter()
        (a @ b).view(-1)[0].item()  # waits for the result
        seconds.append(perf_counter() - started)
    return 2 * side**3 / min(seconds), f"a product of two {side}×{side} matrices measured here"


def compare(setup: Setup) -> dict[str, list[float]]:
    """Images per second of every way, one number for each round."""
    data = setup.images()
    on_device = "device" if setup.device.type == "cuda" else "process"
    ways: dict[str, Callable[[], float]] = {
        "model alone": lambda: model_alone(setup),
        "our loop": lambda: our_loop(setup, data, False, on_device),
        "our loop, augmented": lambda: our_loop(setup, data, True, on_device),
        "plain loop": lambda: plain_loop(setup, data, False),
        "plain loop, augmented": lambda: plain_loop(setup, data, True),
    }
    if setup.workers:
        ways["our loop, augmented by workers"] = lambda: our_loop(setup, data, True, "workers")
    if setup.compile:
        plain = replace(setup, compile=False)
        ways["our loop, not compiled"] = lambda: our_loop(plain, data, False, on_device)
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(setup.rounds):
        # Every other round backwards: a machine that slows down meanwhile is not held against the later ways.
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            measured[name].append(ways[name]())
    return measured


def ratio(measured: dict[str, list[float]], name: str, to: str) -> float:
    """The median over the rounds of one rate divided by another."""
    return median(one / other for one, other in zip(measured[name], measured[to], strict=True))


def report(setup: Setup, measured: dict[str, list[float]], hardware: tuple[float, str]) -> str:
    """The table, and what it says about the hardware and about ImageNet."""
    lines = [f"{'':32}{'images/s':>12}{'of model alone':>18}{'of plain loop':>16}"]
    for name, rates in measured.items():
        row = f"{name:32}{median(rates):12,.0f}{ratio(measured, name, 'model alone'):18.3f}"
        lines.append(row + f"{ratio(measured, name, 'plain loop'):16.2f}")
    cost = 1 - ratio(measured, "our loop, augmented", "our loop")
    lines.append(f"Augmentation costs our loop {cost:.1%} (medians of {setup.rounds} rounds).")
    rate = max(measured["our loop, augmented"])
    share = rate * setup.flops() / hardware[0]
    lines.append(
        f"Our loop computes {rate * setup.flops() / 1e12:.3g} TFLOP/s at its best, {share:.1%} of {hardware[1]} "
        f"({hardware[0] / 1e12:.3g} TFLOP/s)."
    )
    if setup.size == 227 and setup.width == 1.0:
        lines.append(projection(median(measured["our loop, augmented"])))
    return "\n".join(lines)


def projection(rate: float) -> str:
    """What the rate would mean for the paper's training, if the images are read as fast."""
    hours = PAPER_EPOCHS * IMAGENET / rate / 3600
    return (
        f"{PAPER_EPOCHS} epochs of ImageNet's {IMAGENET:,} images would take {hours:,.1f} hours at this rate, "
        f"validation and the reading of files not counted. The paper's took {PAPER_DAYS}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the whole AlexNet at 227 pixels, 1000 classes: for a GPU")
    parser.add_argument("--batch-size", type=int, help="64, with --full 1024")
    parser.add_argument("--steps", type=int, help="of an epoch: 6, with --full 32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto")
    parser.add_argument("--compile", action="store_true", help="our loop and the model alone through torch.compile")
    parser.add_argument("--workers", type=int, help="processes that cut images; 0 on a CPU, else 12")
    parser.add_argument("--device")
    asked = parser.parse_args(arguments)
    device = choose_device(asked.device)
    precision = Precision(asked.precision, device, torch.float32).name
    setup = Setup(device, precision, compile=asked.compile, rounds=asked.rounds)
    if asked.full:
        setup = replace(setup, width=1.0, size=227, classes=1000, batch_size=1024, steps=32, epochs=3)
    workers = asked.workers if asked.workers is not None else 12 * (device.type == "cuda")
    setup = replace(
        setup, workers=workers, batch_size=asked.batch_size or setup.batch_size, steps=asked.steps or setup.steps
    )
    print(describe_device(device, precision))
    print(
        f"AlexNet with {count_parameters(setup.model()):,} parameters on {setup.size}×{setup.size} pixels, batches of "
        f"{setup.batch_size}, {setup.flops() / 1e9:.3g} GFLOP an image; the plain loop in float32.",
        flush=True,
    )
    measured = compare(setup)
    print(report(setup, measured, peak(setup)))
    if math.isclose(setup.width, 0.25):
        print("This is a small network on small images: --full measures the paper's, on a GPU.")


if __name__ == "__main__":
    main()
