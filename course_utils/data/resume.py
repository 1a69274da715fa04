"""A downloader for pooch that goes on where an interrupted download stopped, within one call and from call to call."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from time import sleep
from typing import Any

from course_utils.data.progress import Progress, megabytes

ATTEMPTS = 4  # in a row that bring nothing new
PAUSE = 1.0  # seconds before the second attempt; each further one waits longer
TIMEOUT = (15, 30)  # seconds for a connection, and for the next bytes
_BLOCK = 2**16


class WrongFile(ValueError):
    """The server has another file than the one that is wanted."""


class _Interrupted(OSError):
    """The connection ended before the file did."""


class ResumingDownloader:
    """Fetches a file of `size` bytes over HTTP. Called by pooch with the address and the place for the file.

    What has arrived waits in `part`; beside it, in a file that ends in ".json", stands of which version of which file
    it is the beginning. The next call asks the server for the rest (a `Range` request) of that version (`If-Range`),
    and starts again where the server cannot do that or has another version by now.
    """

    def __init__(self, part: Path, size: int, what: str):
        self.part = part
        self.size = size
        self.what = what
        self.resumed = False  # whether bytes of an earlier connection are in the file
        self._origin = part.with_name(part.name + ".json")

    def __call__(self, url: str, output_file: str | Path, pooch: Any) -> None:
        """Write the file at `url` to `output_file`.

        Raises `WrongFile`, or what requests and urllib3 raise: a refused connection at once, and one that breaks off
        after `ATTEMPTS` attempts in a row that brought nothing.
        """
        import requests
        import urllib3

        breaks = (
            _Interrupted,
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            urllib3.exceptions.HTTPError,
        )
        failures, most = 0, self.kept(url)
        received = False
        while True:
            try:
                self._fetch_rest(url, self.kept(url))
                break
            except breaks:
                kept = self.kept(url)
                # Only more than ever before is progress: a server may send the same beginning again and again.
                failures = 1 if kept > most else failures + 1
                received, most = received or kept > most, max(kept, most)
                if not received or failures >= ATTEMPTS:
                    raise
                sleep(PAUSE * failures)
        os.replace(self.part, output_file)
        self.discard()

    def kept(self, url: str) -> int:
        """How many bytes of the file at `url` have arrived."""
        if self._read_origin().get("url") != url:
            return 0
        with contextlib.suppress(OSError):
            return self.part.stat().st_size
        return 0

    def discard(self) -> None:
        """Forget what has arrived."""
        for file in (self.part, self._origin):
            with contextlib.suppress(OSError):
                file.unlink()

    def _read_origin(self) -> dict[str, str]:
        try:
            origin = json.loads(self._origin.read_text())
        except (OSError, ValueError):
            return {}
        return origin if isinstance(origin, dict) else {}

    def _fetch_rest(self, url: str, kept: int) -> None:
        import requests

        if kept == self.size:
            self.resumed = True
            return
        if kept > self.size:
            kept = 0
        # Compression on the way would make the positions meaningless.
        headers = {"Accept-Encoding": "identity"}
        if kept:
            headers["Range"] = f"bytes={kept}-"
            version = self._read_origin().get("version", "")
            if version:
                headers["If-Range"] = version
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if kept and response.status_code == requests.codes.requested_range_not_satisfiable:
                self.discard()
                raise _Interrupted("the file on the server is shorter than what has arrived")
            response.raise_for_status()
            start, total = _extent(response)
            if total not in (None, self.size):
                raise WrongFile(f"the file there has {total:,} bytes instead of {self.size:,}")
            if start not in (0, kept):
                self.discard()
                raise _Interrupted("the server sent another part than the one asked for")
            self._receive(url, response, start)

    def _receive(self, url: str, response: Any, start: int) -> None:
        if start == 0:
            self.discard()
        else:
            self.resumed = True
        with (
            open(self.part, "ab") as file,
            Progress(self.what, self.size, lambda n: f"{megabytes(n)} of {megabytes(self.size)}", start) as progress,
        ):
            if start == 0:
                self._origin.write_text(json.dumps({"url": url, "version": _version(response)}))
            arrived = start
            for block in response.raw.stream(_BLOCK, decode_content=False):
                arrived += len(block)
                if arrived > self.size:
                    break
                file.write(block)
                progress.advance(len(block))
        if arrived > self.size:
            self.discard()
            raise WrongFile(f"the file there is longer than {self.size:,} bytes")
        if arrived < self.size:
            raise _Interrupted(f"only {arrived:,} of {self.size:,} bytes arrived")


def _extent(response: Any) -> tuple[int, int | None]:
    """Where the bytes of the response begin in the file, and how long the file is, if the server says so."""
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if found is None:
            return -1, None  # several parts, or nonsense: not what was asked for
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _version(response: Any) -> str:
    """What `If-Range` may name: a strong ETag, or else the date of the last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
