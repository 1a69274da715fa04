"""Where data sets are kept: one folder for each user, found without asking."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

VARIABLE = "COURSE_UTILS_CACHE"
_NAME = "course_utils"
# What NumPy and zipfile raise on a file that is cut short, overwritten or no archive at all.
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile)


def cache_folder() -> Path:
    """Return the folder for data sets, which may not exist yet.

    It is $COURSE_UTILS_CACHE where that is set, and otherwise the system's usual place, the one `pooch.os_cache` names:
    ~/.cache/course_utils on Linux, ~/Library/Caches/course_utils on a Mac, and AppData/Local/course_utils/course_utils/
    Cache under the user's folder on Windows.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData/Local") / _NAME / _NAME / "Cache"
    if sys.platform == "darwin":
        return home / "Library/Caches" / _NAME
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache").absolute() / _NAME


@contextlib.contextmanager
def alone(path: Path, doing: str) -> Iterator[None]:
    """Wait while another process makes `path`, saying that it is `doing` so. The lock is a file beside it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=1)
    except Timeout:
        print(f"Another program is {doing}; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def read_array(name: str, recipe: str) -> np.ndarray | None:
    """Return the array kept under `name`, or None where there is none, or it is damaged, or made by another recipe."""
    try:
        with np.load(cache_folder() / name, allow_pickle=False) as file:
            if file["recipe"].item() != recipe:
                return None
            return file["array"]  # its checksum is compared at the end of the reading
    except _DAMAGED:
        return None


def keep_array(name: str, recipe: str, array: np.ndarray, what: str) -> None:
    """Keep `array` under `name`: complete or not at all. Where that cannot be, a warning says so, naming `what`."""
    folder = cache_folder()
    temporary = folder / f".{name}.{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            np.savez(file, recipe=np.array(recipe), array=array)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / name)
    except OSError as error:
        warnings.warn(
            f"{what} cannot be kept in {folder} ({error.strerror or error}) and will be made again next time. "
            f"{VARIABLE} may name another folder.",
            stacklevel=5,  # the line that called load_shapes
        )
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
