"""Learning four shapes from few pictures, which are changed a little each time the network sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from course_utils.data import load_shapes
from course_utils.data.splits import Split

CLASSES = ("circle", "triangle", "cross", "arrow")
BATCH, RATE = 25, 0.004

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # an image to the one that is seen


def four_shapes(size: int, train: int, test: int, seed: int = 0) -> tuple[Split, Split]:
    """Pictures of circles, triangles, crosses and arrows: training and test split, `train` and `test` of each class.

    The images are float32, (N, 3, size, size) in [0, 1]; the labels count from 0 in the order of `CLASSES`.
    """
    data = load_shapes(size=size, train=10 * train, validation=0, test=10 * test, seed=seed)
    numbers = [data.classes.index(name) for name in CLASSES]
    splits = []
    for split in (data.train, data.test):
        rows = np.isin(split.labels, numbers)
        splits.append(Split(split.images[rows], np.searchsorted(numbers, split.labels[rows])))
    return splits[0], splits[1]


def learn(images: np.ndarray, labels: np.ndarray, augment: Augment, seeds: Sequence[int], steps: int = 200):
    """Train one small convolutional network for each seed, side by side, on images as `augment` makes them.

    images: (R, N, 3, S, S), the images of each of the R seeds, or (R, N, …) with parts that `augment` takes, such as
    several versions of each image. labels: (R, N).
    augment: a function (images[r, i], rng) that gives the (3, s, s) image that the network sees, with s a multiple
    of 8. It is called anew each time an image is used.
    seeds: each draws its first weights, its batches of 25 images and its augmentation.

    Returns the networks for `logits` and `accuracy`.
    """
    import torch
    from torch.nn.functional import cross_entropy

    rngs = [np.random.default_rng(seed) for seed in seeds]
    with _one_thread(), torch.random.fork_rng([]):
        networks = _networks(seeds, augment(images[0][0], np.random.default_rng(0)).shape[-1])
        optimizer = torch.optim.Adam(networks.parameters(), lr=RATE)
        rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(steps):
            batches, targets = [], []
            for rng, own_images, own_labels in zip(rngs, images, labels, strict=True):
                rows = rng.integers(0, len(own_images), BATCH)
                batches.append(np.stack([augment(own_images[row], rng) for row in rows]))
                targets.append(own_labels[rows])
            seen = np.stack(batches, axis=1)  # (25, R, 3, s, s)
            scores = _scores(networks, seen).flatten(0, 1)  # (25·R, 4)
            # The mean over each seed's batch, added up: the networks share no weights, and so no gradients.
            loss = len(rngs) * cross_entropy(scores, torch.from_numpy(np.stack(targets, axis=1).ravel()))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
    return networks.eval()


def logits(networks, images: np.ndarray) -> np.ndarray:
    """Each network's logits, (R, N, 4), for images (N, 3, s, s) of the size they were trained with."""
    import torch

    runs = networks[1].groups
    with _one_thread(), torch.no_grad():
        scores = _scores(networks, np.repeat(np.asarray(images, np.float32)[:, None], runs, axis=1))
    return scores.transpose(0, 1).numpy()


def accuracy(networks, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The share of the images (N, 3, s, s) whose label each network finds, (R,)."""
    return np.mean(logits(networks, images).argmax(axis=2) == labels, axis=1)


def _networks(seeds: Sequence[int], side: int):
    """Two convolutions of 8 and 16 maps with pooling, batch norm and ReLU at half resolution, and an affine layer.

    Grouped convolutions keep the R networks apart. The affine layer is one that fills the whole map.
    """
    import torch
    from torch import nn

    runs = len(seeds)
    networks = nn.Sequential(
        nn.AvgPool2d(2),
        nn.Conv2d(3 * runs, 8 * runs, 3, padding=1, bias=False, groups=runs),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(8 * runs),
        nn.ReLU(),
        nn.Conv2d(8 * runs, 16 * runs, 3, padding=1, bias=False, groups=runs),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(16 * runs),
        nn.ReLU(),
        nn.Conv2d(16 * runs, len(CLASSES) * runs, side // 8, groups=runs),
    )
    for layer in networks:
        if isinstance(layer, nn.Conv2d):
            for seed, weights in zip(seeds, layer.weight.data.chunk(runs), strict=True):
                torch.manual_seed(seed)  # so that a seed starts alike, whichever others run beside it
                nn.init.kaiming_uniform_(weights, a=5**0.5)  # what PyTorch gives a layer
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return networks.to(memory_format=torch.channels_last)  # twice as fast, mostly in pooling


def _scores(networks, images: np.ndarray):
    """The logits (N, R, 4) for images (N, R, 3, s, s), one of them for each network."""
    import torch

    pixels = _shifted(np.ascontiguousarray(images, np.float32)).flatten(1, 2)
    scores = networks(pixels.contiguous(memory_format=torch.channels_last))
    return scores.reshape(len(images), images.shape[1], len(CLASSES))


def _shifted(images: np.ndarray):
    """Pixels with mean near 0 and standard deviation near 1: what the shapes have, in round numbers."""
    import torch

    return torch.from_numpy((images - 0.45) / 0.2)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The layers are tiny: on a busy machine PyTorch's threads would wait for each other, not compute."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
