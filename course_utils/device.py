"""The machine this runs on: which device to use, which precision helps there, and one sentence that says so."""

from __future__ import annotations

import os
import platform

import torch

PRECISIONS = ("float32", "bf16", "fp16")
_FEATURES = "/proc/cpuinfo"  # Linux's list of what the processor can do


def choose_device(name: str | torch.device | None = None) -> torch.device:
    """Return the device to train on: the named one, else a GPU where there is one, else the CPU.

    name: "cpu", "cuda" or "cuda:1". Without a name every process of torchrun takes the GPU of its own number.

    Raises `ValueError` for a name that means nothing to PyTorch or a device that is not here.
    """
    if name is None:
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"There is no device called {name!r}: use 'cpu', 'cuda' or 'cuda:1'.") from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ValueError(f"The device {name} is not here: PyTorch sees {_count(count, 'CUDA GPU')}.")
        return torch.device("cuda", device.index or 0)
    if device.type != "cpu":
        raise ValueError(f"This course trains on 'cpu' or 'cuda', not on {name}.")
    return device


def best_precision(device: torch.device) -> str:
    """Return the precision that helps on `device`: "bf16" or "fp16" where its matrix units have it, else "float32".

    A CPU gets "float32": few have matrix units for bf16, and the numbers are then the same on most machines.
    """
    if device.type != "cuda":
        return "float32"
    generation = torch.cuda.get_device_capability(device)
    if generation >= (8, 0):
        return "bf16"
    return "fp16" if generation >= (7, 0) else "float32"


def describe_device(device: torch.device, precision: str | None = None, processes: int = 1) -> str:
    """Return one sentence about `device`: a GPU's name and memory or a CPU's threads, and the precision in use."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        what = f"{properties.name} with {properties.total_memory / 2**30:.0f} GiB"
        bf16 = "bf16 supported" if properties.major >= 8 else "no bf16 units"
    else:
        what = f"the CPU ({platform.machine()}) with {_count(torch.get_num_threads(), 'thread')}"
        bf16 = "bf16 in hardware" if cpu_has_bf16() else "no bf16 in hardware"
    times = f"{processes} processes, this one on " if processes > 1 else ""
    return f"Training on {times}{what}, {bf16}" + (f", in {precision}." if precision else ".")


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware, as Linux lists its features; False where nothing does."""
    try:
        with open(_FEATURES, encoding="ascii", errors="replace") as lines:
            listed = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(listed.split()))


def _count(count: int, what: str) -> str:
    return f"{count or 'no'} {what}" + ("" if count == 1 else "s")
