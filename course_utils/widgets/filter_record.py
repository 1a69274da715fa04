"""A record of a training run: the first layer's filters and the curves at some moments, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from course_utils.widgets.errors import WidgetError

RECORDED = Path(__file__).parent.parent / "data" / "filters.npz"
STEPS = 127  # of the kept weights, from 0 to a filter's largest


@dataclass
class FilterRecord:
    """Snapshots of a run, in the order in which they were taken; a number that is not known is nan.

    Call `add` before the first update, whose filters are the ones the others are compared with, and then now and again.
    `unit` is what `updates` counts: "update", or "epoch". `title` says what was trained, in a few words.
    filters: one (F, 3, k, k) float32 array for each moment. validation_errors: from 0 to 1.
    """

    updates: list[int] = field(default_factory=list)
    filters: list[np.ndarray] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    validation_errors: list[float] = field(default_factory=list)
    unit: str = "update"
    title: str = ""

    def add(self, model, update: int, loss: float | None = None, validation_error: float | None = None) -> None:
        """Keep a copy of the first layer's filters of `model` after `update` updates, and the two errors if given.

        model: a PyTorch model, whose conv1.weight is taken, or else its first weights with four axes; or an array
            (F, 3, k, k). loss: the mean training loss since the last call.
        Raises `WidgetError` where these are no filters of colour images, or do not fit those before.
        """
        filters = _first_filters(model)
        if self.updates and update <= self.updates[-1]:
            raise WidgetError(f"The {self.unit}s of a record must rise: {update} came after {self.updates[-1]}.")
        if self.filters and filters.shape != self.filters[0].shape:
            raise WidgetError(f"The filters were {self.filters[0].shape} at first and are {filters.shape} now.")
        self.updates.append(int(update))
        self.filters.append(filters)
        self.losses.append(np.nan if loss is None else float(loss))
        self.validation_errors.append(np.nan if validation_error is None else float(validation_error))

    def moved(self, moment: int) -> np.ndarray:
        """How far each filter is from its beginning, as a share of its length then: ‖w − w₀‖/‖w₀‖, (F,)."""
        first, now = (self.filters[k].reshape(len(self.filters[k]), -1) for k in (0, moment))
        return _moved(first, now)

    def moved_together(self, moment: int) -> float:
        """The same for all filters as one vector."""
        return float(_moved(self.filters[0].reshape(1, -1), self.filters[moment].reshape(1, -1))[0])

    def save(self, path: str | Path) -> None:
        """Write the record to one small file: each filter in 127 steps, up and down, of its largest weight."""
        filters = np.stack(self.filters)
        largest = np.abs(filters).max(axis=(2, 3, 4), keepdims=True).astype(np.float32)
        steps = np.rint(STEPS * filters / np.where(largest > 0, largest, 1)).astype(np.int8)
        errors = {"losses": self.losses, "validation_errors": self.validation_errors}
        words = {"updates": self.updates, "unit": self.unit, "title": self.title}
        arrays = {name: np.array(each, np.float32) for name, each in errors.items()}
        np.savez_compressed(path, steps=steps, largest=largest, **arrays, **words)


def load(path: str | Path) -> FilterRecord:
    """The record that `FilterRecord.save` wrote, its filters to within a 254th of their largest weight."""
    with np.load(path, allow_pickle=False) as file:
        filters = file["steps"] * (file["largest"] / STEPS)
        return FilterRecord(
            file["updates"].tolist(), list(filters.astype(np.float32)), file["losses"].tolist(),
            file["validation_errors"].tolist(), str(file["unit"]), str(file["title"]),
        )  # fmt: skip


@lru_cache(maxsize=1)
def recorded() -> FilterRecord:
    """The run that travels with the course; `record_filters` made it."""
    return load(RECORDED)


def as_image(filters: np.ndarray, largest: float | np.ndarray) -> np.ndarray:
    """Weights as colours from 0 to 1: a weight of 0 is grey in its channel, ±`largest` full or no colour."""
    return np.clip(0.5 + 0.5 * filters / np.where(largest > 0, largest, 1), 0, 1)


def _moved(first: np.ndarray, now: np.ndarray) -> np.ndarray:
    """‖now − first‖/‖first‖ in each row. What began at zero has moved infinitely far, unless it is still there."""
    lengths, distances = (np.linalg.norm(rows.astype(float), axis=1) for rows in (first, now - first))
    shares = np.where(distances > 0, np.inf, 0.0)
    return np.divide(distances, lengths, out=shares, where=lengths > 0)


def _first_filters(model) -> np.ndarray:
    """A float32 copy of the filters of a PyTorch model, or of an array."""
    if hasattr(model, "state_dict"):
        weights = {name: weight for name, weight in model.state_dict().items() if getattr(weight, "ndim", 0) == 4}
        named = [weight for name, weight in weights.items() if name.endswith("conv1.weight")]
        found = [*named, *weights.values()]
        if not found:
            raise WidgetError("This model has no convolution, so it has no filters to record.")
        model = found[0].detach().float().cpu().numpy()
    filters = np.array(model, dtype=np.float32)
    if filters.ndim != 4 or filters.shape[1] != 3 or filters.shape[2] != filters.shape[3] or 0 in filters.shape:
        raise WidgetError(f"Filters of colour images are (F, 3, k, k), not {filters.shape}.")
    if not np.isfinite(filters).all():
        raise WidgetError("The filters hold weights that are infinite or no numbers: the run has diverged.")
    return filters
