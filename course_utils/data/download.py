"""Gets the file of a data set: from the cache folder, or from its address where that is asked for."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.data.cache import VARIABLE, alone, cache_folder
from course_utils.data.progress import megabytes
from course_utils.data.resume import ResumingDownloader, WrongFile
from course_utils.data.splits import DataError


@dataclass(frozen=True)
class Source:
    """A file that can be downloaded: the data set's name, its address, its SHA-256 and its length in bytes.

    call: what a reader types to get it, for messages.
    """

    what: str
    url: str
    sha256: str
    size: int
    call: str

    @property
    def name(self) -> str:
        """The file's name, in the cache folder as on the server."""
        return self.url.rsplit("/", 1)[1]


def obtain(source: Source, download: bool) -> Path:
    """Return where the file lies in the cache folder, its hash checked, after downloading it if `download` says so.

    Raises `DataError` where it is not there and cannot be fetched: no network, no such file on the server, no room, no
    right to write, or not the file that it should be.
    """
    folder = cache_folder()
    file = folder / source.name
    if _is_right(file, source):
        return file
    if download:
        return _download(source, folder)
    state = f"The file {file} is damaged" if file.exists() else f"{source.what} is not on this machine"
    offer = f"{source.call} downloads {megabytes(source.size)} into {folder}"
    raise DataError(f"{state}. {offer}. Or put {source.name} from {source.url} there by hand.")


def _is_right(file: Path, source: Source) -> bool:
    try:
        with open(file, "rb") as opened:
            if opened.seek(0, 2) != source.size:
                return False
            opened.seek(0)
            return hashlib.file_digest(opened, "sha256").hexdigest() == source.sha256
    except OSError:
        return False


def _download(source: Source, folder: Path) -> Path:
    try:
        import pooch
        import requests
        import urllib3
    except ImportError as error:
        raise _failure(source, folder, f"this Python has no {error.name} (pip install pooch installs it)") from None
    file = folder / source.name
    downloader = ResumingDownloader(folder / f"{source.name}.part", source.size, f"Downloading {source.what}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(file, f"downloading {source.what}"), _quiet(pooch.get_logger()):
            return _retrieve(pooch, source, folder, downloader)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        reason = _reason(error)
    except WrongFile as error:
        reason = str(error)
    except ValueError:  # what pooch raises
        reason = "what came is not the file that it should be (its SHA-256 is another)"
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error.filename, str | Path):
            reason += f": {error.filename} (the variable {VARIABLE} may name another folder)"
    kept = downloader.kept(source.url)
    if kept:
        reason += f"; {megabytes(kept)} of {megabytes(source.size)} have arrived, and the next call goes on from there"
    raise _failure(source, folder, reason)


def _retrieve(pooch: Any, source: Source, folder: Path, downloader: ResumingDownloader) -> Path:
    """Let pooch fetch the file and check its hash. Parts that do not fit together are fetched once more, as a whole."""
    while True:
        try:
            return Path(
                pooch.retrieve(
                    source.url, f"sha256:{source.sha256}", fname=source.name, path=folder, downloader=downloader
                )
            )
        except WrongFile:
            raise
        except ValueError:
            if not downloader.resumed:
                raise
            downloader.resumed = False
            downloader.discard()


def _failure(source: Source, folder: Path, reason: str) -> DataError:
    by_hand = f"A {source.name} from elsewhere can be put into {folder} by hand"
    return DataError(f"{source.what} could not be downloaded from {source.url}: {reason}. {by_hand}.")


def _reason(error: Exception) -> str:
    """A failed request, in words."""
    import requests

    kinds = requests.exceptions
    if isinstance(error, kinds.HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, kinds.SSLError):
        return "the server's certificate is not trusted"
    if isinstance(error, kinds.ProxyError):
        return "the proxy cannot be reached"
    if isinstance(error, kinds.Timeout):
        return "the server does not answer in time"
    if isinstance(error, kinds.ConnectionError):
        return "the server cannot be reached (is there a network?)"
    return f"the connection broke off ({error})"


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from logging what the progress bar shows."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
