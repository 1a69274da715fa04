"""What tests share: what they need of the machine, a guard against writes in the checkout, and a made-up course."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from functools import cache

# Two test processes share two cores, so each computes on one thread; set before NumPy or torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from tests.made_up import ROOT, MadeUpCourse
from tests.postgres import SCHEME, programs

CI = os.environ.get("CI", "").lower() in ("1", "true")


# What a machine may lack.


@cache
def missing(need: str) -> str:
    """Why tests marked `need` cannot run here; empty when they can."""
    return NEEDS[need]()


def chromium_path() -> str | None:
    """Where Chromium is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def _no_chromium() -> str:
    return "" if chromium_path() else "Chromium is not installed"


def _no_bubblewrap() -> str:
    program = shutil.which("bwrap")
    if not program:
        return "bubblewrap is not installed"
    tried = subprocess.run(
        [program, "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else "bubblewrap may not make namespaces here"


def _no_cuda() -> str:
    import torch

    return "" if torch.cuda.is_available() else "there is no CUDA device"


def _no_postgresql() -> str:
    if programs() is None:
        return "PostgreSQL's server is not installed"
    return "" if SCHEME else "neither psycopg nor psycopg2 is installed"


NEEDS = {"chromium": _no_chromium, "bubblewrap": _no_bubblewrap, "cuda": _no_cuda, "postgresql": _no_postgresql}


# Workers take whole files: the slowest first, so that none is left with a long one at the end.
SLOWEST = ("bank", "notebooks", "sample_class", "attacks", "widget_controls_browser", "browser", "dropout_widgets")


def pytest_collection_modifyitems(items):
    names = [f"test_{name}.py" for name in SLOWEST]
    items.sort(key=lambda item: names.index(item.path.name) if item.path.name in names else len(names))


def pytest_runtest_setup(item):
    for need in NEEDS:
        if item.get_closest_marker(need) and (why := missing(need)):
            if CI and need != "cuda":
                pytest.fail(f"on CI this test must run, but {why}", pytrace=False)
            pytest.skip(f"needs {need}: {why}")


def pytest_terminal_summary(terminalreporter):
    reasons = [
        report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()) if isinstance(report.longrepr, tuple)
    ]
    needs = Counter(reason.removeprefix("Skipped: ") for reason in reasons if reason.startswith("Skipped: needs "))
    if needs:
        listed = "; ".join(
            f"{count} {'test' if count == 1 else 'tests'}: {why}" for why, count in sorted(needs.items())
        )
        terminalreporter.write_line(f"NOT RUN HERE: {listed}.", yellow=True, bold=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium, for tests marked `chromium`."""
    return chromium_path()


# No test writes in the checkout, or reads the configuration of whoever runs it.


@pytest.fixture(scope="session", autouse=True)
def own_jupyter_folders():
    # Short names: a kernel's unix sockets live here, and their paths may have 107 bytes.
    folder = tempfile.mkdtemp(prefix="jup-")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, f"{folder}/{name[-4:].lower()}")
        yield
    shutil.rmtree(folder, ignore_errors=True)


def _state_of_checkout() -> dict[str, tuple[int, int]]:
    """Size and time of every file that git knows or would add."""
    git = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(git, capture_output=True, text=True, check=False).stdout.split("\0")
    paths = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


# On CI nobody else edits files meanwhile.
_before = _state_of_checkout() if CI and "PYTEST_XDIST_WORKER" not in os.environ and shutil.which("git") else None


def pytest_sessionfinish(session):
    if _before is None:
        return
    after = _state_of_checkout()
    touched = sorted(path for path in _before.keys() | after.keys() if _before.get(path) != after.get(path))
    if touched:
        print("\nThe tests wrote in the checkout: " + ", ".join(touched))
        session.exitstatus = 1


try:
    from hypothesis import settings
except ImportError:  # only tests that use it need it
    pass
else:
    settings.register_profile("course", database=None, deadline=None, print_blob=True)
    settings.load_profile("course")


@pytest.fixture
def made_up_course(tmp_path) -> MadeUpCourse:
    return MadeUpCourse(tmp_path / "course")
