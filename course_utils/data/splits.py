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

    images: (N, C, H, W) float64 in [0, 1].
    labels: (N,) int64, the class of each image.
    """

    images: np.ndarray
    labels: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """The images as rows, (N, C*H*W) float64: a view of `images`."""
        return self.images.reshape(len(self.images), -1)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split(images {self.images.shape}, labels {self.labels.shape})"


@dataclass(frozen=True)
class Dataset:
    """A named data set: learn from `train`, choose with `validation`, and look at `test` once, at the end."""

    name: str
    train: Split
    validation: Split
    test: Split
