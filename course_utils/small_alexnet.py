"""The small AlexNet that a student trains and hands in as weights: its size, its images, and the file.

The network itself is the student's own. Needs torch only where it trains.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.data import Dataset, Split, load_shapes
from course_utils.data.progress import Progress
from course_utils.environment import show
from course_utils.runner import describe_error

CLASSES = 10
WIDTH = 0.125  # 12 channels in conv1, 512 units in fc6
IMAGE_SIZE = 99  # pixels; conv1 leaves 23×23, and conv3 to conv5 work on 5×5
WEIGHTS = "alexnet_weights.npz"
MEAN, DEVIATION = 0.45, 0.2  # of the pixels of the shapes, all channels together, to two decimals


def scaled(images: np.ndarray) -> np.ndarray:
    """Pixels in [0, 1] as the small AlexNet reads them: (x − 0.45) / 0.2, float32, of mean 0 and deviation 1."""
    return (np.asarray(images, dtype=np.float32) - np.float32(MEAN)) / np.float32(DEVIATION)


def load_small(train: int = 5000, validation: int = 500, test: int = 1000) -> Dataset:
    """The shapes at 99×99 pixels as the small AlexNet reads them: see `load_shapes` and `scaled`."""
    data = load_shapes(IMAGE_SIZE, train, validation, test)

    def part(split: Split) -> Split:
        return Split(scaled(split.images), split.labels)

    return Dataset(data.name, part(data.train), part(data.validation), part(data.test), data.classes)


def is_unwritten(function: Any) -> bool:
    """Whether a function of the notebook is still the stub that raises NotImplementedError."""
    return "NotImplementedError" in getattr(getattr(function, "__code__", None), "co_names", ())


def train_and_write(
    train_alexnet: Callable[..., Any],
    load_data: Callable[[], Any] = load_small,
    seed: int = 0,
    again: bool = False,
    path: str = WEIGHTS,
) -> None:
    """Train with the student's `train_alexnet(load_data(), seed, device)`; write the weights, whole or not at all.

    On the GPU where there is one, else on one thread of the CPU. Where the file is there already, nothing is trained
    unless `again` is True. The file holds each parameter as a float32 array under its name in the network's
    `state_dict()`, for example conv1.weight.
    """
    if is_unwritten(train_alexnet):
        show("train_alexnet is not written yet, so there is nothing to train.")
        return
    if Path(path).exists() and not again:
        show(f"{path} is there already, so nothing is trained. With again=True it is trained afresh and replaced.")
        return
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    # The layers are narrow: a second thread gains little, and on a busy machine the two wait for each other.
    torch.set_num_threads(1)
    data = load_data()
    started = time.monotonic()
    try:
        with _clock():
            model = train_alexnet(data, seed, device)
    except NotImplementedError as error:
        show(f"{describe_error(error)['function'] or 'What it uses'} is not written yet, so nothing is trained.")
        return
    finally:
        torch.set_num_threads(threads)
    if not isinstance(model, torch.nn.Module):
        show(f"train_alexnet returns {type(model).__name__}, should return the trained network. Nothing is written.")
        return
    arrays = {name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()}
    try:
        _write(Path(path), arrays)
    except OSError as error:
        show(f"{path} could not be written: {error.strerror or error}. Mend that, and train again.")
        return
    seconds = time.monotonic() - started
    show(f"Trained in {seconds:.0f} s on {device}. {path} holds {sum(a.size for a in arrays.values()):,} numbers.")


@contextlib.contextmanager
def _clock() -> Iterator[None]:
    """Shows how long it has taken so far: the student's function need not say anything."""
    done, started, told = threading.Event(), time.monotonic(), 0

    def tick() -> None:
        nonlocal told
        while not done.wait(1.0):
            seconds = round(time.monotonic() - started)
            progress.advance(seconds - told)
            told = seconds

    ticking = threading.Thread(target=tick, daemon=True)
    with Progress("Training", 0, lambda seconds: f"{seconds} s") as progress:
        ticking.start()
        try:
            yield
        finally:
            done.set()
            ticking.join()


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
