"""Brings images to the device: from a set that lies there already, or from the CPU, cut by worker processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from course_utils._training.augment import Augmentation, cut, cut_on_device, windows
from course_utils._training.errors import TrainingError
from course_utils._training.plan import Piece
from course_utils._training.sets import ImageSet

PLACES = ("auto", "device", "workers", "process")
Batch = tuple[Tensor, Tensor, Piece]  # stored pixels (k, C, h, w) and labels (k,) on the device
_SHARE_OF_MEMORY = 0.4  # of what is free on a GPU, the most that images may take


class ResidentImages:
    """All images lie on the device, and crops and flips are made there, for a whole piece at once."""

    def __init__(
        self, sets: dict[str, ImageSet], augmentation: Augmentation | None, crop: int | None, device: torch.device
    ):
        self._augmentation, self._crop, self._device = augmentation, crop, device
        self._sets = sets
        self._stored = {name: _stored(each.images).to(device) for name, each in sets.items()}
        self._labels = {name: torch.from_numpy(each.labels).to(device) for name, each in sets.items()}

    def batches(self, name: str, pieces: Iterable[Piece]) -> Iterator[Batch]:
        """The images of each piece, in order."""
        stored, channels = self._stored[name], self._sets[name].channels
        augmentation = self._augmentation if name == "train" else None
        for piece in pieces:
            chosen = cut_on_device(stored, piece.rows, windows(piece, self._sets[name].side, augmentation, self._crop))
            if chosen.dtype == torch.int32:
                chosen = chosen.view(torch.uint8).view(*chosen.shape, 4)[..., :channels]
            labels = cut_on_device(self._labels[name], piece.rows, None)
            yield chosen.permute(0, 3, 1, 2), labels, piece

    def close(self) -> None:
        """Nothing is left running."""


class HostImages:
    """Images are read, cut and mirrored on the CPU: by worker processes, or in this one where there are none."""

    def __init__(
        self,
        sets: dict[str, ImageSet],
        augmentation: Augmentation | None,
        crop: int | None,
        device: torch.device,
        workers: int,
    ):
        self._device = device
        self._requests = _Requests()
        self._loader = DataLoader(
            _Cutter(sets, augmentation, crop),
            sampler=self._requests,
            batch_size=None,  # each request is for a whole piece
            num_workers=workers,
            pin_memory=device.type == "cuda",
            persistent_workers=workers > 0,
            prefetch_factor=4 if workers else None,
            worker_init_fn=_begin_worker,
            # Its own generator: the loader must not draw from the one that dropout draws from.
            generator=torch.Generator().manual_seed(0),
        )

    def batches(self, name: str, pieces: Iterable[Piece]) -> Iterator[Batch]:
        """The images of each piece, in order; on a GPU one piece ahead of the network."""
        arrived = self._arrived(name, pieces)
        return _ahead(arrived, self._device) if self._device.type == "cuda" else arrived

    def close(self) -> None:
        """End the workers."""
        iterator = getattr(self._loader, "_iterator", None)
        if iterator is not None:
            iterator._shutdown_workers()
            self._loader._iterator = None

    def _arrived(self, name: str, pieces: Iterable[Piece]) -> Iterator[Batch]:
        self._requests.start(name, pieces)
        for result in self._loader:
            if "problem" in result:
                raise TrainingError(result["problem"])
            yield result["images"], result["labels"], self._requests.taken()


class _Requests:
    """The sampler: says which images are wanted, and remembers the pieces until their images arrive."""

    def __init__(self) -> None:
        self._name, self._pieces, self._under_way = "", iter(()), []

    def start(self, name: str, pieces: Iterable[Piece]) -> None:
        self._name, self._pieces, self._under_way = name, iter(pieces), []

    def __iter__(self) -> Iterator[tuple[str, Piece]]:
        for piece in self._pieces:
            self._under_way.append(piece)
            yield self._name, piece

    def taken(self) -> Piece:
        return self._under_way.pop(0)


class _Cutter:
    """What a worker holds: gives the cut images of a piece, or the sentence about a file that could not be read."""

    def __init__(self, sets: dict[str, ImageSet], augmentation: Augmentation | None, crop: int | None):
        self._sets, self._augmentation, self._crop = sets, augmentation, crop

    def __getitem__(self, request: tuple[str, Piece]) -> dict[str, Any]:
        name, piece = request
        images = self._sets[name]
        augmentation = self._augmentation if name == "train" else None
        try:
            pixels = cut(np.asarray(images.images[piece.rows]), windows(piece, images.side, augmentation, self._crop))
        except Exception as error:  # a worker's exception would arrive as a traceback of two processes
            return {"problem": f"The images could not be read: {error}"}
        labels = images.labels[piece.rows]
        return {"images": torch.from_numpy(np.ascontiguousarray(pixels)), "labels": torch.from_numpy(labels)}


def load_images(
    sets: dict[str, ImageSet],
    augmentation: Augmentation | None,
    crop: int | None,
    device: torch.device,
    place: str,
    workers: int | None,
    processes: int,
) -> ResidentImages | HostImages:
    """Choose the way for these sets. `processes` share the machine's cores.

    "auto" keeps sets in memory on a GPU where they take less than two fifths of what is free there, cuts them in this
    process where the CPU trains, and gives files to workers.
    """
    in_memory = all(each.in_memory for each in sets.values())
    if place == "device" and not in_memory:
        raise TrainingError("Images in files cannot lie on the device: read them first, or leave loading on 'auto'.")
    if place == "auto":
        if in_memory and device.type == "cuda" and workers is None:
            needed = sum(each.images.nbytes * 4 / 3 for each in sets.values())
            place = "device" if needed < _SHARE_OF_MEMORY * torch.cuda.mem_get_info(device)[0] else "workers"
        else:
            place = "process" if workers == 0 or (workers is None and in_memory) else "workers"
    if place == "device":
        return ResidentImages(sets, augmentation, crop, device)
    if place == "process":
        workers = 0
    elif workers is None:
        workers = max(1, min(16, _cores() // processes - (device.type == "cuda")))
    return HostImages(sets, augmentation, crop, device, workers)


def _stored(images: np.ndarray) -> Tensor:
    """(N, H, W, C); for coloured bytes (N, H, W) int32, four bytes a pixel, so that one index moves all colours."""
    last = np.moveaxis(images, 1, -1)
    if images.dtype != np.uint8 or images.shape[1] > 4 or images.shape[1] == 1:
        return torch.from_numpy(np.ascontiguousarray(last))
    packed = np.zeros((*last.shape[:3], 4), dtype=np.uint8)
    packed[..., : last.shape[3]] = last
    return torch.from_numpy(packed.view(np.int32)[..., 0])


def _ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The same batches on the GPU, each copied by a second stream while the network works on the one before."""
    stream = torch.cuda.Stream(device)
    waiting: tuple[Batch, torch.cuda.Event] | None = None
    for images, labels, piece in batches:
        with torch.cuda.stream(stream):
            copied = images.to(device, non_blocking=True), labels.to(device, non_blocking=True), piece
            arrived = stream.record_event()
        if waiting is not None:
            yield _handed_over(*waiting, device)
        waiting = copied, arrived
    if waiting is not None:
        yield _handed_over(*waiting, device)


def _handed_over(batch: Batch, arrived: torch.cuda.Event, device: torch.device) -> Batch:
    current = torch.cuda.current_stream(device)
    current.wait_event(arrived)  # for this batch's copy alone, not for the next one's
    for tensor in batch[:2]:
        tensor.record_stream(current)  # its memory is not given away before the network has read it
    return batch


def _begin_worker(number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    torch.set_num_threads(1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
