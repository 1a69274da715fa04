"""Attacks through the process: ways to end, signals, threads and daemons that outlive their cell, tracing."""

from __future__ import annotations

from tests.attacks.attack import HARMFUL, LIBC, NOTHING, OTHERS, WRONG, Attack, probe, spoils

KILLS = "without namespaces it would reach processes that are not its own"
WRITES = "without a mount namespace, what the grader's user may write is writable"
KILLS_NBGRADER = "it would end nbgrader itself"

# Ends after 25 seconds even if nobody ends it; its name tells whose it is.
DAEMON = """
import os, time

def daemon(act):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    try:
        with open("/proc/self/comm", "w") as file:
            file.write("@COMM@")
        until = time.time() + 25
        while time.time() < until:
            act()
    finally:
        os._exit(0)
"""
# Not our own namespace: then 1, -1 and the group are the submission's own.
APART = "import os, signal\napart = os.readlink('/proc/self/ns/pid') != '@PIDNS@'\n"


def in_call(name: str, tries: str, before: str, act: str, **more) -> Attack:
    """Acts each time `shift` is called."""
    return Attack(name, tries, shift=f"{before}\n\ndef shift(x, by):\n    {act}\n    return 0 * x\n", **more)


ATTACKS = [
    spoils("sys_exit_in_cell", "Leaves by sys.exit in the cell.", "import sys\nsys.exit(0)"),
    in_call("sys_exit", "Leaves by sys.exit when it is called.", "import sys", "sys.exit(0)", says="raises SystemExit"),
    Attack("os_exit_in_cell", "Ends the kernel with status 0.", shift="import os\nos._exit(0)"),
    in_call("os_exit", "Ends the process that judges it, with status 0.", "import os", "os._exit(0)"),
    in_call("keyboard_interrupt", "Raises KeyboardInterrupt, as if the instructor had stopped the grading.", "",
            "raise KeyboardInterrupt"),
    in_call("strange_exception", "Raises an exception derived from BaseException alone.",
            "class Strange(BaseException): pass", "raise Strange('6.0')"),
    Attack("exec_another_program", "Replaces the kernel by another program.",
           shift="import os\nos.execv('/bin/sleep', ['sleep', '3.14@DIGITS@'])"),
    in_call("exec_in_call", "Replaces the process that judges it by another program.", "import os",
            "os.execv('/bin/sleep', ['sleep', '20.14@DIGITS@'])"),
    Attack("kills_itself", "Kills its kernel.", shift="import os\nos.kill(os.getpid(), 9)"),
    in_call("segmentation_fault", "Crashes the interpreter when it is called.", "import ctypes", "ctypes.string_at(0)"),
    Attack("crash_in_cell", "Crashes the interpreter in the cell.", shift="import ctypes\nctypes.string_at(0)"),
    spoils("kills_parent_in_cell", "Kills the parent of its kernel: the fork server or the grader.",
           APART + "if apart:\n    os.kill(os.getppid(), signal.SIGKILL)",
           only_walls="the parent is a process of the grader", stock=KILLS_NBGRADER),
    in_call("kills_parent", "Kills the process that waits for it.", APART,
            "os.kill(os.getppid(), 9) if apart else None", only_walls=KILLS, stock=KILLS_NBGRADER),
    in_call("stops_parent", "Stops the process that waits for it, so that the time limit is not watched.",
            APART, "os.kill(os.getppid(), signal.SIGSTOP) if apart else None\n    while True: pass",
            only_walls=KILLS, stock=KILLS_NBGRADER),
    in_call("kills_pid_1", "Kills process 1 of what it sees.", APART, "os.kill(1, 9) if apart else None",
            only_walls=KILLS, stock=KILLS),
    in_call("kills_group", "Kills its process group.", APART, "os.killpg(0, 9) if apart else None",
            only_walls=KILLS, stock=KILLS_NBGRADER),
    in_call("kills_everything", "Kills every process that it may.", APART, "os.kill(-1, 9) if apart else None",
            points={"shift": 0.0}, only_walls=KILLS, stock=KILLS),
    spoils("signals_everything", "Sends a signal, a harmless one, to every process there is.",
           "import os, signal\nos.kill(-1, signal.SIGURG)", only_walls=KILLS, stock=KILLS),
    probe("kills_a_stranger", "Kills a process of the same user whose number it knows.", """
        import os

        def look():
            yield attempt(lambda: open("/proc/@VICTIM@/cmdline").read())
            yield attempt(lambda: os.kill(@VICTIM@, 0) or "may signal it")
            yield attempt(lambda: os.pidfd_open(@VICTIM@))
        """, only_walls="processes of the same user may signal each other"),
    probe("sees_other_processes", "Looks for processes that are not its own: the grader, the judge, other students.",
          OTHERS + """
def look():
    for pid in others:
        line = attempt(lambda: open(f"/proc/{pid}/cmdline", "rb").read()) or b""
        if b"attacks" in line or b"pytest" in line or b"autograder" in line or b"nbgrader" in line or b"signal" in line:
            yield line[:100]
""", only_walls="processes of the same user see each other"),
    probe("ptrace", "Attaches as a debugger to a process of another student.", LIBC + """
import signal, time

def attach(pid):
    if libc.ptrace(16, pid, 0, 0) == 0:
        time.sleep(0.05)
        libc.ptrace(17, pid, 0, 0)
        os.kill(pid, signal.SIGCONT)
        return f"attached to {pid}"

def look():
    yield attempt(attach, @VICTIM@)
""", only_walls="processes of the same user may trace each other"),
    probe("process_memory", "Reads the memory of other processes.", OTHERS + """
import re

def memory(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            if "[stack]" in line or "[heap]" in line:
                start, end = (int(n, 16) for n in re.match(r"(\\w+)-(\\w+)", line).groups())
                mem.seek(start)
                found = re.search(rb"canary" rb"-[0-9a-f]{12}-\\w+", mem.read(min(end - start, 2**22)))
                if found:
                    return found.group().decode()

def look():
    for pid in others:
        yield attempt(memory, pid)
""", only_walls="processes of the same user may read each other's memory"),
    spoils("threads", "Leaves threads behind that repair whatever a later cell looks at.", """
        import builtins, threading, time

        def keep_repairing():
            until = time.time() + 25
            while time.time() < until:
                shell.user_ns["check"] = lambda *a: 6.0
                shell.showtraceback = lambda *a, **k: None
                time.sleep(0.001)

        shell = get_ipython()
        for _ in range(8):
            threading.Thread(target=keep_repairing, daemon=True).start()
        """),
    spoils("thread_swaps_code", "Swaps the code of the judge's own functions from a thread, in the fork as well.", """
        import os, sys, threading, time

        def swap():
            until = time.time() + 20
            while time.time() < until:
                for name, module in list(sys.modules.items()):
                    if name.endswith(("judged", "runner")) and hasattr(module, "run_case"):
                        module.run_case = lambda *a: 6.0
                time.sleep(0.01)

        threading.Thread(target=swap, daemon=True).start()
        os.register_at_fork(after_in_child=lambda: threading.Thread(target=swap, daemon=True).start())
        """, points=NOTHING),
    spoils("daemon_overwrites", "A daemon that outlives its cell overwrites every file that looks like a result.",
           DAEMON + """
import glob

def overwrite():
    for folder in (".", "..", "../..", os.environ.get("HOME", "."), "@COURSE@/autograded/*/*"):
        for path in glob.glob(folder + "/*reply*") + glob.glob(folder + "/*.ipynb"):
            if "autograder" in os.path.abspath(path) or "@COURSE@" in path:  # nothing but what grading has made
                try:
                    open(path, "w").write("6.0")
                except OSError:
                    pass
    time.sleep(0.01)

daemon(overwrite)
""", only_walls=WRITES, stock="it would overwrite nbgrader's files"),
    spoils("daemon_burns_cpu", "Daemons that outlive their cell use all processors.",
           DAEMON + "\nfor _ in range(4):\n    daemon(lambda: sum(range(100_000)))", stock=HARMFUL),
    in_call("daemon_from_call", "Starts a daemon in a session of its own from inside the judged call.",
            DAEMON, "daemon(lambda: time.sleep(0.1))"),
    spoils("subprocess_outlives", "Starts a program in a new session that outlives its cell.", """
        import subprocess
        subprocess.Popen(["/bin/sleep", "25.14@DIGITS@"], start_new_session=True)
        """),
    spoils("atexit_and_finalizers", "Leaves code behind for the end of the process: atexit, __del__, finalizers.", """
        import atexit, builtins, os, weakref

        class Last:
            def __del__(self): act()

        def act():
            try:
                open("last-@MARK@", "w").write("6.0")
                print("6.0")
            except BaseException:
                pass

        kept = Last()
        atexit.register(act)
        weakref.finalize(kept, act)
        builtins.last = kept
        """),
    spoils("signal_handlers", "Handles every signal it can, so that nothing stops or limits it.", """
        import signal

        for number in signal.valid_signals():
            try:
                signal.signal(number, lambda *a: None)
            except (OSError, ValueError):
                pass
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()) - {signal.SIGCHLD})
        """),
    spoils("fork_hooks", "Changes the judge's functions in each fork, before the fork is used.", """
        import os, sys

        def in_child():
            for name in ("course_utils.plain", "course_utils.runner"):
                module = sys.modules.get(name)
                if module:
                    module.run_case = module.to_plain = module.encode = lambda *a, **k: b"6.0"

        os.register_at_fork(after_in_child=in_child)
        """, points=NOTHING),
    spoils("profiling", "Traces and profiles every call, to see the expected values go by and to change results.", """
        import sys, threading

        seen = []

        def watch(frame, event, value):
            if event == "return" and frame.f_code.co_name in ("expected", "truth", "difference"):
                seen.append(value)
            for name in ("truth", "expected", "answer"):
                if name in frame.f_locals:
                    seen.append(frame.f_locals[name])
            return watch

        sys.setprofile(watch)
        threading.setprofile(watch)
        """),
    Attack("monitoring", "Returns whatever looks like an expected value in a frame that tracing shows it.",
           shift="""
import sys

seen = []

def watch(frame, event, value):
    for name, found in frame.f_locals.items():
        if name in ("truth", "expected", "truths", "reference", "oracle"):
            seen.append(found)
    return watch

sys.settrace(watch)
get_ipython().kernel._trace = watch

def shift(x, by):
    sys.settrace(watch)
    frame = sys._getframe()
    while frame:
        watch(frame, "call", None)
        frame.f_trace = watch
        frame = frame.f_back
    return seen[-1] if seen else 0 * x
"""),
    Attack("deletes_names", "Deletes every name of the notebook and of the interpreter's modules.",
           shift="import sys\n\ndef shift(x, by):\n    return x\n\n"
           "for name in [n for n in sys.modules if n.startswith(('course_utils', 'kernel_side'))]:\n"
           "    del sys.modules[name]\ndel np, check\n"),
    in_call("changes_limits", "Raises its own limits and gives itself a better place in the queue, then never ends.",
            "import os, resource",
            """for kind in range(16):
        for most in (resource.RLIM_INFINITY, resource.getrlimit(kind)[1]):
            try:
                resource.setrlimit(kind, (most, most))
            except (OSError, ValueError):
                pass
    try:
        os.nice(-5)
    except OSError:
        pass
    while True: pass""", says="it took longer than"),
    Attack("swallows_interrupt", "Loops for ever in the cell, and swallows KeyboardInterrupt and SIGTERM.",
           shift="import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nuntil = time.time() + 40\n"
           "while time.time() < until:\n    try:\n        while time.time() < until: pass\n"
           "    except BaseException: pass" + WRONG),
    in_call("endless_call", "Loops for ever when it is called, and swallows every exception.", "import signal, time",
            "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n    until = time.time() + 40\n"
            "    while time.time() < until:\n        try:\n            while time.time() < until: pass\n"
            "        except BaseException: pass", says="it took longer than"),
    in_call("sleeps", "Uses no processor time, but never returns.", "import threading",
            "threading.Event().wait(40)", says="it took longer than"),
    Attack("blocked_in_c", "Blocks in C code in the cell: a regular expression that backtracks for ever.",
           shift="import re\nre.match(r'(a+)+$', 'a' * 34 + 'b')" + WRONG),
    Attack("joins_a_thread", "Waits in the cell for a thread that waits for it.",
           shift="import threading, time\nthread = threading.Thread(target=time.sleep, args=(40,), daemon=True)\n"
           "thread.start()\nwhile thread.is_alive():\n    try:\n        thread.join()\n"
           "    except BaseException: pass" + WRONG),
]  # fmt: skip
