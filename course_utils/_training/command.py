"""`python -m course_utils.train`: the command line, alone or under torchrun."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course_utils._training.augment import Augmentation
from course_utils._training.distributed import Team, first_of_its_machine
from course_utils._training.errors import TrainingError, TrainingInterrupted
from course_utils._training.fit import evaluate, fit
from course_utils._training.loading import PLACES
from course_utils._training.pixels import NORMALIZATIONS
from course_utils.device import PRECISIONS, choose_device
from course_utils.models import AlexNet, SmallConvNet, alexnet_init, count_parameters

_MARGIN = 256 / 227  # how much larger than the crop images are kept, as in the paper


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(
        prog="python -m course_utils.train",
        description="Trains AlexNet on a CPU or a GPU; on several: torchrun --nproc_per_node=N -m course_utils.train.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    add("--data", required=True, help="shapes, cifar10, imagenette, or a folder with one folder of images per class")
    add("--download", action="store_true", help="fetch cifar10 or imagenette where it is missing")
    add("--model", choices=("alexnet", "small"), default="alexnet")
    add(
        "--image-size",
        type=int,
        help="pixels that the network sees; 64 for shapes, 32 for cifar10, 128 for imagenette, else 227",
    )
    add("--width", type=float, default=1.0, help="factor for AlexNet's channels and hidden units")
    add("--groups", type=int, choices=(1, 2), default=2)
    add("--epochs", type=int, default=90)
    add("--batch-size", type=int, default=128, help="images in one update, over all processes and pieces together")
    add("--learning-rate", type=float, default=0.01)
    add("--patience", type=int, default=2, help="epochs without a better validation error before the rate is divided")
    add("--early-stopping", type=int, help="epochs without a better validation error before the run ends")
    add("--precision", choices=("auto", *PRECISIONS), default="auto")
    add("--accumulate", type=int, default=1, help="pieces of a batch that go through the network one after the other")
    add("--normalize", choices=NORMALIZATIONS, help="paper for alexnet, standard for small, unless it is given")
    add("--no-augment", action="store_true", help="no random crops and flips")
    add("--colour", type=float, default=0.0, help="deviation of the colour changes; the paper takes 0.1")
    add("--brightness", type=float, default=0.0)
    add("--compile", action="store_true", help="run the model through torch.compile")
    add("--loading", choices=PLACES, default="auto", help="where images are cut")
    add("--workers", type=int, help="processes that read images")
    add("--device", help="cpu, cuda or cuda:1; a GPU where there is one, unless it is given")
    add("--seed", type=int, default=0)
    add("--train", type=int, help="how many training images of shapes or cifar10")
    add("--out", type=Path, default=Path("runs/latest"), help="the folder for checkpoint.pt, best.pt and history.json")
    add("--resume", type=Path, help="a checkpoint.pt to go on from; the other arguments stay the same")
    add("--save-minutes", type=float, default=10.0, help="between two checkpoints within an epoch")
    add("--test", action="store_true", help="in the end measure the errors on the test images; do this once")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 where it could not go on, 2 for wrong usage, 130 after Ctrl-C."""
    asked = parser().parse_args(arguments)
    team = None
    try:
        device = choose_device(asked.device)
        team = Team(device)
        _train(asked, device, team)
        return 0
    except TrainingInterrupted as stopped:
        return _end(str(stopped), team, 130)
    except TrainingError as error:
        return _end(str(error), team, 1)
    except ValueError as error:
        return _end(str(error), team, 2)
    except RuntimeError as error:
        if hasattr(error, "_render_traceback_"):  # a DataError: it has one sentence
            return _end(str(error), team, 1)
        raise
    finally:
        if team is not None:
            team.end()


def _train(asked: argparse.Namespace, device: torch.device, team: Team) -> None:
    size = asked.image_size or {"shapes": 64, "cifar10": 32, "imagenette": 128}.get(asked.data, 227)
    with first_of_its_machine():
        data = load(asked, size)
    augment = None if asked.no_augment else Augmentation(size, True, asked.colour, asked.brightness)
    classes = len(data.classes)
    torch.manual_seed(asked.seed)
    if asked.model == "alexnet":
        model = alexnet_init(AlexNet(classes, asked.groups, asked.width, size), asked.seed)
    else:
        model = SmallConvNet(classes)
    normalize = asked.normalize or ("paper" if asked.model == "alexnet" else "standard")
    if team.leads:
        print(f"{asked.model}: {count_parameters(model):,} parameters, {classes} classes; {len(data.train):,} images.")
    history = fit(
        model,
        data,
        asked.epochs,
        device,
        batch_size=asked.batch_size,
        learning_rate=asked.learning_rate,
        precision=asked.precision,
        accumulate=asked.accumulate,
        augment=augment,
        normalize=normalize,
        patience=asked.patience,
        early_stopping=asked.early_stopping,
        seed=asked.seed,
        compile=asked.compile,
        loading=asked.loading,
        workers=asked.workers,
        out=asked.out,
        resume=asked.resume,
        save_minutes=asked.save_minutes,
    )
    if team.leads:
        (asked.out / "history.json").write_text(json.dumps(history, indent=1) + "\n")
    if asked.test:
        errors = evaluate(
            model, data.test, data.train, device, precision=asked.precision, normalize=normalize,
            crop=None if augment is None else size,
        )  # fmt: skip
        if team.leads:
            print(f"Test: error {errors['error']:.2%}, top 5 {errors['top5_error']:.2%}.")


def load(asked: argparse.Namespace, size: int) -> Any:
    """The `Dataset` that is asked for, its images a little larger than what the network sees where they are cropped."""
    from course_utils import data

    kept = size if asked.no_augment else round(size * _MARGIN)
    if asked.data == "shapes":
        return data.load_shapes(size=kept, train=asked.train or 8000, seed=asked.seed, dtype=np.uint8)
    if asked.data == "cifar10":
        if size > 32:
            raise ValueError(f"CIFAR-10's images have 32 pixels, not {size}.")
        return data.load_cifar10(train=asked.train, download=asked.download, dtype=np.uint8)
    if asked.data == "imagenette":
        return data.load_imagenette(size=kept, download=asked.download, dtype=np.uint8)
    return data.load_image_folder(asked.data, size=kept, dtype=np.uint8)


def _end(message: str, team: Team | None, status: int) -> int:
    if team is None or team.leads:
        print(message, file=sys.stderr, flush=True)
    return status
