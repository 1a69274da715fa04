"""Images that stay in their files until they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from course_utils.data.decode import decode
from course_utils.data.pixels import as_type, image_type
from course_utils.data.progress import Progress
from course_utils.data.splits import DataError


class ImageFiles:
    """The images of some files, read when they are indexed. To its users it looks like an array (N, 3, size, size).

    ``images[3]`` is one image, ``images[2:5]``, ``images[[7, 1]]`` and ``images[mask]`` are arrays of several,
    ``np.asarray(images)`` and ``images.load()`` read all. Reading the same index twice reads the file twice. It may be
    used in several threads and sent to other processes; a million files take some tens of megabytes.

    Every reading raises `DataError`, with the file's name, for a file that is no image.
    """

    def __init__(self, root: str | Path, names: Sequence[str], size: int, dtype: DTypeLike = np.float32):
        if index(size) < 1:
            raise ValueError(f"The size of an image is at least 1 pixel, not {size}.")
        self.root = Path(root)
        self.size = index(size)
        self.dtype = image_type(dtype)
        # One array of bytes takes far less memory than a list of paths, and workers can share it.
        self._names = np.array([os.fsencode(name) for name in names], dtype=np.bytes_)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, 3, size, size)."""
        return (len(self), 3, self.size, self.size)

    @property
    def ndim(self) -> int:
        """4, as for every array of images."""
        return 4

    def path(self, place: int) -> Path:
        """Return where image `place` is, for those who want to decode it themselves."""
        return self.root / os.fsdecode(bytes(self._names[place]))

    def __getitem__(self, chosen: Any) -> np.ndarray:
        if isinstance(chosen, int | np.integer):
            return as_type(decode(self.path(chosen), self.size), self.dtype)
        return as_type(self._decoded(np.arange(len(self))[chosen]), self.dtype)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[place] for place in range(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("The images are in files: reading them always makes a new array.")
        images = self.load()
        return images if dtype is None else images.astype(dtype, copy=False)

    def load(self) -> np.ndarray:
        """Return all images as one array, read by several threads, with a progress bar."""
        return as_type(self._decoded(np.arange(len(self)), announce=True), self.dtype)

    def take(self, rows: Any) -> ImageFiles:
        """Return some of the images, given by a slice, indices or a mask, without reading them."""
        chosen = ImageFiles(self.root, [], self.size, self.dtype)
        chosen._names = self._names[rows]
        return chosen

    def broken(self) -> list[str]:
        """Read every file once and return the messages about those that are no images, in the order of the images."""
        messages = []
        with Progress(f"Looking at {len(self)} images", len(self)) as progress:
            for place in range(len(self)):
                try:
                    decode(self.path(place), self.size)
                except DataError as error:
                    messages.append(str(error))
                progress.advance(1)
        return messages

    def __repr__(self) -> str:
        return f"ImageFiles({self.shape}, {self.dtype}, in {self.root})"

    def _decoded(self, rows: np.ndarray, announce: bool = False) -> np.ndarray:
        if rows.ndim != 1:
            raise IndexError("Images are chosen by one index, a slice, or a row of indices.")
        images = np.empty((len(rows), *self.shape[1:]), dtype=np.uint8)

        def fill(place: int) -> None:
            images[place] = decode(self.path(rows[place]), self.size)

        if not announce:
            for place in range(len(rows)):
                fill(place)
            return images
        # Pillow lets other threads run while it decodes.
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool, Progress("Reading images", len(rows)) as progress:
            for _ in pool.map(fill, range(len(rows))):
                progress.advance(1)
        return images
