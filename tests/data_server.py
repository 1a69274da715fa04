"""A web server on loopback that serves one file, well or badly, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from course_utils.data.download import Source


@dataclass
class Asked:
    """One request: its Range and If-Range headers ("" for none), the status of the answer and the bytes sent."""

    range: str
    if_range: str
    status: int = 0
    sent: int = 0


@dataclass
class FileServer:
    """What is served and how; a test changes these between requests.

    content: the file. tag: its ETag, "" for none. modified: its Last-Modified, "" for none.
    ranges: whether parts of it can be had. length: whether Content-Length is sent.
    breaks: for each coming answer, after how many bytes its connection ends; then answers are whole again.
    status: another answer than 200 for everything. pause: seconds between two blocks.
    """

    content: bytes
    tag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    length: bool = True
    breaks: list[int] = field(default_factory=list)
    status: int = 200
    pause: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    @property
    def sent(self) -> int:
        """All bytes sent so far."""
        return sum(each.sent for each in self.asked)

    def source(self, content: bytes | None = None) -> Source:
        """The file as it should be: this server's, or with another content."""
        content = self.content if content is None else content
        sha256 = hashlib.sha256(content).hexdigest()
        return Source("The test set", self.url, sha256, len(content), "load_test(download=True)")


@contextlib.contextmanager
def serving(content: bytes, name: str = "set.tar.gz", **how):
    """Run a server for the time of a `with` statement, and give its `FileServer`."""
    files = FileServer(content, **how)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = Asked(self.headers.get("Range", ""), self.headers.get("If-Range", ""))
            files.asked.append(asked)
            with contextlib.suppress(ConnectionError):
                answer(self, files, asked)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files.url = f"http://127.0.0.1:{server.server_port}/{name}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler: BaseHTTPRequestHandler, files: FileServer, asked: Asked) -> None:
    """Send the file, or the part asked for, as RFC 9110 says."""
    content, start, asked.status = files.content, 0, files.status
    fresh = asked.if_range in ("", files.tag, files.modified)
    if asked.status == 200 and asked.range and files.ranges and fresh:
        start = int(asked.range.removeprefix("bytes=").removesuffix("-"))
        asked.status = 206 if start < len(content) else 416
    body = b"sorry" if asked.status not in (200, 206) else content[start:]
    handler.send_response(asked.status)
    if files.length:
        handler.send_header("Content-Length", str(len(body)))
    if asked.status == 206:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    for name, value in (("ETag", files.tag), ("Last-Modified", files.modified)):
        if value:
            handler.send_header(name, value)
    handler.end_headers()
    if files.breaks:
        body = body[: files.breaks.pop(0)]
    for begin in range(0, len(body), 2**15):
        block = body[begin : begin + 2**15]
        asked.sent += len(block)  # before it goes: the reader may be done with the last one before we are back here
        handler.wfile.write(block)
        time.sleep(files.pause)
    handler.close_connection = True
