"""A real PostgreSQL server for tests, on a loopback port and in a folder of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy

DEBIAN = "/usr/lib/postgresql"
USER = "instructor"
PASSWORD = "a:secret/of#ours"  # characters that a URL has to quote
QUOTED = "a%3Asecret%2Fof%23ours"
# A plain "postgresql" means psycopg to SQLAlchemy from 2.1 on.
DRIVERS = {"psycopg": "postgresql", "psycopg2": "postgresql+psycopg2"}
SCHEME = next((scheme for driver, scheme in DRIVERS.items() if importlib.util.find_spec(driver)), "")


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`, or None: Debian keeps them off the PATH."""
    for folder in sorted(Path(DEBIAN).glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and shutil.which("postgres") else None


@dataclass
class Server:
    """A running server."""

    port: int

    def url(self, database: str, *, password: str = QUOTED, port: int | None = None) -> str:
        """The address of a database, as `db_url` takes it."""
        return f"{SCHEME}://{USER}:{password}@127.0.0.1:{port or self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; returns its address."""
        self.ask(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def connections(self, database: str) -> int:
        """How many connections to a database are open."""
        return self.ask(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'").scalar_one()

    def ask(self, statement: str) -> Any:
        """Run one statement in the server's own database."""
        engine = sqlalchemy.create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
        )
        with engine.connect() as connection:
            result = connection.execute(sqlalchemy.text(statement))
            return result.freeze()() if result.returns_rows else None


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """A server that runs as long as the context."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user = _unprivileged(home)
    try:
        (home / "password").write_text(PASSWORD)
        os.chmod(home / "password", 0o644)
        command = [programs() / "initdb", "-D", home / "data", "-U", USER, "--pwfile", home / "password"]
        made = subprocess.run(
            [*command, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"],
            cwd=home, capture_output=True, text=True, **as_user,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "port": port}
        with open(home / "log", "wb") as log:
            process = subprocess.Popen(
                [programs() / "postgres", "-D", home / "data", *(f"--{k}={v}" for k, v in settings.items())],
                cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **as_user,
            )  # fmt: skip
        try:
            yield _ready(Server(port), process, home / "log")
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown": it waits for no client
            process.wait(60)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged(home: Path) -> dict:
    """PostgreSQL refuses to run as root, so root starts it as somebody else."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    somebody = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(home, somebody.pw_uid, somebody.pw_gid)
    return {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ready(server: Server, process: subprocess.Popen, log: Path) -> Server:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(sqlalchemy.exc.OperationalError):
            server.ask("SELECT 1")
            return server
        time.sleep(0.1)
    raise AssertionError(log.read_text())
