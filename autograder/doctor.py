"""`autograder doctor`: what this machine offers, and what is missing."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.table import Table

from autograder.sandbox.rehearsal import rehearse

WALLS = {"nested": "fork server in bubblewrap", "bwrap": "bubblewrap for each submission", "process": "limits only"}
PACKAGES = ("numpy", "torch", "nbgrader", "nbclient", "jupyterlab", "ipywidgets", "jupytext")


def findings() -> list[tuple[str, bool, str]]:
    """(what, whether it is fine, a sentence) for everything that is looked at."""
    python = f"{platform.python_version()} on {platform.system()}, {os.cpu_count()} cores"
    found = [("Python", sys.version_info >= (3, 11), python)]
    for name in PACKAGES:
        try:
            found.append((name, True, version(name)))
        except PackageNotFoundError:
            found.append((name, False, "is not installed: run make setup"))
    found.append(("judging", hasattr(os, "fork"), _judging()))
    found += [(f"wall: {name}", *rehearse(kind)) for kind, name in WALLS.items()]
    found.append(("GPU", *_gpu()))
    return found


def _judging() -> str:
    if hasattr(os, "fork"):
        return "each exercise is tried in throw-away forks of the student's kernel"
    return "this system cannot fork processes; grade on Linux or macOS, or in WSL"


def _gpu() -> tuple[bool, str]:
    try:
        import torch
    except ImportError:
        return False, "PyTorch is not installed"
    if torch.cuda.is_available():
        return True, f"{torch.cuda.get_device_name(0)}, {torch.cuda.device_count()} in all"
    return True, "none, and none is needed"


def examine() -> int:
    """Print the findings; 1 when something that grading needs is missing."""
    table = Table(show_header=False, box=None)
    console = Console()
    with console.status("Trying the walls that keep student code apart"):
        found = findings()
    for what, fine, sentence in found:
        table.add_row("✓" if fine else "✗", what, sentence)
    console.print(table)
    needed = {"Python", "judging", *PACKAGES}
    return 1 if any(not fine and what in needed for what, fine, _ in found) else 0
