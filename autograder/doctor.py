"""`autograder doctor`: what this machine offers, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.table import Table

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
    found.append(("bubblewrap", *_bubblewrap()))
    found.append(("GPU", *_gpu()))
    return found


def _judging() -> str:
    if hasattr(os, "fork"):
        return "each exercise is tried in a throw-away fork of the student's kernel"
    return "this system cannot fork processes; grade on Linux or macOS, or in WSL"


def _bubblewrap() -> tuple[bool, str]:
    program = shutil.which("bwrap")
    if program is None:
        return False, "is not installed (apt-get install bubblewrap); grading runs without it for now"
    command = [program, "--unshare-all", "--ro-bind", "/", "/", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"does not run ({type(error).__name__})"
    return (
        (True, "can make namespaces here") if done.returncode == 0 else (False, f"fails: {done.stderr.strip()[:200]}")
    )


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
    found = findings()
    for what, fine, sentence in found:
        table.add_row("✓" if fine else "✗", what, sentence)
    Console().print(table)
    needed = {"Python", "judging", *PACKAGES}
    return 1 if any(not fine and what in needed for what, fine, _ in found) else 0
