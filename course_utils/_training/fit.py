"""`fit`: puts a run together and starts it."""

from __future__ import annotations

import gc
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from course_utils._training.augment import Augmentation
from course_utils._training.checkpoint import load_checkpoint
from course_utils._training.diagnosis import is_out_of_memory, out_of_memory
from course_utils._training.distributed import Team
from course_utils._training.errors import TrainingError
from course_utils._training.evaluation import measure
from course_utils._training.loading import load_images
from course_utils._training.loop import LATEST, Loop
from course_utils._training.pixels import Pixels, PixelStatistics
from course_utils._training.plan import EpochPlan, Piece
from course_utils._training.precision import Precision
from course_utils._training.progress import reporter
from course_utils._training.sets import ImageSet, as_set, as_sets
from course_utils._training.settings import Settings
from course_utils.device import choose_device, describe_device


def fit(
    model: nn.Module,
    data: Any,
    epochs: int,
    device: str | torch.device | None = None,
    *,
    batch_size: int = 128,
    learning_rate: float = 0.01,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    precision: str = "auto",
    accumulate: int = 1,
    augment: Augmentation | None = None,
    normalize: str = "standard",
    patience: int | None = 2,
    early_stopping: int | None = None,
    seed: int = 0,
    compile: bool | str = False,
    loading: str = "auto",
    workers: int | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    save_minutes: float = 10.0,
    progress: str = "auto",
) -> list[dict[str, float]]:
    """Train `model` in place on images (N, C, H, W) with labels (N,), and return a record of each epoch.

    data: a `Dataset`, a pair (train, validation) of `Split`s or of pairs (images, labels), or one of them alone. Images
        are uint8 or float in [0, 1].
    device: "cpu", "cuda", "cuda:1"; None takes a GPU where there is one. The model stays there afterwards.
    batch_size: images in one update, over all processes and pieces together.
    learning_rate, momentum, weight_decay: of the paper's rule (`AlexNetSGD`).
    precision: "float32", "bf16", "fp16", or "auto" for what helps on the device.
    accumulate: the number of pieces in which a batch goes through the network, for less memory and the same update
        (batch norm, which looks at a piece, and dropout excepted).
    augment: what is done to training images, None for nothing. Where it crops, evaluation takes the middle square.
    normalize: "standard" (mean 0, standard deviation 1 in each channel), "paper" (mean 0 on the scale of 0 to 255, for
        `alexnet_init`), or "none".
    patience: divide the learning rate by ten after so many epochs without a new best validation error, at most three
        times; None never does.
    early_stopping: stop after so many such epochs; None trains all `epochs`.
    seed: of the order of the images, their augmentation and dropout. The model's own weights are made before.
    compile: True runs the model through `torch.compile`; a text names its backend.
    loading: "device" keeps all images there and cuts them there; "workers" reads and cuts them in `workers` processes;
        "process" does it in this one; "auto" chooses.
    out: a folder for checkpoint.pt (after every epoch, every `save_minutes`, and at Ctrl-C) and best.pt (the weights
        with the best validation error).
    resume: a checkpoint.pt to go on from. On a CPU the result is the uninterrupted run's to the bit. `epochs` counts
        from the very beginning, and the learning rate is the checkpoint's.
    progress: "auto" (a bar and curves in a notebook, a bar on a terminal, else lines), "lines" or "quiet".

    Returns a list of dicts: epoch (from 1), learning_rate, train_loss, train_error, seconds and images_per_second of
    the training alone, and validation_loss, validation_error (top 1), validation_top5_error, each error from 0 to 1.

    Under torchrun every process calls it with the same arguments; the first one prints and writes.

    Raises `ValueError` for an argument out of range; `TrainingError` with a message that says what to do where the data
    or the checkpoint do not fit, the loss is no number, or memory runs out; `TrainingInterrupted` after Ctrl-C.
    """
    settings = Settings(
        epochs, batch_size, learning_rate, momentum, weight_decay, precision, accumulate, augment, normalize, patience,
        early_stopping, seed, compile, loading, workers, save_minutes,
    )  # fmt: skip
    train, validation = as_sets(data)
    if validation is None and early_stopping is not None:
        raise ValueError("Early stopping needs validation images.")
    state = None if resume is None else load_checkpoint(resume)
    where = choose_device(device)
    sets = {"train": train} | ({} if validation is None else {"validation": validation})
    crop = _crop(augment, sets)
    team = Team(where)
    problem = ""
    try:
        # The global generators are left as they were: a run depends on its seed alone, and changes nobody's draws.
        with torch.random.fork_rng([where] if where.type == "cuda" else []):
            torch.manual_seed(settings.seed * 1000 + team.rank)
            return _fit(model, sets, settings, team, crop, state, resume, out, progress)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        at_once = -(-batch_size // (team.world * accumulate))
        shape = (train.channels, *((crop, crop) if crop else train.side))
        name = torch.cuda.get_device_name(where) if where.type == "cuda" else "the CPU"
        chosen = Precision(precision, where, next(model.parameters()).dtype).name
        problem = out_of_memory(name, at_once, batch_size, accumulate, shape, chosen)
    finally:
        team.end()
    # Outside the handler: the error's traceback would keep the tensors that filled the memory.
    gc.collect()
    if where.type == "cuda":
        torch.cuda.empty_cache()
    raise TrainingError(problem)


def evaluate(
    model: nn.Module,
    split: Any,
    train: Any,
    device: str | torch.device | None = None,
    *,
    batch_size: int = 256,
    precision: str = "auto",
    normalize: str = "standard",
    crop: int | None = None,
) -> dict[str, float]:
    """Return the mean loss and the top-1 and top-5 errors ("loss", "error", "top5_error") of `model` on `split`.

    train: the training data as `fit` had them: their mean and standard deviation are taken away here too.
    crop: the side of the middle square that is cut out; None takes whole images.
    The other arguments are those of `fit`, and so is what is raised.
    """
    where = choose_device(device)
    sets = {"train": as_set(train, "training"), "split": as_set(split, "evaluated")}
    if not all(map(len, sets.values())):
        raise TrainingError("There are no images to evaluate, or none to take the mean from.")
    chosen = Precision(precision, where, next(model.parameters()).dtype)
    model.to(where, memory_format=torch.channels_last)
    pixels = Pixels(PixelStatistics.of(sets.pop("train")), normalize, chosen.dtype, where)
    _check_fit(model, sets, pixels, chosen, crop)
    team = Team(where)
    images = load_images(sets, None, crop, where, "auto", None, team.world)
    plan = EpochPlan.in_order(len(sets["split"]), batch_size)
    try:
        pieces = chain.from_iterable(plan.pieces(0, team.rank, team.world, 1))
        return measure(model, images.batches("split", pieces), pixels, chosen, team)
    finally:
        images.close()
        team.end()


def _fit(
    model: nn.Module,
    sets: dict[str, ImageSet],
    settings: Settings,
    team: Team,
    crop: int | None,
    state: dict[str, Any] | None,
    resume: str | Path | None,
    out: str | Path | None,
    progress: str,
) -> list[dict[str, float]]:
    device = team.device
    shown = reporter(progress, team.leads)
    own = next(model.parameters()).dtype
    precision = Precision(settings.precision, device, own)
    model.to(device, memory_format=torch.channels_last)
    if state is not None and "statistics" not in state:
        raise TrainingError(
            f"The file {resume} holds weights alone. Resuming needs a {LATEST}; load_weights reads both."
        )
    statistics = PixelStatistics.of(sets["train"]) if state is None else PixelStatistics(**state["statistics"])
    pixels = Pixels(statistics, settings.normalize, precision.dtype, device)
    images = load_images(sets, settings.augment, crop, device, settings.loading, settings.workers, team.world)
    shown.say(describe_device(device, precision.name, team.world))
    benchmark = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True  # the sizes stay the same, so the fastest kernels are worth looking for
    try:
        _check_fit(model, sets, pixels, precision, crop)
        loop = Loop(model, sets, images, pixels, precision, team, settings, shown, None if out is None else Path(out))
        if state is not None:
            loop.restore(state, resume)
        return loop.run()
    finally:
        torch.backends.cudnn.benchmark = benchmark
        images.close()
        shown.end()


def _crop(augment: Augmentation | None, sets: dict[str, ImageSet]) -> int | None:
    """The side of the square that is used of every image. Raises `TrainingError` where images do not fit together."""
    crop = None if augment is None else augment.crop
    for name, each in sets.items():
        if crop is not None and crop > min(each.side):
            height, width = each.side
            raise TrainingError(f"A square of {crop} pixels cannot be cut out of {name} images of {height}×{width}.")
        if crop is None and each.side != sets["train"].side:
            raise TrainingError("Training and validation images have different sizes: let augment crop them to one.")
    return crop


def _check_fit(
    model: nn.Module, sets: dict[str, ImageSet], pixels: Pixels, precision: Precision, crop: int | None
) -> None:
    """Raise `TrainingError` where the network does not take such images, or has too few classes."""
    first = next(iter(sets.values()))
    shape = (first.channels, *((crop, crop) if crop else first.side))
    sample = Piece(np.arange(1), None, None, 1, 1)
    x = pixels.prepare(torch.zeros(1, *shape, device=pixels.device, dtype=torch.uint8), sample, None)
    was_training = model.training
    try:
        with torch.inference_mode(), precision.autocast():
            logits = model.eval()(x)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        size = "×".join(map(str, shape))
        raise TrainingError(f"The network does not take images of {size}: {str(error).splitlines()[0]}") from None
    finally:
        model.train(was_training)
    largest = max(int(each.labels.max()) for each in sets.values())
    if logits.ndim != 2 or largest >= logits.shape[1]:  # a GPU would crash in the middle of it
        out = "×".join(map(str, logits.shape[1:]))
        raise TrainingError(f"The network gives {out} numbers for an image, but there is a label {largest}.")
