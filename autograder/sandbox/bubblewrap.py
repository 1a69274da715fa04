"""bubblewrap's command line: what a process behind the wall sees of the file system, and as whom it runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

from autograder.sandbox.servers import ServerFailed
from autograder.standin import kernel_packages

PACKAGES = "/course"  # where the kernel's packages are seen
WORK, SCRATCH = "/submission", "/scratch"  # a kernel's folders for the submission's files and for everything temporary
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/fonts",
            "/etc/localtime", "/etc/mime.types", "/nix/store")  # fmt: skip
NOT_FOR_STUDENTS = ("autograder", "course_utils", "solutions", "tests")
UNPRIVILEGED = 64000  # no limit on processes binds root, so root becomes this user and group first


def program() -> str:
    """bubblewrap's path. Raises `ServerFailed` where it is not installed."""
    found = shutil.which("bwrap")
    if not found or sys.platform != "linux":
        raise ServerFailed("bubblewrap is not installed (apt-get install bubblewrap)")
    return found


def command(arguments: list[str], *, server: bool, hidden: list[str] | None = None, disk: int = 0) -> list[str]:
    """The command that runs `arguments` in bubblewrap: no network, and a read-only view of the system and this Python.

    A `server` may make further namespaces, in which its kernels mount folders of their own. A single kernel may not; it
    gets folders in memory of `disk` bytes each, and sees the `hidden` folders empty.
    """
    bwrap = program()
    inside = [bwrap, "--unshare-all", "--new-session", "--hostname", "grading"]
    inside += [] if server else ["--die-with-parent", "--unshare-user", "--disable-userns"]
    view = _view(hidden or [])
    devices = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    sizes = [] if server else ["--size", str(disk)]
    memory = [part for folder in folders_in_memory() for part in (*sizes, "--tmpfs", folder)]
    sealed = ["--remount-ro", "/", "--chdir", "/" if server else WORK, "--"]
    if os.geteuid() != 0:
        return [*inside, *view, *devices, *memory, *sealed, *arguments]
    # Root first builds a view that others may read (its own home is closed to them), then becomes nobody in it.
    ids = [f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    places = [part for folder in folders_in_memory() for part in ("--dir", folder)]
    # The system's own /proc as it is: a new one may be mounted inside only where nothing covers parts of the old one.
    outer = [bwrap, *view, "--bind", "/proc", "/proc", "--dev", "/dev", *places, "--", "setpriv", *ids]
    return [*outer, *inside, "--ro-bind", "/", "/", *devices, *memory, *sealed, *arguments]


def folders_in_memory() -> list[str]:
    """Folders that a kernel finds empty and may write in; /tmp is none of them where this Python lives there."""
    in_tmp = any(Path(folder).is_relative_to("/tmp") for folder in python_folders())
    return [WORK, SCRATCH, "/dev/shm", *([] if in_tmp else ["/tmp"])]


def _view(hidden: list[str]) -> list[str]:
    """Read-only binds of the system, of this Python, and of the kernel's packages."""
    binds: list[str] = []
    for path in SYSTEM:
        if os.path.islink(path):
            binds += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            binds += ["--ro-bind", path, path]
    for path in SETTINGS:
        binds += ["--ro-bind-try", path, path]
    for path in python_folders():
        for parent in reversed(Path(path).parents[:-1]):
            binds += ["--dir", str(parent)]  # which bubblewrap would make for its owner alone
        binds += ["--ro-bind", path, path]
    for path in [*_own_packages(), *hidden]:
        if os.path.isdir(path):
            binds += ["--tmpfs", path, "--remount-ro", path]
    return [*binds, "--ro-bind", str(kernel_packages()), PACKAGES]


def python_folders() -> list[str]:
    """Where this Python and its packages live, outer folders first; /usr is seen anyway."""
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *site.getsitepackages()}
    folders.add(str(Path(sys.executable).resolve().parent.parent))
    folders.add(sysconfig.get_path("stdlib"))
    wanted: list[str] = []
    for folder in sorted(map(os.path.abspath, folders)):
        inside = any(Path(folder).is_relative_to(outer) for outer in ("/usr", *wanted))
        if os.path.isdir(folder) and not inside:
            wanted.append(folder)
    return wanted


def _own_packages() -> list[str]:
    """Folders of this course's own packages that were installed among the others."""
    return [os.path.join(folder, name) for folder in site.getsitepackages() for name in NOT_FOR_STUDENTS]


def package_folder(name: str) -> str:
    """The folder that importing the package `name` would read; empty where it is not installed."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    places = list(found.submodule_search_locations or []) if found else []
    return places[0] if places else ""


def try_out() -> None:
    """Run something behind the wall. Raises `ServerFailed` where that does not work."""
    arguments = command([sys.executable, "-c", "print(1)"], server=False, disk=2**20)
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerFailed(f"bubblewrap does not run ({type(error).__name__})") from None
    if done.stdout.strip() != "1":
        last = (done.stderr.strip().splitlines() or ["it prints nothing"])[-1]
        raise ServerFailed(f"bubblewrap fails: {last[:200]}")
