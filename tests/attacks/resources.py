"""Attacks on the machine's resources: processes, memory, disk, output. Each has a bound of its own."""

from __future__ import annotations

from tests.attacks.attack import HARMFUL, LIBC, WRONG, Attack, probe, spoils

ROOT = "as root, limits on the number of processes do not bind"
DISK = "without a mount namespace, nothing limits the number and the sum of files"

# Six gigabytes, a piece at a time, each page written to.
FILL = "for start in range(0, len(block), 4096): block[start] = 1"


def takes(name: str, tries: str, code: str, **more) -> Attack:
    """`code` defines `take()`; `shift` is right if all of it could be had."""
    more = {"stock": HARMFUL} | more
    return probe(name, tries, code + "\n\ndef look():\n    yield attempt(take)", **more)


def in_call_alone(name: str, tries: str, code: str, **more) -> Attack:
    """As `takes`, but only where `shift` is judged."""
    shift = f"{code}\n\n\ndef shift(x, by):\n    try:\n        return x + by if take() else 0 * x\n"
    return Attack(name, tries, shift=shift + "    except OSError:\n        return 0 * x\n", **{"stock": HARMFUL} | more)


BOMB = """
import os, time

def take(count=300):
    children = []
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                try:
                    open("/proc/self/comm", "w").write("@COMM@")
                    time.sleep(15)
                finally:
                    os._exit(0)
            children.append(pid)
    except OSError:
        pass
    time.sleep(0.2)
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return len(children) == count and "all processes were granted"
"""
WRITE_DISK = """
import os

def write(folder, megabytes):
    path = os.path.join(folder, "large-@MARK@")
    written, block = 0, bytes(2**20)
    try:
        for part in range(megabytes // 100):
            with open(f"{path}-{part}", "wb", 0) as file:
                for _ in range(100):
                    written += file.write(block)
    except OSError:
        pass
    finally:
        for part in range(megabytes // 100):
            if os.path.exists(f"{path}-{part}"):
                os.unlink(f"{path}-{part}")
    return written

def folders():
    return [os.getcwd(), os.environ["HOME"], "/tmp", "/dev/shm", "/var/tmp", "/run"]
"""

ATTACKS = [
    takes("fork_bomb", "Starts three hundred processes.", BOMB, only_walls=ROOT),
    spoils("fork_bomb_left_behind", "Leaves processes behind that take all its own places.", """
        import os, time

        for _ in range(300):
            try:
                if os.fork() == 0:
                    try:
                        open("/proc/self/comm", "w").write("@COMM@")
                        time.sleep(15)
                    finally:
                        os._exit(0)
            except OSError:
                break
        """, stock=HARMFUL, only_walls=ROOT),
    takes("thread_bomb", "Starts two thousand threads.", """
import threading, time

def take():
    release = threading.Event()
    started = 0
    try:
        for _ in range(2000):
            threading.Thread(target=release.wait, args=(10,), daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    finally:
        release.set()
    return started == 2000
""", only_walls=ROOT),
    in_call_alone("memory_of_the_heap", "Takes six gigabytes of memory when it is called.", """
def take():
    kept = [bytearray(2**26) for _ in range(96)]
    return len(kept) == 96
"""),
    takes("memory_in_cell", "Takes six gigabytes of memory in the cell, and holds on to them.", f"""
import mmap

def take():
    global kept
    kept = []
    for _ in range(96):
        block = mmap.mmap(-1, 2**26)
        {FILL}
        kept.append(block)
    return len(kept) == 96
"""),
    takes("memory_of_numpy", "Takes six gigabytes as NumPy arrays.", """
import numpy as np

def take():
    global arrays
    arrays = [np.ones(2**23) for _ in range(96)]
    return len(arrays) == 96
"""),
    takes("memory_of_children", "Takes six gigabytes in children of one gigabyte each.", f"""
import mmap, os, time

def take():
    children = []
    for _ in range(6):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                open("/proc/self/comm", "w").write("@COMM@")
                block = mmap.mmap(-1, 2**30)
                {FILL}
                os.write(writing, b"x")
                time.sleep(3)
            finally:
                os._exit(0)
        os.close(writing)
        children.append((pid, reading))
    held = sum(len(os.read(reading, 1)) for _, reading in children)
    for pid, reading in children:
        os.close(reading)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return held == 6
"""),
    takes("memory_of_memfd", "Hides six gigabytes in files that exist in memory alone.", """
import os

def take():
    files, block = [], bytes(2**24)
    try:
        for _ in range(60):
            files.append(os.memfd_create("@MARK@"))
            for _ in range(6):
                os.write(files[-1], block)
    finally:
        for fd in files:
            os.close(fd)
    return len(files) == 60
"""),
    takes("memory_of_shm", "Hides two gigabytes in /dev/shm and in System V shared memory.", LIBC + """
libc.shmat.restype = ctypes.c_void_p

def segments():
    made = [libc.shmget(0, 2**27, 0o1600) for _ in range(16)]
    held = 0
    for number in made:
        if number >= 0:
            address = libc.shmat(number, None, 0)
            if address not in (None, ctypes.c_void_p(-1).value):
                ctypes.memset(address, 1, 2**27)
                held += 1
                libc.shmdt(ctypes.c_void_p(address))
            libc.shmctl(number, 0, None)
    return held == 16

def shared():
    paths, block = [f"/dev/shm/large-@MARK@-{i}" for i in range(20)], bytes(2**20)
    try:
        for path in paths:
            with open(path, "wb", 0) as file:
                for _ in range(100):
                    file.write(block)
    finally:
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)
    return True

def take():
    return attempt(shared) or attempt(segments)
""", only_walls=DISK),
    takes("disk", "Fills the disk with two gigabytes, in each folder where it may write.", WRITE_DISK + """
def take():
    return [folder for folder in folders() if write(folder, 2000) >= 2000 * 2**20]
""", only_walls=DISK),
    takes("one_huge_file", "Writes one file of a gigabyte, and one that claims to have a terabyte.", WRITE_DISK + """
def take():
    with open("huge-@MARK@", "wb", 0) as file:
        try:
            file.truncate(2**40)
            return "a terabyte"
        except OSError:
            pass
        try:
            block = bytes(2**20)
            return sum(file.write(block) for _ in range(1000)) == 1000 * 2**20
        except OSError:
            return False
        finally:
            os.unlink("huge-@MARK@")
"""),
    takes("inodes", "Makes a hundred thousand files.", """
import os, shutil

def take():
    made = 0
    os.makedirs("many-@MARK@", exist_ok=True)
    try:
        for number in range(100_000):
            os.close(os.open(f"many-@MARK@/{number}", os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError:
        pass
    finally:
        shutil.rmtree("many-@MARK@", ignore_errors=True)
    return made == 100_000
""", only_walls=DISK),
    takes("open_files", "Opens ten thousand files and sockets.", """
import os, socket

def take():
    opened = []
    try:
        for _ in range(5000):
            opened += socket.socketpair()
    except OSError:
        pass
    count = len(opened)
    for one in opened:
        one.close()
    return count == 10_000
"""),
    takes("locked_memory", "Locks a gigabyte in memory and fills pipes and queues.", LIBC + """
import mmap

def take():
    block = mmap.mmap(-1, 2**30)
    address = ctypes.addressof(ctypes.c_char.from_buffer(block))
    return libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(2**30)) == 0 and "locked"
""", only_walls="as root, the limit on locked memory does not bind"),
    Attack("recursion", "Calls itself without end, with the interpreter's own bound removed.",
           shift="import sys, threading\nsys.setrecursionlimit(10**9)\nthreading.stack_size(2**29)\n\n\n"
           "def shift(x, by):\n    return shift(x, by)\n"),
    Attack("recursion_in_c", "Makes C code call itself without end.",
           shift="import sys\nsys.setrecursionlimit(10**9)\n\n\nclass Deep:\n"
           "    def __getattr__(self, name): return getattr(self, name + 'x')\n\n\n"
           "def shift(x, by):\n    return repr(Deep().y)\n"),
    Attack("quadratic_message", "Raises an error whose traceback is very long.",
           shift="def fall(n):\n    if n == 0: raise ValueError('x' * 5_000_000)\n    fall(n - 1)\n"
           "\n\nfall(900)" + WRONG),
    spoils("stdout_flood", "Prints two hundred megabytes.", """
        import sys

        for _ in range(200):
            sys.stdout.write("x" * 2**20)
        """),
    spoils("many_lines", "Prints a million lines, one at a time.", """
        import sys

        for number in range(1_000_000):
            print(number)
            if number % 100 == 0:
                sys.stdout.flush()
        """),
    spoils("many_displays", "Displays tens of thousands of small results.", """
        from IPython.display import display

        for number in range(20_000):
            display(number)
        """),
    spoils("stdout_below_python", "Writes two hundred megabytes below Python, and from another program.", """
        import os, subprocess

        for fd in (1, 2):
            try:
                for _ in range(100):
                    os.write(fd, b"x" * 2**20)
            except OSError:
                pass
        subprocess.run("head -c 50000000 /dev/zero", shell=True)
        """, stock="it would flood the instructor's terminal"),
    spoils("huge_display", "Displays one text of a hundred megabytes.", """
        from IPython.display import HTML, display

        display(HTML("x" * 100_000_000))
        """),
    spoils("nested_display", "Displays JSON that is nested a thousand deep.", """
        from IPython.display import publish_display_data

        deep = []
        for _ in range(1000):
            deep = [deep]
        publish_display_data({"application/json": deep, "text/plain": "deep"})
        """),
    spoils("printing_thread", "Prints from a thread for as long as anything runs.", """
        import threading, time

        def chatter():
            until = time.time() + 20
            while time.time() < until:
                print("y" * 10_000)

        threading.Thread(target=chatter, daemon=True).start()
        """),
    Attack("prints_in_call", "Prints a hundred megabytes each time it is called.",
           shift="import os, sys\n\n\ndef shift(x, by):\n    print('x' * 10**8)\n"
           "    for fd in (1, 2): os.write(fd, b'x' * 10**6)\n    return 0 * x\n"),
    Attack("warns_in_call", "Gives a hundred thousand different warnings each time it is called.",
           shift="import warnings\n\n\ndef shift(x, by):\n    for i in range(100_000): warnings.warn(str(i))\n"
           "    return 0 * x\n"),
]  # fmt: skip
