"""One form for the images that come in: arrays, tensors, splits, or sequences that read their images from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils._training.errors import TrainingError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and their labels.

    images: (N, C, H, W), uint8 from 0 to 255 or float in [0, 1]; an array, or anything with a length and a shape that
        gives such an array when it is indexed by a row of indices.
    labels: (N,) int64, the classes from 0 on.
    """

    images: Any
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def in_memory(self) -> bool:
        """Whether the images are an array, not files that are read when they are indexed."""
        return isinstance(self.images, np.ndarray)

    @property
    def channels(self) -> int:
        """C."""
        return self.images.shape[1]

    @property
    def side(self) -> tuple[int, int]:
        """Height and width."""
        return tuple(self.images.shape[2:])


def as_sets(data: Any) -> tuple[ImageSet, ImageSet | None]:
    """Return the training and the validation set of `data`; without a validation set the second is None.

    `data` is a `Dataset` or whatever else has `train` and `validation`; a pair (train, validation), each of them with
    `images` and `labels` or a pair of the two; or one such set alone.

    Raises `TrainingError` where shapes, types or labels do not fit.
    """
    if hasattr(data, "train"):
        train, validation = data.train, getattr(data, "validation", None)
    elif _is_split(data):
        train, validation = data, None
    elif isinstance(data, Sequence) and len(data) == 2:
        nested = _is_split(data[0]) or isinstance(data[0], tuple | list)
        train, validation = data if nested else (data, None)
    else:
        raise TrainingError(
            f"The data are a Dataset, a pair (train, validation) or a pair (images, labels), not {type(data).__name__}."
        )
    first = as_set(train, "training")
    if len(first) == 0:
        raise TrainingError("There are no training images.")
    second = None if validation is None else as_set(validation, "validation")
    if second is None or len(second) == 0:
        return first, None
    if second.channels != first.channels:
        raise TrainingError(
            f"The training images have {first.channels} channels and the validation images {second.channels}."
        )
    return first, second


def as_set(split: Any, name: str) -> ImageSet:
    """Return `split` as an `ImageSet`; `name` is for messages. Raises `TrainingError` as `as_sets` does."""
    images, labels = (split.images, split.labels) if _is_split(split) else split
    if not (hasattr(images, "shape") and hasattr(images, "__getitem__")) or hasattr(images, "numpy"):
        images = np.asarray(images)
    labels = np.asarray(labels)
    if len(images.shape) != 4:
        raise TrainingError(f"The {name} images have shape {tuple(images.shape)}; (N, C, H, W) is needed.")
    if labels.shape != (len(images),):
        raise TrainingError(f"There are {len(images)} {name} images and labels of shape {labels.shape}.")
    if len(labels) and (labels.dtype.kind not in "iu" or labels.min() < 0):
        raise TrainingError(f"The {name} labels are whole numbers from 0 on; these are not.")
    if isinstance(images, np.ndarray) and not (images.dtype == np.uint8 or images.dtype.kind == "f"):
        raise TrainingError(f"The {name} images are uint8 or float, not {images.dtype}.")
    return ImageSet(images, labels.astype(np.int64))


def _is_split(data: Any) -> bool:
    return hasattr(data, "images") and hasattr(data, "labels")
