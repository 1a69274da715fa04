"""The wall itself: what a kernel behind it can and cannot do, what ends it, and which wall is taken."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest
import zmq

from autograder import CourseError
from autograder.kernel_session import MAX_MESSAGE, MAX_WAITING, SEND_MILLISECONDS, KernelSession
from autograder.kernel_side import seccomp
from autograder.sandbox import bubblewrap, servers
from autograder.sandbox import wall as walls
from autograder.sandbox.launch import Order
from autograder.sandbox.provisioner import NAME, WallProvisioner
from autograder.sandbox.rehearsal import rehearse

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
KINDS = [
    pytest.param("nested", marks=pytest.mark.bubblewrap),
    pytest.param("bwrap", marks=pytest.mark.bubblewrap),
    "process",
]


@pytest.fixture(scope="module", params=KINDS)
def wall(request):
    """Each kind of wall that works here."""
    with walls.raised(only=request.param) as raised:
        yield raised


def behind(*kinds: str):
    """For a test that only these kinds of wall can pass."""
    wanted = [param for param in KINDS if (param if isinstance(param, str) else param.values[0]) in kinds]
    return pytest.mark.parametrize("wall", wanted, indirect=True)


@pytest.fixture(scope="module")
def nested():
    with walls.raised(only="nested") as raised:
        yield raised


def in_kernel(code: str, order: Order | None = None) -> str:
    """What `code` prints in a kernel behind the wall; "dead" where the kernel ends."""

    async def run() -> str:
        session = KernelSession(order or Order())
        await session.open()
        try:
            printed = []
            asked = session.client.execute(code, store_history=False)
            reply = await session.reply_to(asked, 30)
            if reply is None:
                return "memory" if session.ended_for_memory else "dead"
            while True:
                message = await session.client.iopub_channel.get_msg(timeout=10)
                content = message["content"]
                printed.append(content.get("text", "") + content.get("ename", ""))
                if content.get("execution_state") == "idle" and message["parent_header"].get("msg_id") == asked:
                    return "".join(printed).strip()
        finally:
            await session.close()

    return asyncio.run(run())


def test_jupyter_finds_the_provisioner_by_its_name():
    from jupyter_client.provisioning import KernelProvisionerFactory

    assert KernelProvisionerFactory.instance()._get_provisioner(NAME).load() is WallProvisioner


def test_a_kernel_computes(wall):
    assert in_kernel("import numpy as np; print(int(np.arange(4).sum()))") == "6"


def test_every_kernel_starts_from_the_same_random_state(wall):
    code = "import random, numpy as np; print(random.random(), np.random.rand(), hash('a'))"
    assert in_kernel(code) == in_kernel(code)


def test_a_kernel_with_pytorch_starts_from_the_same_random_state_and_trains(wall):
    code = """
import torch
x = torch.rand(64, 8, requires_grad=True)
(x @ torch.rand(8, 8)).relu().sum().backward()
print(torch.get_num_threads(), float(x.grad.sum()))
"""
    first = in_kernel(code, Order(torch=True))
    assert first.startswith("1 ") and first == in_kernel(code, Order(torch=True))


def test_the_submissions_files_are_there_and_its_modules_do_not_replace_installed_ones(wall):
    files = {"data/a.txt": b"hello", "numpy.py": b"raise SystemExit", "own.py": b"x = 5"}
    code = "import numpy, own; print(open('data/a.txt').read(), own.x, numpy.ones(1)[0])"
    assert in_kernel(code, Order(files=files)) == "hello 5 1.0"


def test_masked_packages_cannot_be_imported(wall):
    order = Order(masked=("torch", "sklearn"))
    assert in_kernel("import torch", order) == "ModuleNotFoundError"
    assert in_kernel("import sklearn.datasets", order) == "ModuleNotFoundError"


def test_what_is_masked_does_not_break_pytorch(wall):
    """Optimizers look for packages with find_spec, which must not find a closed door."""
    code = "import torch; print(torch.optim.SGD(torch.nn.Linear(2, 1).parameters(), lr=0.1).defaults['lr'])"
    assert in_kernel(code, Order(masked=("scipy", "sklearn"), torch=True)) == "0.1"


@behind("nested", "bwrap")
def test_without_the_finder_masked_packages_are_still_gone(wall):
    code = """
import sys, importlib
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "Masked"]
importlib.invalidate_caches()
import sklearn
print(hasattr(sklearn, "__version__"))
"""
    assert in_kernel(code, Order(masked=("sklearn",))) == "False"


def test_the_environment_is_not_the_graders(wall, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_INSTRUCTOR", "hush")
    assert "SECRET" not in in_kernel("import os; print(sorted(os.environ))")


@LINUX
def test_processes_of_a_notebook_die_with_it(wall):
    marker = f"sleep-of-{time.monotonic_ns()}"
    code = f"""
import os, subprocess
subprocess.Popen(["sh", "-c", "exec -a {marker} sleep 300"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("bash", ["{marker}", "-c", "exec -a {marker} sleep 300"])
    os._exit(0)
print("started")
"""
    assert in_kernel(code.replace('"sh"', '"bash"')) == "started"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and marker in processes():
        time.sleep(0.05)
    assert marker not in processes()


def processes() -> str:
    return subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout


@behind("nested", "bwrap")
def test_too_many_processes_cannot_be_started(wall):
    code = """
import os, time
count = 0
try:
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
except OSError:
    pass
print("bounded" if count < 300 else count)
"""
    assert in_kernel(code) == "bounded"


def test_a_file_cannot_grow_without_bounds(wall):
    code = """
import os
try:
    with open("big", "wb") as file:
        for _ in range(64):
            file.write(bytes(2**23))
    print("written")
except OSError:
    print("bounded")
"""
    assert in_kernel(code) == "bounded"


def test_memory_is_bounded(wall):
    code = "import numpy as np\ntry:\n    np.ones(2**30)\n    print('got')\nexcept MemoryError:\n    print('bounded')"
    assert in_kernel(code, Order(limits={"memory": 2**30})) == "bounded"


@LINUX
@behind("nested", "process")
def test_memory_of_many_processes_is_bounded_together(wall):
    code = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        kept = bytearray(200 * 2**20)
        time.sleep(20)
        os._exit(0)
time.sleep(20)
print("got")
"""
    assert in_kernel(code, Order(limits={"memory": 2**30})) == "memory"


@pytest.mark.bubblewrap
def test_memory_that_no_limit_counts_cannot_be_had(nested):
    code = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
got = [libc.shmget(0, 4096, 0o1600) >= 0, libc.syscall(319, b"x", 0) >= 0]
print(got)
"""
    assert in_kernel(code) == "[False, False]"


@pytest.mark.bubblewrap
def test_there_is_nothing_to_gain_from_the_system(nested):
    code = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def refused(call, *arguments):
    return getattr(libc, call)(*arguments) < 0
told = {call: refused(call, *arguments) for call, arguments in {
    "unshare": (0x10000000,), "mount": (None, b"/tmp", b"tmpfs", 0, None), "chroot": (b"/tmp",),
    "ptrace": (0, 0, 0, 0), "setns": (0, 0), "sethostname": (b"x", 1)}.items()}
families = []
for family in (16, 17, 38, 40):  # netlink, packet, the kernel's ciphers, vsock
    try:
        socket.socket(family, socket.SOCK_RAW if family == 16 else socket.SOCK_STREAM).close()
        families.append(family)
    except OSError:
        pass
lines = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
print(all(told.values()), families, int(lines["CapEff"], 16), lines["NoNewPrivs"], lines["Seccomp"], os.getpid())
"""
    assert in_kernel(code) == "True [] 0 1 2 1"


@pytest.mark.bubblewrap
@pytest.mark.parametrize("path", ["/proc/sys/kernel/hostname", "/proc/sys/user/max_user_namespaces", "/dev/x", "/x"])
def test_what_is_not_the_kernels_own_is_read_only(nested, path):
    assert in_kernel(f"open({path!r}, 'w').write('1')") in ("PermissionError", "OSError")


@pytest.mark.bubblewrap
def test_kernels_leave_nothing_to_each_other(nested):
    places = [f"{folder}/x" for folder in bubblewrap.folders_in_memory()]
    assert len(places) >= 3
    assert in_kernel(f"for path in {places}: open(path, 'w').write('1')\nprint('written')") == "written"
    assert in_kernel(f"import os; print(any(os.path.exists(path) for path in {places}))") == "False"


@pytest.mark.bubblewrap
@pytest.mark.parametrize("kind", ["nested", "bwrap"])
def test_the_rehearsal_finds_the_walls_tight(kind):
    fine, sentence = rehearse(kind)
    assert fine, sentence
    assert "closed off" in sentence


@pytest.mark.bubblewrap
def test_the_rehearsal_finds_a_hole(monkeypatch):
    view = bubblewrap._view
    monkeypatch.setattr(bubblewrap, "_view", lambda hidden: [*view(hidden), "--ro-bind", __file__, "/leak"])
    monkeypatch.setattr("autograder.sandbox.rehearsal.__file__", "/leak")
    fine, sentence = rehearse("bwrap")
    assert not fine and sentence == "lets through: files of the grader"


def test_a_kernel_that_cannot_be_forked_is_started_afresh(monkeypatch):
    async def walls_used():
        session = KernelSession(Order())
        await session.open()
        await session.close()
        return session.wall

    with walls.raised(only="process") as raised:
        if not raised.server:
            pytest.skip("kernels are not forked here anyway")
        os.unlink(os.path.join(raised.server, servers.PLAIN))
        monkeypatch.setattr("autograder.sandbox.wall._joined", raised)
        used = asyncio.run(walls_used())
    assert not used.server and used.why.startswith("A kernel could not be forked: the fork server does not answer")


def test_where_bubblewrap_does_not_work_the_next_wall_is_taken_and_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    with walls.raised() as raised:
        assert raised.kind == "process"
        assert "bubblewrap is not installed (apt-get install bubblewrap)" in raised.why
    with pytest.raises(CourseError, match="cannot be kept apart with bubblewrap here"), walls.raised("bwrap"):
        pass


def test_a_wall_that_does_not_exist_is_named(monkeypatch):
    monkeypatch.setenv(walls.FORCED, "great")
    with pytest.raises(CourseError, match="AUTOGRADER_WALL is great, which is no wall"), walls.raised():
        pass


@LINUX
def test_the_server_ends_with_its_owner():
    code = """
import os, sys, time
from autograder.sandbox.wall import raised
manager = raised(only="process")
wall = manager.__enter__()
print(os.path.basename(wall.server), flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -9 and done.stdout.startswith("ag-"), done.stderr
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and "kernel_side.server" in own_servers(done.stdout.strip()):
        time.sleep(0.05)
    assert "kernel_side.server" not in own_servers(done.stdout.strip())


def own_servers(folder: str) -> str:
    """The fork servers that work in a folder: their environment names it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file, open(f"/proc/{pid}/cmdline", "rb") as line:
                if folder.encode() in file.read():
                    found.append(line.read().decode("utf-8", "replace"))
        except OSError:
            continue
    return " ".join(found)


@pytest.mark.parametrize("machine", sorted(seccomp.MACHINES))
def test_every_jump_of_the_system_call_filter_stays_inside(machine):
    program = seccomp.build(machine)
    steps = [program[i : i + 8] for i in range(0, len(program), 8)]
    assert len(steps) < 4096 and steps[-1][0] == seccomp.RETURN
    for i, step in enumerate(steps):
        if step[0] & 7 == 5:  # a jump
            assert i + 1 + max(step[2], step[3]) < len(steps)


def test_there_is_no_filter_for_an_unknown_machine():
    assert seccomp.build("pdp11") is None


def test_what_a_kernel_is_told_holds_no_path_of_the_grader(nested, monkeypatch):
    from autograder.sandbox import launch

    seen = []
    forked = launch._forked

    def listen(wall, order, specification, *rest):
        seen.append(json.dumps(specification))
        return forked(wall, order, specification, *rest)

    monkeypatch.setattr(launch, "_forked", listen)
    in_kernel("1")
    assert seen and "solutions" not in seen[0] and "gradebook" not in seen[0]


def test_what_a_kernel_sends_and_takes_is_bounded_on_every_channel(nested):
    async def options() -> set:
        session = KernelSession(Order())
        await session.open()
        try:
            sockets = [getattr(session.client, f"{name}_channel").socket for name in ("shell", "iopub", "control")]
            wanted = (zmq.MAXMSGSIZE, zmq.RCVHWM, zmq.SNDTIMEO)
            return {tuple(sock.getsockopt(option) for option in wanted) for sock in sockets}
        finally:
            await session.close()

    assert asyncio.run(options()) == {(MAX_MESSAGE, MAX_WAITING, SEND_MILLISECONDS)}


def test_a_cell_that_prints_too_much_loses_the_rest_of_its_output_and_nothing_else(wall):
    printed = in_kernel("print('x' * 5_000_000); print('y'); display('z' * 5_000_000)")
    assert printed.startswith("xxx") and len(printed) < 1_100_000
    assert printed.endswith("[the rest of this output was cut]")
