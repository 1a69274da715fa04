"""The form in which every data set comes back: images and labels, in three splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class DataError(RuntimeError):
    """A data set that cannot be read. In Jupyter it shows as its one sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set.

    images: (N, C, H, W) in [0, 1], colours in the order red, green, blue. The digits are float64; larger sets are
        float32, which takes half the memory, or uint8 from 0 to 255 where the loader was asked for ``dtype=np.uint8``,
        which takes an eighth: divide a batch by 255 when you use it. Folders of image files give an `ImageFiles`
        instead of an array: it has a shape and a length, and reads the images from their files when you index it.
    labels: (N,) int64, the class of each image.
    """

    images: np.ndarray
    labels: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """The images as rows, (N, C*H*W): a view of `images`, which reads every file where they are files."""
        rows = np.asarray(self.images)
        return rows.reshape(len(rows), int(np.prod(rows.shape[1:])))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split(images {self.images.shape}, labels {self.labels.shape})"


@dataclass(frozen=True)
class Dataset:
    """A named data set: learn from `train`, choose with `validation`, and look at `test` once, at the end.

    classes: the name of each class, in the order of the labels.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] = ()
