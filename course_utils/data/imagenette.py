"""Imagenette: ten classes of ImageNet that are easy to tell apart, as photographs of 160 or 320 pixels or full size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from course_utils.data.cache import cache_folder
from course_utils.data.download import Source, obtain
from course_utils.data.folders import load_image_folder
from course_utils.data.splits import DataError, Dataset
from course_utils.data.unpack import unpack

_URL = "https://s3.amazonaws.com/fast-ai-imageclas"


def _source(resolution: str, name: str, sha256: str, size: int) -> Source:
    call = f"load_imagenette(resolution={resolution!r}, download=True)"
    return Source("Imagenette", f"{_URL}/{name}.tgz", sha256, size, call)


# The hashes and lengths are those that TensorFlow Datasets checks (datasets/imagenette/checksums.tsv).
SOURCES = {
    "160": _source(
        "160", "imagenette2-160", "64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5", 99_003_388
    ),
    "320": _source(
        "320", "imagenette2-320", "569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c", 341_663_724
    ),
    "full": _source(
        "full", "imagenette2", "6cbfac238434d89fe99e651496f0812ebc7a10fa62bd42d6874042bf01de4efd", 1_557_161_267
    ),
}
# The folders' names are WordNet's.
CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}


def load_imagenette(
    path: str | Path | None = None,
    size: int = 128,
    resolution: str = "160",
    download: bool = False,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Return Imagenette: its own validation images are `test`, and `validation` is a tenth of every class of its train.

    The images are `ImageFiles`, as `load_image_folder` gives them; which ones are cut for validation never changes.

    path: the unpacked folder, with train and val in it, or the folder around it. None stands for the cache folder,
        where the archive may lie as well, and nothing is fetched unless `download` is true.
    resolution: "160" (99 MB), "320" (342 MB) or "full" (1.6 GB), the shorter side of the files; used where `path` is
        None.

    Raises `DataError` where it is missing, cannot be fetched, or is something else.
    Source: Jeremy Howard, github.com/fastai/imagenette, the split of December 2019.
    """
    if resolution not in SOURCES:
        raise ValueError(f"The resolution of Imagenette is one of {', '.join(SOURCES)}, not {resolution}.")
    folder = _unpacked(SOURCES[resolution], download) if path is None else Path(path).expanduser()
    data = load_image_folder(_inside(folder), size, dtype=dtype)
    if set(data.classes) != set(CLASSES):
        raise DataError(f"The folder {folder} does not hold Imagenette's ten classes. load_image_folder reads any.")
    return replace(data, name="imagenette", classes=tuple(CLASSES[name] for name in data.classes))


def _unpacked(source: Source, download: bool) -> Path:
    folder = cache_folder() / source.name.removesuffix(".tgz")
    if not folder.is_dir():
        unpack(obtain(source, download), folder)
    return folder


def _inside(folder: Path) -> Path:
    """The folder that holds train and val: this one, or one in it."""
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}. load_imagenette(download=True) fetches Imagenette; an archive that is here "
            f"already has to be unpacked, or put into {cache_folder()}."
        )
    candidates = [folder, *sorted(folder.glob("imagenette*"))]
    found = next((each for each in candidates if (each / "train").is_dir() and (each / "val").is_dir()), None)
    if found is None:
        raise DataError(f"The folder {folder} does not hold Imagenette: there is no train and val in it.")
    return found
