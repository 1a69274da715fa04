"""Reads what a student handed in, once and bounded: plain files only, no links, nothing that could block."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_NOTEBOOK = 50 * 2**20
MAX_FILE = 50 * 2**20
MAX_TOTAL = 100 * 2**20
MAX_FILES = 200
MAX_SEEN = 20_000  # files and folders looked at, notebooks at the top not counted
MAX_DEPTH = 20
MAX_PATH = 300
# What computers leave beside a notebook by themselves; names that begin with a dot are left out as well.
LITTER = ("__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini")


def read_folder(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The plain files below `folder` by their path in it, and a sentence for each kind of thing that was left out.

    Never raises for what lies in the folder: what cannot be read is named in a sentence.
    """
    files: dict[str, bytes] = {}
    left: dict[str, list[str]] = {}
    total = count = 0
    for path, name, why in _entries(Path(folder)):
        notebook = is_notebook_name(name)
        if not why:
            most = MAX_NOTEBOOK if notebook else MAX_FILE
            if count >= MAX_FILES:
                why = TOO_MANY
            else:
                data = read_plain_file(path, min(most, MAX_TOTAL - total))
                if data is None and (size := _size(path)) > min(most, MAX_TOTAL - total):
                    why = f"larger than {most // 2**20} MB" if size > most else TOO_MUCH
                elif data is None:
                    why = UNREADABLE
                else:
                    files[name] = data
                    total, count = total + len(data), count + 1
        if why:
            left.setdefault(why, []).append(name)
    return files, [sentence(names, why) for why, names in left.items()]


LINK, SPECIAL, UNREADABLE = "a link", "not a plain file", "unreadable"
BAD_NAME = "under a name that cannot be used"
TOO_DEEP = f"more than {MAX_DEPTH} folders deep"
TOO_MANY = f"beyond the {MAX_FILES} files that a submission may hold"
TOO_MUCH = f"beyond the {MAX_TOTAL // 2**20} MB that a submission may hold"


def sentence(names: list[str], why: str) -> str:
    """What was left out, and why: "a, b and 3 more are links and were left out."."""
    if len(names) == 1:
        return f"{shown(names[0])} is {why} and was left out."
    plural = {LINK: "links", SPECIAL: "not plain files"}.get(why, why)
    return f"{listed([shown(name) for name in names])} are {plural} and were left out."


def listed(names: list[str], most: int = 4) -> str:
    """Names in a sentence, not more than `most` of them."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return ", ".join(names)


def shown(name: str, most: int = 80) -> str:
    """A file's name as it may stand in a sentence: in one line, not too long, with nothing invisible in it."""
    plain = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return plain if len(plain) <= most else f"{plain[: most - 21]}…{plain[-20:]}"


def is_notebook_name(name: str) -> bool:
    """Whether a file's name says notebook; browsers save some as `x.ipynb.txt` or `x.ipynb.json`."""
    return bool(re.search(r"\.ipynb(\.(txt|json|ipynb))?$", name, re.IGNORECASE))


def read_plain_file(path: Path, most: int) -> bytes | None:
    """A plain file's bytes; None if it is missing, a link, something special, unreadable, or larger than `most`."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # opening a device can do things by itself
            return None
        with os.fdopen(os.open(path, flags), "rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode) or info.st_size > most:
                return None
            data = file.read(most + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= most else None


def _entries(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Path, name in the folder, and why it is left out ("" if it is not): the notebooks at the top come first."""
    top = _listing(folder)
    first = [entry for entry in top if is_notebook_name(entry.name)]
    yield from _below(first, "", 0, iter(range(len(first) + MAX_SEEN)))
    yield from _below([entry for entry in top if entry not in first], "", 0, iter(range(MAX_SEEN)))


def _below(entries: list[os.DirEntry], prefix: str, depth: int, budget: Iterator[int]) -> Iterator[tuple]:
    for entry in entries:
        if entry.name.startswith(".") or entry.name in LITTER:
            continue
        path, name = Path(entry.path), prefix + entry.name
        if next(budget, None) is None:
            yield path, name, TOO_MANY
        elif entry.is_symlink():
            yield path, name, LINK
        elif not usable(name):
            yield path, name, BAD_NAME
        elif _is_folder(entry):
            if depth >= MAX_DEPTH:
                yield path, name, TOO_DEEP
            else:
                yield from _below(_listing(path), f"{name}/", depth + 1, budget)
        elif not entry.is_file(follow_symlinks=False):
            yield path, name, SPECIAL
        else:
            yield path, name, ""


def usable(name: str) -> bool:
    """Whether a file may go by this path on every machine that grades: relative, printable, not too long."""
    parts = name.split("/")
    return (
        0 < len(name) <= MAX_PATH
        and "\\" not in name
        and not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
        and not any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts)
    )


def _listing(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError:
        return []


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def write_files(files: Iterable[tuple[str, bytes]], folder: Path) -> list[str]:
    """Write files below `folder`; the names of those that cannot be written there."""
    failed = []
    for name, data in files:
        path = folder / name
        try:
            if not usable(name):
                raise OSError
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as file:  # never over or through what is there
                file.write(data)
        except OSError:
            failed.append(name)
    return failed
