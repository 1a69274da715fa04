"""Small runs for the tests of training: images that can be told apart, and a script for several processes.

``torchrun --nproc_per_node=2 -m tests.training_runs FOLDER`` trains as `main` says and writes what came out.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from course_utils._training.distributed import Team, leave, without_exchange
from course_utils.train import Augmentation, fit

CROP = 12


def made_images(count=45, side=14, seed=0, classes=3):
    """Bytes (count, 3, side, side) and labels: noise with a bright bar, whose column and colour are the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    images = rng.integers(0, 60, (count, 3, side, side), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label % 3, :, 3 + 3 * label : 6 + 3 * label] += np.uint8(150)
    return images, labels


def small_data(seed=0):
    """Training and validation images."""
    return made_images(45, seed=seed), made_images(20, seed=seed + 100)


def small_model(seed=0, dropout=0.0, dtype=torch.float32, classes=3):
    """Convolution, ReLU, pooling, dropout, and one fully connected layer."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(96, classes),
    )
    return model.to(dtype)


def train(model, **options):
    """`fit` on the small data with crops, flips, colours and brightness, quietly and on the CPU."""
    settings = {
        "data": small_data(),
        "epochs": 3,
        "device": "cpu",
        "batch_size": 16,
        "learning_rate": 0.05,
        "augment": Augmentation(CROP, colour=0.1, brightness=0.2),
        "progress": "quiet",
    }
    return fit(model, **(settings | options))


def sharded(accumulate=1, epochs=3, **options):
    """A run in float64 whose batches divide unevenly: 45 images in batches of 11, the last one of a single image."""
    model = small_model(dtype=torch.float64)
    history = train(model, epochs=epochs, batch_size=11, accumulate=accumulate, patience=1, **options)
    return model.state_dict(), history


def one_batch():
    """Eleven images in float64, and their labels."""
    images, labels = made_images(11)
    return torch.from_numpy(images / 255.0), torch.from_numpy(labels)


def uneven_gradients(rank):
    """This process's gradients of the mean loss over `one_batch`: 4 + 3 of its images are ours, or 1 + 3."""
    images, labels = one_batch()
    model = small_model(dtype=torch.float64)
    team = Team(torch.device("cpu"))
    wrapped = team.wrap(model)
    first, second = (slice(0, 4), slice(4, 7)) if rank == 0 else (slice(7, 8), slice(8, 11))
    for part in (first, second):
        with without_exchange(wrapped) if part is first else nullcontext():
            loss = functional.cross_entropy(wrapped(images[part]), labels[part], reduction="sum") / 11
            (loss * team.world).backward()
    return [each.grad for each in model.parameters()]


def main(folder: Path) -> None:
    """Several runs in the processes of torchrun; each process keeps its weights and histories."""
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    runs = {
        "gradients": uneven_gradients(rank),
        "whole": sharded(),
        "accumulated": sharded(accumulate=3),
        "saved": sharded(epochs=1, out=folder / "run"),
        "resumed": sharded(out=folder / "run", resume=folder / "run" / "checkpoint.pt"),
    }
    torch.save(runs, folder / f"rank{rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    leave(0)
