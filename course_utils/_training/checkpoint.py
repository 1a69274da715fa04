"""Checkpoints: written whole or not at all, and read as plain weights that cannot run code."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_utils._training.errors import TrainingError

FORMAT = "course_utils.train, 1"


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, texts, lists and dicts of them) to `path`, replacing what is there at one go.

    It goes into a file beside it, which is on the disk before it takes the name. So a crash leaves the old or the new
    checkpoint, never half of one. Raises `TrainingError` where it cannot be written; the old one is then untouched.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:  # PyTorch's zip writer turns a full disk into a RuntimeError
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise TrainingError(f"The checkpoint {path} could not be written: {reason}.") from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, all tensors on the CPU.

    Raises `TrainingError` with one sentence for a file that is missing, damaged, no checkpoint of this course, or that
    holds more than plain weights (such a file is not opened: it could run any program).
    """
    path = Path(path)
    if path.is_dir():
        raise TrainingError(f"{path} is a folder; the checkpoint in it is called checkpoint.pt.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"There is no checkpoint {path}.") from None
    except pickle.UnpicklingError as error:
        if re.search("unsupported (global|class)", str(error), re.IGNORECASE):
            message = f"The file {path} holds more than plain weights and was not opened: it could run any program."
        else:
            message = f"The file {path} is damaged or no checkpoint."
        raise TrainingError(message) from None
    except PermissionError as error:
        raise TrainingError(f"The checkpoint {path} cannot be read: {error.strerror}.") from None
    except Exception:  # damage shows as almost any kind of error
        raise TrainingError(f"The file {path} is damaged or no checkpoint.") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainingError(f"The file {path} is no checkpoint of course_utils.train.")
    return state


def check_weights(model: nn.Module, weights: dict[str, Any], path: str | Path) -> None:
    """Raise `TrainingError`, saying where they differ, unless `weights` fit `model`, which stays as it is."""
    own = model.state_dict()
    for name in [*own, *weights]:
        if name not in own or name not in weights:
            where = "the model" if name in own else "the checkpoint"
            raise TrainingError(f"{path} holds the weights of another network: only {where} has {name}.")
        here, there = tuple(own[name].shape), tuple(weights[name].shape)
        if here != there:
            raise TrainingError(
                f"{path} holds the weights of another network: {name} is {there} there and {here} in the model."
            )


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Load the weights of a checkpoint (checkpoint.pt or best.pt) into `model`, in place, and return it.

    Raises `TrainingError` as `load_checkpoint` does, and where they belong to another network.
    """
    weights = load_checkpoint(path).get("model")
    if not isinstance(weights, dict):
        raise TrainingError(f"The file {path} is a checkpoint without weights.")
    check_weights(model, weights, path)
    model.load_state_dict(weights)
    return model


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
