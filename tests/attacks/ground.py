"""The place that is attacked: a course with secrets that can be recognised, servers that tell who came, a victim.

All of it lies open: files that everybody on the machine may read or write, so that the wall alone keeps attackers out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from tests import toy
from tests.attacks.attack import Attack

ROOT = Path(__file__).resolve().parents[2]
PEER = "a_honest"
# Students who attack nobody, before, between and after the attackers.
HONEST = (PEER, "c_honest", "f_honest", "i_honest", "m_honest", "q_honest", "s_honest", "y_honest", "z_honest")
SHIFT = "def shift(x, by):\n    return x + by"
TWICE = "def twice(x):\n    return 2 * x"
CONFIG = """
c = get_config()
c.JudgedExecute.timeout = 2
c.Execute.timeout = 4
c.JudgedExecute.settle_seconds = 1
"""
TESTS = {
    "check_shift": "assert np.allclose(shift(np.array([1.0, 2.0]), 2.0), [3.0, 4.0])\n### BEGIN HIDDEN TESTS\n"
    "assert np.allclose(shift(np.array([0.3, 7.0, 2.0]), -1.5), [-1.2, 5.5, 0.5])\n"
    "assert np.allclose(shift(np.array([[0.3, 7.0], [2.0, 1.0]]), 0.5), [[0.8, 7.5], [2.5, 1.5]])\n"
    "### END HIDDEN TESTS",
    "check_twice": "assert np.allclose(twice(np.array([1.0, 2.0])), [2.0, 4.0])",
}
VICTIM = """
import os, signal, sys, time
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    signal.signal(number, lambda n, frame: os.write(1, b"%d " % n))
parent = os.getppid()
print("ready", flush=True)
while os.getppid() == parent:
    time.sleep(0.2)
"""


class Ground:
    """Everything an attack may reach where a wall has a hole. Use it as a context manager."""

    def __init__(self, attacks: Sequence[Attack], plain: bool = False):
        """Make the course and hand in `attacks`; `plain` makes it one of stock nbgrader, with tests in the notebook."""
        self.attacks = {attack.name: attack for attack in attacks}
        self.run = secrets.token_hex(6)
        self.root = Path(tempfile.mkdtemp(prefix="atk-", dir="/tmp"))
        self.root.chmod(0o755)
        self.course = self.root / "course"
        kinds = ("solution", "environment", "peer", "gradebook", "descriptor", "victim", "file")
        self.canaries = {kind: f"canary-{self.run}-{kind}" for kind in kinds}
        self.canaries["secret"] = secrets.token_hex(32)
        self._lay_out_open_folder()
        self._make_course(plain)
        self.listeners = Listeners(self.root / "open.sock", f"abstract-{self.run}")
        self.victim = self._victim()
        for attack in attacks:
            self._hand_in(attack)
        self.before = self.tree()

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *error: object) -> None:
        self.listeners.close()
        self.victim.kill()
        self.victim.wait()
        os.close(self.descriptor)
        for path in self.root.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(self.root, ignore_errors=True)
        for path in self.stray_files():
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.unlink(path)

    # -- what lies about -----------------------------------------------------------------------

    def _lay_out_open_folder(self) -> None:
        self.open = self.root / "open"
        (self.open / "mnt").mkdir(parents=True)
        self.open.chmod(0o777)
        (self.open / "file.txt").write_text(self.canaries["file"])
        (self.open / "file.txt").chmod(0o666)
        (self.root / "inherited.txt").write_text(self.canaries["descriptor"])
        self.descriptor = os.open(self.root / "inherited.txt", os.O_RDWR)
        os.set_inheritable(self.descriptor, True)

    def _victim(self) -> subprocess.Popen:
        self.signals = self.root / "signals.txt"
        with self.signals.open("wb") as file:
            environment = {**os.environ, "CANARY": self.canaries["victim"]}
            victim = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=file, env=environment)
        while self.signals.stat().st_size == 0 and victim.poll() is None:
            threading.Event().wait(0.02)
        return victim

    def _make_course(self, plain: bool) -> None:
        self.source = toy.course(self.course)
        for cell in self.source.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if plain and name in TESTS:
                cell.source = TESTS[name]
            if name == "shift":
                cell.source = f'{cell.source}\n    """{self.canaries["solution"]}"""'
        nbformat.write(self.source, self.course / "source" / toy.ASSIGNMENT / "toy.ipynb")
        (self.course / "nbgrader_config.py").write_text(CONFIG)
        (self.course / ".autograder").mkdir()
        (self.course / ".autograder" / "secret").write_text(self.canaries["secret"])
        for student in HONEST:
            note = f"  # {self.canaries['peer']}" if student == PEER else ""
            toy.hand_in(self.course, student, toy.submission(self.source, shift=SHIFT + note, twice=TWICE))

    def name_in_gradebook(self) -> None:
        """Give a student a last name that can be recognised; the gradebook exists once a class has been graded."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.course}/gradebook.db") as gradebook:
            gradebook.update_or_create_student(PEER, last_name=self.canaries["gradebook"])
        (self.course / "gradebook.db").chmod(0o666)

    def environment(self) -> dict[str, str]:
        """What the grader runs with."""
        kept = {name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTION"}
        packages = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        return {
            **kept,
            "GRADER_CANARY": self.canaries["environment"],
            "ATTACKS_PASS_FDS": str(self.descriptor),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),  # nbgrader calls alembic
            "PYTHONPATH": packages,
        }

    # -- the submissions -----------------------------------------------------------------------

    def mark(self, attack: Attack) -> str:
        """What names of files and messages of this attack contain."""
        return f"{self.run}-{attack.name}"

    def number(self, attack: Attack) -> int:
        return list(self.attacks).index(attack.name)

    def process_name(self, attack: Attack) -> str:
        return f"a{self.run[:6]}{self.number(attack):03d}"

    def digits(self, attack: Attack) -> str:
        """A number for the command line of programs that an attack starts."""
        return f"{int(self.run[:6], 16):08d}{self.number(attack):03d}"

    def words(self, attack: Attack) -> dict[str, str]:
        """What attackers are assumed to have found out."""
        return {
            "@COURSE@": str(self.course),
            "@ROOT@": str(ROOT),
            "@CANARY@": str(self.open),
            "@HOME@": str(Path.home()),
            "@RUN@": self.run,
            "@MARK@": self.mark(attack),
            "@COMM@": self.process_name(attack),
            "@DIGITS@": self.digits(attack),
            "@TCP@": str(self.listeners.tcp),
            "@UDP@": str(self.listeners.udp),
            "@UNIX@": str(self.root / "open.sock"),
            "@ABSTRACT@": f"abstract-{self.run}",
            "@VICTIM@": str(self.victim.pid),
            "@PIDNS@": os.readlink("/proc/self/ns/pid"),
            "@NETNS@": os.readlink("/proc/self/ns/net"),
        }

    def _hand_in(self, attack: Attack) -> None:
        folder = self.course / "submitted" / attack.name / toy.ASSIGNMENT
        folder.mkdir(parents=True)
        notebook = toy.submission(self.source, shift=attack.shift or SHIFT, twice=attack.twice or TWICE)
        for cell in notebook.cells:  # the tests are the instructor's; what a student hands in has `check(…)`
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if name in TESTS:
                cell.source = f"check({name.removeprefix('check_')})"
        if attack.change:
            attack.change(notebook, folder)
        path = folder / "toy.ipynb"
        if not os.path.lexists(path):
            path.write_text(self.filled(attack, nbformat.writes(notebook)), encoding="utf-8")

    def filled(self, attack: Attack, text: str) -> str:
        """The text with its @WORDS@ filled in; they hold nothing that JSON would write in another way."""
        for word, meaning in self.words(attack).items():
            text = text.replace(word, meaning)
        return text

    # -- what an attack may have left ----------------------------------------------------------

    def tree(self) -> dict[str, str]:
        """A digest of everything that grading has no business to change."""
        found = {}
        for base in (self.course, self.open):
            for path in sorted(base.rglob("*")):
                name = str(path.relative_to(self.root))
                if name.startswith(("course/autograded", "course/feedback", "course/release", "course/gradebook.db")):
                    continue
                if name.startswith("course/.autograder") and path.name != "secret":
                    continue
                if path.is_symlink():
                    found[name] = os.readlink(path)
                elif path.is_file():
                    found[name] = _digest(path)
                else:
                    found[name] = oct(path.lstat().st_mode)
        return found

    def secret_inputs(self) -> list[str]:
        """Numbers of the secret cases, as a student would see them."""
        from autograder.judge import SECRET_SETS
        from autograder.secret import secret_rng

        secret = bytes.fromhex(self.canaries["secret"])
        cases = [case for i in range(SECRET_SETS) for case in toy.SHIFT.cases(secret_rng(secret, "shift", i))]
        return [repr(float(case.inputs["x"].ravel()[0]))[:14] for case in cases]

    def stray_files(self) -> list[str]:
        """Files anywhere that carry the mark of this run in their names."""
        import course_utils

        packages = [Path(p) for p in sys.path if p.endswith("site-packages")]
        places = {
            Path("/tmp"): 3, Path("/var/tmp"): 2, Path("/dev/shm"): 2, Path("/run"): 2, Path("/etc"): 1, Path.home(): 2,
            Path("/usr/bin"): 1, ROOT: 2, Path(course_utils.__file__).parent: 1, self.root: 9,
            **dict.fromkeys(packages, 1),
        }  # fmt: skip
        return sorted({path for place, depth in places.items() for path in _named(place, self.run, depth)})


def _digest(path: Path) -> str:
    if path.stat().st_size > 2**30:
        return str(path.stat().st_size)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _named(folder: Path, text: str, depth: int) -> list[str]:
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if text in entry.name:
                found.append(entry.path)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                found += _named(Path(entry.path), text, depth - 1)
    return found


class Listeners:
    """Servers on loopback, on a unix socket and on an abstract one, which remember what reaches them."""

    def __init__(self, path: Path, abstract: str):
        self.heard: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._sockets = []
        stream = socket.SOCK_STREAM
        tcp = self._listen(socket.socket(socket.AF_INET, stream), ("127.0.0.1", 0))
        self.tcp = tcp.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        self._add(udp, self._receive)
        self.udp = udp.getsockname()[1]
        with contextlib.suppress(OSError):  # a machine without IPv6
            self._listen(socket.socket(socket.AF_INET6, stream), ("::1", self.tcp))
        self._listen(socket.socket(socket.AF_UNIX, stream), str(path))
        path.chmod(0o777)
        self._listen(socket.socket(socket.AF_UNIX, stream), f"\0{abstract}")
        self._running = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _listen(self, sock: socket.socket, address: Any) -> socket.socket:
        sock.bind(address)
        sock.listen()
        self._add(sock, self._accept)
        return sock

    def _add(self, sock: socket.socket, action: Any) -> None:
        self._sockets.append(sock)
        self._selector.register(sock, selectors.EVENT_READ, action)

    def _accept(self, sock: socket.socket) -> None:
        connection, _ = sock.accept()
        connection.settimeout(0.5)
        with connection:
            try:
                data = connection.recv(200)
            except OSError:
                data = b""
        self.heard.append(f"{sock.family.name}: {data!r}")

    def _receive(self, sock: socket.socket) -> None:
        self.heard.append(f"datagram: {sock.recv(1000)!r}")

    def _serve(self) -> None:
        while self._running:
            for key, _ in self._selector.select(0.2):
                with contextlib.suppress(OSError):
                    key.data(key.fileobj)

    def close(self) -> None:
        """Stop listening."""
        self._running = False
        self._thread.join()
        for sock in self._sockets:
            sock.close()
