"""The 1797 hand-written digits of scikit-learn, 8×8 pixels each, read from the file that travels with the course."""

from __future__ import annotations

import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from course_utils.data.splits import DataError, Dataset, Split

DIGITS = Path(__file__).with_name("digits.npz")
COUNT, TRAIN, VALIDATION = 1797, 1197, 300
# What NumPy and zipfile raise on a file that is cut short, overwritten or no archive at all.
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)
LEVELS = 16  # a pixel counts the dark dots of a 4×4 block: 0 to 16


def load_digits(path: str | Path = DIGITS) -> Dataset:
    """Return the digits as a `Dataset`, the same split at every call: 1197 to train, 300 to validate, 300 to test.

    Images are (N, 1, 8, 8) float64 in [0, 1], labels (N,) int64 from 0 to 9. Every call returns fresh copies.
    Raises `DataError` when the file is missing or damaged.
    Source: the UCI ML hand-written digits (Alpaydin & Kaynak, 1998), as bundled with scikit-learn.
    """
    raw_images, raw_labels = _read(Path(path))

    def split(rows: slice) -> Split:
        # Dividing and converting makes new arrays, so no caller can change another's data.
        return Split(raw_images[rows, None] / LEVELS, raw_labels[rows].astype(np.int64))

    return Dataset(
        "digits",
        train=split(slice(0, TRAIN)),
        validation=split(slice(TRAIN, TRAIN + VALIDATION)),
        test=split(slice(TRAIN + VALIDATION, COUNT)),
        classes=tuple("0123456789"),
    )


@lru_cache(maxsize=1)
def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The file's images (1797, 8, 8) and labels (1797,), both uint8 and read-only."""
    cure = "Copy it again from the course's course_utils/data folder, or install the course again."
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
    except FileNotFoundError:
        raise DataError(f"The digits are missing: there is no file {path}. {cure}") from None
    except PermissionError:
        raise DataError(f"The digits cannot be read: this user may not open {path}.") from None
    except _DAMAGED:
        raise DataError(f"The digits cannot be read: the file {path} is damaged. {cure}") from None
    good = (
        images.shape == (COUNT, 8, 8)
        and labels.shape == (COUNT,)
        and images.dtype == labels.dtype == np.uint8
        and images.max() <= LEVELS
        and labels.max() <= 9
    )
    if not good:
        raise DataError(f"The digits cannot be used: the file {path} does not hold 1797 images of 8×8. {cure}")
    images.flags.writeable = labels.flags.writeable = False
    return images, labels
