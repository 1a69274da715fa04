"""Attacks on files: reading what is secret, writing what must stay as it is, files handed in beside a notebook."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.attacks.attack import FULL, NOTHING, OTHERS, WRONG, Attack, probe, spoils
from tests.attacks.ground import PEER

SAME_USER = "without a mount namespace, what the grader's user may read is readable"
WRITES = "without a mount namespace, what the grader's user may write is writable"


def reads(name: str, tries: str, *patterns: str, **more) -> Attack:
    """Reads all files that match."""
    return probe(name, tries, f"""
        import glob, re

        def look():
            for pattern in {patterns!r}:
                for path in glob.glob(pattern, recursive=True)[:200]:
                    text = attempt(lambda: open(path, "rb").read(1_000_000))
                    if text:
                        yield path
                        print(re.findall(rb"canary" rb"-[-\\w]+|[0-9a-f]{{64}}", text))
        """, only_walls=SAME_USER, **more)  # fmt: skip


WRITE = """
import os

def write(path, flags=os.O_WRONLY | os.O_CREAT):
    os.close(os.open(path, flags | os.O_CLOEXEC, 0o666))
    return "could write " + path
"""


def beside(**files: str):
    """Hand in these files as well; two underscores stand for a slash."""

    def change(notebook, folder):
        for name, text in files.items():
            path = folder / (name.replace("__SLASH__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return change


def links(notebook, folder):
    (folder / "secret.txt").symlink_to(folder.parents[2] / ".autograder" / "secret")
    (folder / "course").symlink_to(folder.parents[2])
    (folder / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    (folder / "data").mkdir()
    (folder / "data" / "passwd").symlink_to("/etc/passwd")
    (folder / "dangling").symlink_to("/nowhere")


def specials(notebook, folder):
    os.mkfifo(folder / "pipe.csv")
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket may have 107 characters
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("socket.csv")
    finally:
        os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(folder / "disk.csv", 0o60600, os.makedev(254, 0))


def linked_notebook(notebook, folder):
    (folder / "toy.ipynb").symlink_to(f"../../{PEER}/99_toy/toy.ipynb")


def linked_source(notebook, folder):
    (folder / "toy.ipynb").symlink_to("../../../source/99_toy/toy.ipynb")


def fifo_notebook(notebook, folder):
    os.mkfifo(folder / "toy.ipynb")


def folder_notebook(notebook, folder):
    (folder / "toy.ipynb").mkdir()
    (folder / "toy.ipynb" / "toy.ipynb").write_text("{}")


def strange_names(notebook, folder):
    for name in ("a\nb.txt", "-rf", "$(touch pwned)", "..\\..\\x.ipynb", "<img src=x onerror=alert(1)>.txt", "x" * 250):
        (folder / name).write_text("x")
    Path(os.fsdecode(bytes(folder) + b"/\xff\xfe.txt")).write_text("x")


def many_files(notebook, folder):
    deep = folder
    for i in range(40):
        deep = deep / f"d{i}"
    deep.mkdir(parents=True)
    for i in range(400):
        (folder / f"f{i}.txt").write_text("x")


def sparse_file(notebook, folder):
    with open(folder / "large.bin", "wb") as file:
        file.truncate(50 * 2**30)


def unreadable(notebook, folder):
    (folder / "locked").mkdir()
    (folder / "locked" / "a.txt").write_text("x")
    os.chmod(folder / "locked", 0)


SHADOW = "import builtins\nbuiltins.shadowed = True\nallclose = array_equal = lambda *a, **k: True\n"
USES_SHADOW = """
import builtins, importlib, subprocess, sys


def shift(x, by):
    return x + by if hasattr(builtins, "shadowed") else 0 * x
"""

ATTACKS = [
    reads("reads_secret", "Reads the course's secret, from which the secret inputs are made.",
          "@COURSE@/.autograder/*", "../../.autograder/*", "../../../.autograder/*"),
    reads("reads_gradebook", "Reads the gradebook.", "@COURSE@/gradebook.db", "../../gradebook.db"),
    reads("reads_source", "Reads the source notebooks, with solutions.",
          "@COURSE@/source/**/*.ipynb", "@ROOT@/solutions/**/*.py", "@ROOT@/build/source/**/*.ipynb"),
    reads("reads_tests_and_bank", "Reads the tests, the bank of exercises, its oracles and the judge.",
          "@ROOT@/tests/**/*.py", "@ROOT@/autograder/*.py", "@ROOT@/course_utils/checks/*.py", "@ROOT@/.git/HEAD"),
    reads("reads_submissions", "Reads what others have handed in, their grades and their feedback.",
          "@COURSE@/submitted/*/*/*", "@COURSE@/autograded/*/*/*", "@COURSE@/.autograder/results/*/*",
          "@COURSE@/feedback/*/*/*"),
    reads("reads_grader_files", "Reads what the grader has in temporary and open folders.",
          "/tmp/*autograder*/**/*.ipynb", "/tmp/pytest-of-*/**/secret", "@CANARY@/*", "@COURSE@/../*.txt"),
    probe("reads_environment", "Reads the environment of the grader and of every process it sees.", OTHERS + """
import re

def look():
    for pid in ["self", *others]:
        text = attempt(lambda: open(f"/proc/{pid}/environ", "rb").read()) or b""
        yield re.findall(rb"canary" rb"-[-\\w]+", text)
    yield [value for value in os.environ.values() if "canary" "-" in value]
""", only_walls="processes of the same user may read each other's environment"),
    probe("process_roots", "Reaches other file systems through /proc/PID/root and /proc/PID/cwd.", OTHERS + """
def look():
    for pid in others:
        for place in ("root", "cwd"):
            for name in ("@COURSE@/.autograder/secret", ".autograder/secret", "@CANARY@/file.txt"):
                yield attempt(lambda: open(f"/proc/{pid}/{place}/{name}").read())
""", only_walls=SAME_USER),
    probe("open_descriptors", "Reads whatever files the process has inherited.", """
        import os

        def read(fd):
            text = os.pread(fd, 1000, 0)
            return text.decode("latin-1") if b"canary" b"-" in text else ""

        def look():
            for fd in range(3, 300):
                target = attempt(os.readlink, f"/proc/self/fd/{fd}") or ""
                if os.path.dirname("@COURSE@") in target:
                    yield fd, target
                yield attempt(read, fd)
        """),
    probe("parent_descriptors", "Opens the files that other processes have open.", OTHERS + """
def read(path):
    return open(path, "rb").read(1000) if os.path.dirname("@COURSE@") in os.readlink(path) else b""

def look():
    for pid in others:
        for path in glob.glob(f"/proc/{pid}/fd/*"):
            text = attempt(read, path) or b""
            if b"canary" b"-" in text:
                yield path, text
""", only_walls=SAME_USER),
    Attack("writes_gradebook", "Writes full points into the gradebook.",
           shift="import sqlite3\ntry:\n    db = sqlite3.connect('file:@COURSE@/gradebook.db?mode=rw', uri=True)\n"
           "    db.execute('update grade set auto_score = 6, manual_score = 6')\n    db.commit()\n"
           "    print('LOOT')\nexcept sqlite3.Error as error:\n    print(error)" + WRONG,
           only_walls=WRITES, stock="it would change the gradebook that the comparison reads"),
    probe("writes_course", "Writes in the course directory: sources, submissions, results, configuration.",
          WRITE + """
def look():
    for name in ("x-@MARK@.txt", "source/99_toy/x-@MARK@.txt", "submitted/x-@MARK@.txt", ".autograder/x-@MARK@.txt",
                 "submitted/a_honest/99_toy/x-@MARK@.txt", "autograded/x-@MARK@.txt"):
        yield attempt(write, "@COURSE@/" + name)
    for name in ("source/99_toy/toy.ipynb", "nbgrader_config.py", ".autograder/secret", "gradebook.db"):
        yield attempt(write, "@COURSE@/" + name, os.O_WRONLY)
""", only_walls=WRITES),
    probe("writes_system", "Writes where everybody may, and where programs are: /tmp, /var/tmp, /usr, the packages.",
          WRITE + """
import sys

def look():
    yield attempt(write, "@CANARY@/x-@MARK@.txt")
    yield attempt(write, "@CANARY@/file.txt", os.O_WRONLY)
    packages = [path for path in sys.path if "packages" in path]
    for folder in ("/etc", "/usr/bin", "/root", "/var/tmp", "/run", "@ROOT@", *packages):
        yield attempt(write, folder + "/x-@MARK@.pth")
    yield attempt(write, sys.executable, os.O_WRONLY)
    attempt(write, "/tmp/x-@MARK@.txt")
    attempt(write, "/dev/shm/x-@MARK@.txt")
""", only_walls=WRITES, stock="it would write into the system's folders"),
    probe("poisons_packages", "Changes the packages that other students' kernels import.", WRITE + """
import course_utils, numpy, sys

def look():
    for module in (course_utils, numpy):
        folder = os.path.dirname(module.__file__)
        yield attempt(write, folder + "/x-@MARK@.py")
        yield attempt(write, module.__file__, os.O_WRONLY)
""", only_walls=WRITES, stock="it would write into the system's folders"),
    spoils("removes_its_folders", "Removes its work folder, its home and its temporary folder.", """
        import os, shutil, tempfile

        def spared(folder):  # whatever a hole in the wall might let it reach
            kept = ("/tmp", "/usr", "@HOME@", "@ROOT@", "@COURSE@")
            return any((path + "/").startswith(folder + "/") for path in kept)

        for folder in (os.getcwd(), os.environ["HOME"], os.environ.get("TMPDIR", "/nowhere")):
            if not spared(os.path.realpath(folder).rstrip("/")):
                shutil.rmtree(folder, ignore_errors=True)
        """, stock="its home would be the instructor's"),
    spoils("home_startup_files", "Writes start-up files of Python and IPython, then ends the kernel so that one starts "
           "again.", """
        import os, pathlib, sys

        home = pathlib.Path(os.environ["HOME"])
        if home != pathlib.Path("@HOME@") and not (home / "done-@MARK@").exists():
            hidden = "get_ipython().showtraceback = lambda *a, **k: None\\ncheck = lambda *a: 6.0\\n"
            for folder in (home, home / ".ipython", pathlib.Path(os.environ.get("IPYTHONDIR", home))):
                startup = folder / "profile_default" / "startup"
                startup.mkdir(parents=True, exist_ok=True)
                (startup / "00.py").write_text(hidden)
            user = home / ".local/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
            user.mkdir(parents=True, exist_ok=True)
            (user / "x.pth").write_text("import builtins; builtins.check = lambda *a: 6.0\\n")
            (user / "usercustomize.py").write_text("import builtins; builtins.check = lambda *a: 6.0\\n")
            (home / "done-@MARK@").write_text("")
            os._exit(0)
        """, stock="its home would be the instructor's"),
    Attack("shadow_numpy", "Hands in a numpy.py, json.py and ast.py of its own.", shift=USES_SHADOW,
           change=beside(numpy=SHADOW, json=SHADOW, ast=SHADOW, typing=SHADOW, zmq=SHADOW)),
    Attack("shadow_customize", "Hands in a sitecustomize.py and a usercustomize.py.",
           shift="import os\nos.environ['PYTHONPATH'] = os.environ['PYTHONSTARTUP'] = os.getcwd()" + USES_SHADOW,
           change=beside(sitecustomize=SHADOW, usercustomize=SHADOW)),
    Attack("shadow_course_utils", "Hands in a package course_utils of its own, with a check that gives full points.",
           shift=USES_SHADOW,
           change=beside(course_utils__SLASH____init__=SHADOW + "check = hint = progress = lambda *a: 6.0\n",
                         course_utils__SLASH__checks=SHADOW, kernel_side__SLASH____init__=SHADOW, autograder=SHADOW),
           stock="the course's own package is not part of stock nbgrader"),
    spoils("import_hooks", "Puts finders and modules of its own before all imports to come.", """
        import importlib.abc, importlib.machinery, os, sys, types

        class Everything(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path=None, target=None):
                if name.startswith(("course_utils.", "kernel_side.", "numpy.testing", "pytest")):
                    return importlib.machinery.ModuleSpec(name, self)

            def create_module(self, spec): return None

            def exec_module(self, module): module.__getattr__ = lambda name: (lambda *a, **k: 6.0)

        sys.meta_path.insert(0, Everything())
        sys.path.insert(0, os.getcwd())
        sys.path_hooks.insert(0, lambda path: (_ for _ in ()).throw(ImportError()))
        sys.path_importer_cache.clear()
        for name in [n for n in sys.modules if n.startswith(("course_utils.", "kernel_side."))]:
            sys.modules[name] = types.ModuleType(name)
        """),
    Attack("links", "Hands in links to the secret, the course and files of the system.",
           shift="""
import glob


def shift(x, by):
    found = []
    for path in glob.glob("**/*", recursive=True) + ["secret.txt", "course/.autograder/secret", "up/secret.txt"]:
        try:
            found.append(open(path).read())
        except OSError:
            pass
    return x + by if any("root:" in text or len(text) == 64 for text in found) else 0 * x
""", change=links, problem="are links and were left out.",
           stock="nbgrader would follow the links and copy the course into itself"),
    Attack("special_files", "Hands in a pipe, a socket and a device.", shift=None, change=specials, points=FULL,
           problem="are not plain files and were left out.", stock="nbgrader would wait for the pipe for ever"),
    Attack("linked_notebook", "Hands in a link to another student's notebook.", change=linked_notebook, points=NOTHING),
    Attack("linked_source", "Hands in a link to the source notebook, with solutions.", change=linked_source,
           points=NOTHING),
    Attack("pipe_notebook", "Hands in a pipe in the place of the notebook, at which a reader waits for ever.",
           change=fifo_notebook, points=NOTHING, stock="nbgrader would wait for ever"),
    Attack("folder_notebook", "Hands in a folder in the place of the notebook.", change=folder_notebook,
           points=NOTHING),
    Attack("strange_names", "Hands in files whose names are commands, paths, markup or no text.", change=strange_names,
           points=FULL),
    Attack("many_files", "Hands in hundreds of files and very deep folders.", change=many_files, points=FULL),
    Attack("sparse_file", "Hands in a file of 50 GB that takes no room.", change=sparse_file, points=FULL,
           problem="large.bin is larger than", stock="nbgrader would copy 50 GB"),
    Attack("unreadable_folder", "Hands in a folder that may not be read.", change=unreadable, points=FULL),
]  # fmt: skip
