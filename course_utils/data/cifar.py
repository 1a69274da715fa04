"""CIFAR-10: 60,000 photographs of 32×32 pixels in ten classes, from its authors' archive."""

from __future__ import annotations

import tarfile
import zlib
from operator import index
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from course_utils.data.download import Source, obtain
from course_utils.data.pixels import as_type, image_type
from course_utils.data.splits import DataError, Dataset, Split

# The binary version: the Python version is pickled, and reading a pickle can run any program.
SOURCE = Source(
    "CIFAR-10",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",  # as in TensorFlow Datasets; the page has MD5
    170_052_171,
    "load_cifar10(download=True)",
)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
RECORDS = 10_000  # images in a file
_FOLDER = "cifar-10-batches-bin"
_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32  # a label, then the red, the green and the blue pixels, row by row


def load_cifar10(
    path: str | Path | None = None,
    train: int | None = None,
    validation: int = 5000,
    test: int | None = None,
    download: bool = False,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Return CIFAR-10: 45,000 images to train, 5,000 to validate, and the 10,000 of its own test set.

    path: the archive cifar-10-binary.tar.gz, or the folder with its .bin files (or around that folder). None stands for
        the archive in the cache folder, and nothing is fetched unless `download` is true.
    train, test: take the first so many images only; None takes all.
    validation: how many of the 50,000 training images to set aside, the last of every class, the same number of each: a
        multiple of 10 below 50,000. They are never part of `train`.
    dtype: float32 gives images (N, 3, 32, 32) in [0, 1], 740 MB for all of them; uint8 gives 0 to 255 in 184 MB.

    Raises `DataError` where it is missing, damaged, or cannot be fetched; `ValueError` for an impossible number.
    Source: Krizhevsky, Learning multiple layers of features from tiny images (2009).
    """
    kind = image_type(dtype)
    per_class, rest = divmod(index(validation), len(CLASSES))
    if rest or not 0 <= validation < len(TRAIN_FILES) * RECORDS:
        raise ValueError(f"validation is a multiple of 10 from 0 to 49,990, not {validation}.")
    for name, count in (("train", train), ("test", test)):
        if count is not None and index(count) < 0:
            raise ValueError(f"There cannot be {count} images in {name}.")
    where = obtain(SOURCE, download) if path is None else Path(path).expanduser()
    contents = _contents(where, [*TRAIN_FILES, TEST_FILE])
    pixels, labels = _images(where, contents[:-1])
    held_out = np.zeros(len(labels), dtype=bool)
    for label in range(len(CLASSES)):
        members = np.flatnonzero(labels == label)
        held_out[members[len(members) - per_class :]] = True
    test_pixels, test_labels = _images(where, contents[-1:])

    def split(pixels: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> Split:
        return Split(as_type(pixels[rows], kind), labels[rows].astype(np.int64))

    return Dataset(
        "cifar10",
        train=split(pixels, labels, np.flatnonzero(~held_out)[:train]),
        validation=split(pixels, labels, np.flatnonzero(held_out)),
        test=split(test_pixels, test_labels, np.arange(len(test_labels))[:test]),
        classes=CLASSES,
    )


def _images(where: Path, contents: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The images (N, 3, 32, 32) and labels (N,) of some files, both uint8."""
    records = np.concatenate([np.frombuffer(content, dtype=np.uint8).reshape(-1, _RECORD) for content in contents])
    labels = records[:, 0]
    if labels.max() >= len(CLASSES):
        raise DataError(f"The files in {where} are not CIFAR-10's: a label is {labels.max()}.")
    return records[:, 1:].reshape(-1, *_SHAPE), labels


def _contents(where: Path, names: list[str]) -> list[bytes]:
    """What is in the files, which `where` holds as a folder or as an archive."""
    try:
        if not where.is_dir():
            return _from_archive(where, names)
        folder = next((each for each in (where, where / _FOLDER) if (each / names[0]).exists()), None)
        if folder is not None:
            return _from_folder(folder, names)
        if (where / SOURCE.name).exists():
            return _from_archive(where / SOURCE.name, names)
    except FileNotFoundError as error:
        raise DataError(f"There is no file or folder {error.filename}. {SOURCE.call} fetches CIFAR-10.") from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"The archive {where} is damaged: {error}. Delete it, and get it again.") from None
    except OSError as error:
        raise DataError(f"CIFAR-10 cannot be read from {where}: {error.strerror or error}.") from None
    pickled = any((each / "data_batch_1").exists() for each in (where, where / "cifar-10-batches-py"))
    hint = " (what is there is the pickled version, which this course does not open)" if pickled else ""
    raise DataError(f"The folder {where} does not hold CIFAR-10's {names[0]}{hint}. {SOURCE.call} fetches CIFAR-10.")


def _from_folder(folder: Path, names: list[str]) -> list[bytes]:
    contents = [(folder / name).read_bytes() for name in names]
    for name, content in zip(names, contents, strict=True):
        if len(content) != RECORDS * _RECORD:
            raise DataError(f"The file {folder / name} is not CIFAR-10's: it does not hold {RECORDS:,} images.")
    return contents


def _from_archive(archive: Path, names: list[str]) -> list[bytes]:
    """The files' contents, read from the archive without unpacking it."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = member.name.rsplit("/", 1)[-1]
            if name in names and member.isfile() and member.size == RECORDS * _RECORD:
                found[name] = tar.extractfile(member).read()
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(f"The archive {archive} is not CIFAR-10's: there is no {missing[0]} of the right length in it.")
    return [found[name] for name in names]
