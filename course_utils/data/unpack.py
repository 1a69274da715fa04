"""Unpacks an archive: nothing outside its folder, and all of it or nothing."""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from pathlib import Path

from course_utils.data.cache import VARIABLE, alone
from course_utils.data.progress import Progress, megabytes
from course_utils.data.splits import DataError

_DAMAGED = (tarfile.TarError, EOFError, zlib.error, ValueError)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the .tar.gz or .tgz file `archive` into the new folder `folder`, which appears when all is in it.

    A folder that is there already is left as it is. Raises `DataError` for an archive that is damaged, holds a name
    that leads out of the folder, or for which there is no room.
    """
    if folder.exists():
        return
    if not hasattr(tarfile, "data_filter"):
        raise DataError("Unpacking safely needs Python 3.11.4 or newer.")
    unfinished = folder.with_name(f".{folder.name}.unpacking")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(folder, f"unpacking {archive.name}"):
            if folder.exists():
                return
            shutil.rmtree(unfinished, ignore_errors=True)  # a process that was killed leaves this
            try:
                _extract(archive, unfinished)
                os.rename(unfinished, folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    except _DAMAGED as error:
        raise DataError(f"The archive {archive} cannot be unpacked: {error}. Delete it, and get it again.") from None
    except OSError as error:
        reason = f"{error.strerror or error} (the variable {VARIABLE} may name another folder than {folder.parent})"
        raise DataError(f"The archive {archive} cannot be unpacked: {reason}.") from None


def _extract(archive: Path, folder: Path) -> None:
    size = archive.stat().st_size
    with (
        open(archive, "rb") as file,
        tarfile.open(fileobj=file, mode="r:gz") as tar,
        Progress(f"Unpacking {archive.name}", size, lambda n: f"{megabytes(n)} of {megabytes(size)}") as progress,
    ):
        folder.mkdir()
        read = 0
        for member in tar:
            tar.extract(member, folder, filter="data")
            progress.advance(file.tell() - read)
            read = file.tell()
