"""AlexNet's design choices on a small scale: the network without one of its parts at a time, for several seeds.

`course_utils.models.AlexNet` at a twelfth of its width learns four kinds of shapes, 48×48 pixels, in two seconds. The
paper's initial weights, with standard deviation 0.01, are made for its wide layers: here the signal would shrink from
layer to layer. So the hidden layers start from He's, and only the last layer from the paper's. Adam with a cosine
schedule takes the place of the paper's 90 epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from course_utils.data.splits import Split
from course_utils.experiments.augmented import four_shapes

WIDTH, SIZE, BATCH, RATE = 1 / 12, 48, 25, 0.0015  # from 48 pixels on conv1 has stride 2: half the time of 32

# Student's t: within this many standard errors lie 95 % of the means of 2, 3, … 10 differences that are 0 on average.
_T = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)

Progress = Callable[[int, int], None]  # called with the number of runs that are done, and of all


@dataclass(frozen=True)
class Variant:
    """A change to the network, and what the literature found on ImageNet.

    name: what the table says. options: keyword arguments of `course_utils.models.AlexNet`.
    paper: percentage points by which the error rose in the paper, or None where no figure is given.
    source: where the figure is from and which error it counts, or what the paper says instead of a figure.
    """

    name: str
    options: dict
    paper: float | None
    source: str


_LECTURE = "lecture, R. Fergus: performance lost by an AlexNet with 18.2 % top-5 error"
VARIANTS = (
    Variant("full network", {}, None, ""),
    Variant("without LRN", {"norm": False}, 1.4, "Krizhevsky et al. 2012, §3.3: top-1 (top-5: 1.2)"),
    Variant("plain 2×2 pooling", {"overlapping": False}, 0.4, "Krizhevsky et al. 2012, §3.4: top-1 (top-5: 0.3)"),
    Variant("without dropout", {"dropout": 0.0}, None, "Krizhevsky et al. 2012, §4.2: “substantial overfitting”"),
    Variant("without fc7", {"without": ("fc7",)}, 1.1, _LECTURE),
    Variant("without conv3, conv4, fc6, fc7", {"without": ("conv3", "conv4", "fc6", "fc7")}, 33.5, _LECTURE),
)


@dataclass(frozen=True)
class Row:
    """What became of one variant, in R runs.

    parameters: of the small network. full_size: of the same variant at full size, with 227×227 images, 1000 classes and
    two groups. test_errors, train_errors: shares of wrong answers, (R,), in the order of the seeds.
    """

    variant: Variant
    parameters: int
    full_size: int
    test_errors: np.ndarray
    train_errors: np.ndarray


@dataclass(frozen=True)
class Ablation:
    """The rows of all variants, the full network first."""

    rows: tuple[Row, ...]

    def difference(self, row: Row) -> tuple[float, float]:
        """By how much the row's test error exceeds the full network's: mean over the seeds, and its standard error.

        A seed draws the order of the images for both, so the differences are taken seed by seed.
        """
        gaps = row.test_errors - self.rows[0].test_errors
        return float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(len(gaps)))

    def margin(self, row: Row) -> float:
        """Half the width of the 95 % interval around `difference`, by Student's t (10 seeds' factor for more)."""
        return self.difference(row)[1] * _T[min(len(row.test_errors) - 2, len(_T) - 1)]

    def verdict(self, row: Row) -> str:
        """One plain sentence: whether the variant is worse, better, or not to be told from chance (95 %)."""
        mean = self.difference(row)[0]
        if abs(mean) <= self.margin(row):
            return "These seeds do not tell it from chance."
        return "Worse than the full network here." if mean > 0 else "Better than the full network here."


def ablation(
    seeds: Sequence[int] = (0, 1, 2),
    variants: Sequence[Variant] = VARIANTS,
    train: int = 400,
    test: int = 250,
    epochs: int = 4,
    workers: int = 2,
    progress: Progress = lambda done, total: None,
) -> Ablation:
    """Train every variant once for each seed, and return the errors.

    The first variant is what the others are compared with. train, test: images of each of the four classes.
    seeds: at least two; each draws its first weights, the order of its images and the units that dropout drops.
    workers: runs at a time. The numbers do not depend on it: each run has its own thread and its own generator.
    progress: called after each run with the number of runs that are done, and of all.
    """
    from course_utils.models import AlexNet, count_parameters

    learned, unseen = four_shapes(SIZE, train, test)
    jobs = [(variant, seed) for variant in variants for seed in seeds]
    errors = np.array(
        in_parallel([lambda job=job: _errors(*job, learned, unseen, epochs) for job in jobs], workers, progress)
    ).reshape(len(variants), len(seeds), 2)
    rows = []
    for variant, found in zip(variants, errors, strict=True):
        counts = []
        for classes, groups, width, size in ((4, 1, WIDTH, SIZE), (1000, 2, 1.0, 227)):
            with on_meta():
                counts.append(count_parameters(AlexNet(classes, groups, width, size, **variant.options)))
        rows.append(Row(variant, *counts, found[:, 0], found[:, 1]))
    return Ablation(tuple(rows))


def in_parallel(jobs: Sequence[Callable[[], object]], workers: int, progress: Progress) -> list:
    """Call the jobs, `workers` at a time, each with one thread of PyTorch, and return what they return, in order."""
    import torch

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    found = []
    try:
        for result in pool.map(lambda job: job(), jobs):
            found.append(result)
            progress(len(found), len(jobs))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
    return found


@contextmanager
def on_meta() -> Iterator[None]:
    """Layers made here have shapes and no numbers, so that the full-size network costs nothing."""
    import torch

    with torch.device("meta"):
        yield


def tensors(split: Split):
    """Images as standardized channels-last pixels (N, 3, S, S), in round numbers, and labels (N,)."""
    import torch

    pixels = torch.from_numpy((np.asarray(split.images, np.float32) - 0.45) / 0.2)
    return pixels.contiguous(memory_format=torch.channels_last), torch.from_numpy(split.labels).long()


def start(make: Callable, generator, nonlinearity: str = "relu"):
    """The network that `make()` returns, with weights drawn from `generator`: on a thread's own, not PyTorch's.

    Hidden layers get He's normal weights (for "linear", those that keep the variance where the function is nearly the
    identity), the last layer N(0, 0.01²), as in the paper, and all biases are 0. With He's weights in the last layer
    the max pools, which only ever raise values, would make the first logits so large that the first steps kill ReLUs.
    """
    import torch
    from torch import nn

    with on_meta():
        model = make()
    model = model.to_empty(device="cpu")
    weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    for parameter in model.parameters():
        if parameter.ndim == 1:
            nn.init.zeros_(parameter)
        elif parameter is weights[-1]:
            nn.init.normal_(parameter, 0, 0.01, generator=generator)
        else:
            nn.init.kaiming_normal_(parameter, nonlinearity=nonlinearity, generator=generator)
    return model.to(memory_format=torch.channels_last)


def _errors(variant: Variant, seed: int, learned: Split, unseen: Split, epochs: int) -> tuple[float, float]:
    """Train one network and return its errors on the test images and on as many training images."""
    import torch
    from torch.nn.functional import cross_entropy

    from course_utils.models import AlexNet

    generator = torch.Generator().manual_seed(seed)
    model = start(lambda: AlexNet(4, 1, WIDTH, SIZE, **variant.options), generator)
    _drop_from(generator, model)
    orders = np.random.default_rng(seed)  # the same images in the same order for every variant
    images, labels = tensors(learned)
    steps = epochs * -(-len(images) // BATCH)
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        for rows in torch.from_numpy(orders.permutation(len(images))).split(BATCH):
            loss = cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
    model.eval()
    test_images, test_labels = tensors(unseen)
    some = slice(len(test_images))
    with torch.no_grad():
        return tuple(
            (model(x).argmax(1) != y).double().mean().item()
            for x, y in ((test_images, test_labels), (images[some], labels[some]))
        )


def _drop_from(generator, model) -> None:
    """Let the dropout layers draw from `generator`: PyTorch's own is shared by all threads."""
    import torch
    from torch import nn

    def drop(layer, inputs, out):
        if not layer.training:
            return out
        return out * (torch.rand(out.shape, generator=generator) >= layer.probability) / (1 - layer.probability)

    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.probability, layer.p = layer.p, 0.0
            if layer.probability:
                layer.register_forward_hook(drop)
