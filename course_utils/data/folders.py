"""Folders of images, one folder for each class, as ImageNet is kept."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from course_utils.data.files import ImageFiles
from course_utils.data.progress import Progress
from course_utils.data.splits import DataError, Dataset, Split

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".ppm", ".tif", ".tiff")
_FOLDERS = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}


def load_image_folder(
    path: str | Path, size: int = 224, validation: float = 0.1, test: float = 0.1, dtype: DTypeLike = np.float32
) -> Dataset:
    """Return the images below `path`, one class for each folder, classes in the order of the folders' names.

    The images are `ImageFiles`: read from their files when they are indexed, their shorter side made `size` long and
    the middle square kept. Files with other endings than those of images, and hidden files, are left alone. No file is
    opened here: `broken()` of a split's images finds those that cannot be read.

    Three forms are understood. ``path/class/…``: validation and test are cut from every class. ``path/train/class/…``
    with one of ``path/val`` and ``path/test``: that is the test set, and validation is cut from every class of train.
    With both of them nothing is cut.

    validation, test: the parts of every class that are cut, at least one image each. Which ones depends on the files'
        names alone (a hash of "class/name"), so it is the same on every machine; the order in a split does too, and it
        mixes the classes.

    Raises `DataError` for a missing folder, no classes, classes without images, classes too small to be cut, and
    classes that are not the same everywhere; `ValueError` where a part is not between 0 and 1.
    """
    root = Path(path).expanduser()
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ValueError(f"The parts cut from a class lie between 0 and 1, not validation={validation}, test={test}.")
    folders = {split: _first_of(root, names) for split, names in _FOLDERS.items()}
    if not (folders["train"] and _subfolders(root / folders["train"])):
        listed = {"train": _listed(root, "")}
    else:
        listed = {split: _listed(root, folder) for split, folder in folders.items() if folder}
    classes = _common_classes(root, listed)
    if "test" not in listed and "validation" in listed:
        listed["test"] = listed.pop("validation")
    wanted = [(split, part) for split, part in (("validation", validation), ("test", test)) if split not in listed]
    for name in classes:
        _cut(root, name, wanted, listed)

    def split(name: str) -> Split:
        rows = sorted((key, file, label) for label, each in enumerate(classes) for key, file in listed[name][each])
        images = ImageFiles(root, [file for _, file, _ in rows], size, dtype)
        return Split(images, np.array([label for _, _, label in rows], dtype=np.int64))

    return Dataset(root.resolve().name, split("train"), split("validation"), split("test"), classes)


# The files of each class: a key, and the name from the root on.
_Listed = dict[str, list[tuple[bytes, str]]]


def _key(name: str, inside: str) -> bytes:
    """What decides where an image goes: its class and its name within it. Macs write "é" as two characters."""
    text = unicodedata.normalize("NFC", f"{name}/{inside}").encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=16).digest()


def _cut(root: Path, name: str, wanted: list[tuple[str, float]], listed: dict[str, _Listed]) -> None:
    """Move the first files of one class of train, in the order of their keys, to the splits that are wanted."""
    files = sorted(listed["train"][name])
    if len(files) <= len(wanted):
        needed = ", ".join(["train", *(split for split, _ in wanted)])
        raise DataError(f"The class {name} in {root} has too few images: {len(files)}, and {needed} need one each.")
    begin = 0
    for split, part in wanted:
        end = begin + max(1, round(part * len(files)))
        listed.setdefault(split, {})[name] = files[begin:end]
        begin = end
    listed["train"][name] = files[begin:]
    if begin >= len(files):
        raise DataError(f"Nothing of the class {name} in {root} would be left to train with.")


def _first_of(root: Path, names: tuple[str, ...]) -> str:
    return next((name for name in names if (root / name).is_dir()), "")


def _subfolders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(each.name for each in entries if each.is_dir() and not each.name.startswith("."))
    except FileNotFoundError:
        raise DataError(f"There is no folder {folder}.") from None
    except NotADirectoryError:
        raise DataError(f"{folder} is a file; a folder of images is needed (an archive has to be unpacked).") from None
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror or error}.") from None


def _listed(root: Path, folder: str) -> _Listed:
    """The image files of every class in a folder of class folders."""
    place = root / folder
    names = _subfolders(place)
    if not names:
        loose = _images(place, place, "")
        found = f" and holds {len(loose)} images that are in none" if loose else ""
        raise DataError(f"The folder {place} should hold one folder of images for each class{found}.")
    listed = {}
    with Progress(f"Listing the images in {place}", len(names)) as progress:
        for name in names:
            listed[name] = _images(root, place, name)
            progress.advance(1)
    empty = [name for name, files in listed.items() if not files]
    if empty:
        raise DataError(f"These class folders in {place} hold no images: {', '.join(empty)}. Fill or delete them.")
    return listed


def _images(root: Path, place: Path, name: str) -> list[tuple[bytes, str]]:
    """The keys and names of the image files in a class folder and the folders in it."""

    def refuse(error: OSError) -> None:
        raise DataError(f"The folder {error.filename} cannot be read: {error.strerror or error}.")

    found = []
    for folder, folders, files in os.walk(place / name, onerror=refuse):
        folders[:] = [each for each in folders if not each.startswith(".")]
        images = [each for each in files if each.lower().endswith(ENDINGS) and not each.startswith(".")]
        inside = Path(folder).relative_to(place / name)
        from_root = Path(folder).relative_to(root).as_posix()
        found += [(_key(name, (inside / each).as_posix()), f"{from_root}/{each}") for each in images]
    return found


def _common_classes(root: Path, listed: dict[str, _Listed]) -> tuple[str, ...]:
    classes = tuple(listed["train"])
    for split, files in listed.items():
        different = sorted(set(classes) ^ set(files))
        if different:
            raise DataError(f"The classes in {root} are not the same in train and {split}: {', '.join(different)}.")
    return classes
