"""From stored pixels to what the network reads: without the mean, to scale, in changed colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_utils._training.augment import Augmentation
from course_utils._training.errors import TrainingError
from course_utils._training.plan import Piece
from course_utils._training.sets import ImageSet

NORMALIZATIONS = ("standard", "paper", "none")
_SAMPLE = 1000  # images that the statistics are taken from, evenly spread; a tenth of a percent is all they are off


@dataclass(frozen=True, eq=False)
class PixelStatistics:
    """Of the training pixels, in [0, 1], per channel: mean and standard deviation (C,), and the covariance's parts.

    eigenvalues: (C,). eigenvectors: (C, C), in columns.
    """

    mean: Tensor
    deviation: Tensor
    eigenvalues: Tensor
    eigenvectors: Tensor

    @classmethod
    def of(cls, images: ImageSet) -> PixelStatistics:
        """Take them from (at most) a thousand images, the same ones always. Raises `TrainingError` for nan and inf."""
        chosen = np.unique(np.linspace(0, len(images) - 1, min(len(images), _SAMPLE)).astype(np.int64))
        total, products, count = 0.0, 0.0, 0
        for rows in np.array_split(chosen, -(-len(chosen) // 50)):
            batch = np.asarray(images.images[rows])
            pixels = batch.swapaxes(0, 1).reshape(batch.shape[1], -1) / (255.0 if batch.dtype == np.uint8 else 1.0)
            total, products, count = total + pixels.sum(1), products + pixels @ pixels.T, count + pixels.shape[1]
        mean = total / count
        covariance = np.asarray(products / count - np.outer(mean, mean), dtype=np.float64)
        if not np.isfinite(covariance).all():
            raise TrainingError("The training images hold values that are not finite (nan or inf).")
        eigenvalues, eigenvectors = np.linalg.eigh(covariance)
        parts = (mean, np.sqrt(np.maximum(np.diag(covariance), 1e-6)), eigenvalues, eigenvectors)
        return cls(*(torch.from_numpy(np.asarray(part, dtype=np.float64)) for part in parts))

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return dict(vars(self))


class Pixels:
    """Makes the network's input from pixels (k, C, H, W) on the device, uint8 or float.

    normalization: "standard" gives each channel mean 0 and standard deviation 1; "paper" takes the mean away and leaves
        the scale of 0 to 255, which the paper's initial weights are made for; "none" leaves values in [0, 1].
        Statistics are those of the training set. The paper takes away a mean image, we the mean colour.
    dtype: of the result, which is stored channels last.
    """

    def __init__(self, statistics: PixelStatistics, normalization: str, dtype: torch.dtype, device: torch.device):
        self.statistics, self.dtype, self.device = statistics, dtype, device
        none = torch.zeros_like(statistics.mean)
        self._mean = none if normalization == "none" else statistics.mean
        self._scale = {"standard": statistics.deviation, "paper": none + 1 / 255, "none": none + 1}[normalization]
        self._plain: dict[bool, tuple[Tensor, Tensor]] = {}

    def prepare(self, stored: Tensor, piece: Piece, augmentation: Augmentation | None) -> Tensor:
        """Return (stored·gain + colour − mean) / scale, in [0, 1] before the scale, for a piece's images."""
        factor, shift = self._factors(stored.dtype == torch.uint8, piece, augmentation)
        if stored.dtype == torch.float16:
            stored = stored.float()
        x = stored.to(self.dtype, memory_format=torch.channels_last)
        return torch.addcmul(shift, x, factor)

    def _factors(self, bytes_: bool, piece: Piece, augmentation: Augmentation | None) -> tuple[Tensor, Tensor]:
        unit = 255.0 if bytes_ else 1.0
        changed = augmentation is not None and piece.uniform is not None
        if changed and (augmentation.colour or augmentation.brightness):
            return self._drawn(unit, piece, augmentation)
        if bytes_ not in self._plain:
            self._plain[bytes_] = self._moved(1 / (unit * self._scale)[None], (-self._mean / self._scale)[None])
        return self._plain[bytes_]

    def _drawn(self, unit: float, piece: Piece, augmentation: Augmentation) -> tuple[Tensor, Tensor]:
        """Per image and channel: the factor and what is added, (k, C, 1, 1) each."""
        statistics = self.statistics
        gain = 1 + augmentation.brightness * (2 * torch.from_numpy(piece.uniform[:, 3:]).double() - 1)  # (k, 1)
        # One number per colour; grey images use the first alone.
        alphas = augmentation.colour * torch.from_numpy(piece.normal).double()[:, : len(statistics.mean)]
        colour = (alphas * statistics.eigenvalues[: alphas.shape[1]]) @ statistics.eigenvectors[:, : alphas.shape[1]].T
        return self._moved(gain / (unit * self._scale), (colour - self._mean) / self._scale)

    def _moved(self, *factors: Tensor) -> tuple[Tensor, ...]:
        shaped = (factor[:, :, None, None].to(self.dtype) for factor in factors)
        if self.device.type == "cuda":
            return tuple(factor.pin_memory().to(self.device, non_blocking=True) for factor in shaped)
        return tuple(shaped)
