"""Several processes, as torchrun starts them, each with a part of every batch."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


class Team:
    """The processes that train together; without torchrun a single one, and nothing is sent.

    rank: this process's number, from 0. world: how many there are.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self._started = False
        if int(os.environ.get("WORLD_SIZE", 1)) > 1 and dist.is_available() and not dist.is_initialized():
            if device.type == "cuda":
                torch.cuda.set_device(device)
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
            self._started = True
        together = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if together else 0
        self.world = dist.get_world_size() if together else 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """A model whose gradients are averaged over the processes during the backward pass."""
        if self.world == 1:
            return model
        where = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=where, gradient_as_bucket_view=True)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place, on every one of them."""
        if self.world > 1:
            moved = values.to(self.device)
            dist.all_reduce(moved)
            values.copy_(moved)
        return values

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in the order of the ranks."""
        if self.world == 1:
            return [value]
        gathered: list[Any] = [None] * self.world
        dist.all_gather_object(gathered, value)
        return gathered

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            dist.barrier(device_ids=[self.device.index] if self.device.type == "cuda" else None)

    def end(self) -> None:
        """Leave, where the constructor joined."""
        if self._started:
            gc.collect()  # a model that still refers to the group would keep its threads alive
            dist.destroy_process_group()
            self._started = False


def leave(status: int) -> NoReturn:
    """End a program with this exit status; among several processes without Python's own tidying up.

    Gloo's threads may outlive the group, and then abort the process at its very end (pytorch/pytorch#190489).
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        raise SystemExit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def without_exchange(model: nn.Module) -> AbstractContextManager:
    """Around a backward pass whose gradients are only added up, to be exchanged with the next one."""
    return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()


@contextmanager
def first_of_its_machine() -> Iterator[None]:
    """Let torchrun's first process on each machine do this before the others: it fills a cache that they then read."""
    first = int(os.environ.get("LOCAL_RANK", 0)) == 0
    together = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    if together and not first:
        dist.barrier()
    try:
        yield
    finally:
        if together and first:
            dist.barrier()
