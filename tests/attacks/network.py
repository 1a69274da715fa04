"""Attacks over the network, and on what the system itself offers a process: namespaces, mounts, rare system calls.

Only sockets of this machine are ever tried: those of `ground`, which tell who has reached them.
"""

from __future__ import annotations

from textwrap import dedent

from tests.attacks.attack import HARMFUL, LIBC, Attack, probe

NO_NAMESPACE = "without a network namespace, this machine's own addresses are reachable"
SYSTEM = "only namespaces and a filter of system calls stop it"


def connects(name: str, tries: str, code: str, **more) -> Attack:
    """`code` yields from `reach()`, which says what it reached."""
    return probe(name, tries, "import socket\n" + dedent(code), only_walls=NO_NAMESPACE, **more)


def calls(name: str, tries: str, code: str, **more) -> Attack:
    """A probe with the C library at hand; `code` begins with look()."""
    return probe(name, tries, LIBC + dedent(code), only_walls=SYSTEM, **more)


ATTACKS = [
    connects("tcp", "Connects to a server on this machine.", """
        def reach(family, address):
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.settimeout(1)
                sock.connect(address)
                sock.sendall(b"@MARK@")
            return f"reached {address}"

        def look():
            yield attempt(reach, socket.AF_INET, ("127.0.0.1", @TCP@))
            yield attempt(reach, socket.AF_INET, ("localhost", @TCP@))
            yield attempt(reach, socket.AF_INET6, ("::1", @TCP@))
        """),
    connects("udp", "Sends a datagram, and a name query, to a server on this machine.", """
        def send(data):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(data, ("127.0.0.1", @UDP@))

        def look():  # that it could be sent does not say that it arrived: the server tells
            yield attempt(send, b"@MARK@")
            query = b"\\x12\\x34\\x01\\x00\\x00\\x01" + bytes(6) + b"\\x05@DIGITS@"[:6] + b"\\x00\\x00\\x01\\x00\\x01"
            yield attempt(send, query + b"@MARK@")
        """),
    connects("unix_socket", "Connects to a unix socket in a folder that everybody may enter.", """
        def reach(address):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(1)
                sock.connect(address)
                sock.sendall(b"@MARK@")
            return f"reached {address!r}"

        def look():
            yield attempt(reach, "@UNIX@")
        """),
    connects("abstract_socket", "Connects to a unix socket that has no place in the file system.", """
        def look():
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(1)
                if attempt(lambda: sock.connect("\\0@ABSTRACT@") or True):
                    sock.sendall(b"@MARK@")
                    yield "reached it"
        """),
    connects("system_sockets", "Connects to whatever unix sockets the system has.", """
        import glob

        def reach(address):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(0.2)
                sock.connect(address)
            return f"reached {address!r}"

        def look():
            for pattern in ("/run/*.sock", "/run/*/*sock*", "/tmp/.X11-unix/*", "/var/run/docker.sock"):
                for path in glob.glob(pattern)[:20]:
                    yield attempt(reach, path)
        """, stock="it would disturb the machine's services"),
    connects("raw_sockets", "Opens raw, packet, netlink and other rare sockets.", """
        import os

        def look():
            for family, kind in ((socket.AF_INET, socket.SOCK_RAW), (17, socket.SOCK_RAW), (38, 5), (40, 1), (15, 3)):
                for protocol in (0, 1, 768):
                    sock = attempt(socket.socket, family, kind, protocol)
                    if sock:
                        yield f"family {family}, kind {kind}"
                        sock.close()

            def links():
                with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
                    sock.settimeout(0.5)
                    sock.bind((0, 0))
                    request = (20).to_bytes(4, "little") + b"\\x12\\x00\\x01\\x03" + bytes(8) + bytes(4)
                    sock.send(request)
                    return b"eth" in sock.recv(65536)

            yield attempt(links)
        """),
    connects("listens", "Opens a server that others could reach from outside.", """
        import os

        def serve():
            with socket.socket(socket.AF_INET) as sock:
                sock.bind(("127.0.0.1", 0))
                sock.listen()
                if os.readlink("/proc/self/ns/net") == "@NETNS@":
                    return f"listens on {sock.getsockname()}"

        def look():
            yield attempt(serve)
        """),
    calls("new_namespaces", "Makes namespaces of its own, in which it would have every capability.", """
        def look():
            for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000):
                pid = os.fork()
                if pid == 0:
                    os._exit(0 if libc.unshare(flag) == 0 else 1)
                if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
                    yield f"unshare {flag:#x}"
            stack = ctypes.create_string_buffer(65536)
            argument = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
            pid = libc.syscall(435, ctypes.byref(argument), 88)
            if pid == 0:
                os._exit(0)
            if pid > 0:
                os.waitpid(pid, 0)
                yield "clone3 with a user namespace"
        """),
    calls("joins_namespaces", "Joins the namespaces of other processes.", """
        import glob

        def look():
            own = {name: attempt(os.readlink, f"/proc/self/ns/{name}") for name in ("mnt", "net", "user", "pid", "ipc")}
            for name, inode in own.items():
                for path in glob.glob(f"/proc/[0-9]*/ns/{name}")[:100]:
                    if attempt(os.readlink, path) not in (None, inode):
                        fd = attempt(os.open, path, os.O_RDONLY)
                        if fd is not None and os.fork() == 0:
                            os._exit(0)
                        if fd is not None and libc.setns(fd, 0) == 0:
                            yield path
        """, stock=HARMFUL),
    calls("mounts", "Mounts, unmounts, changes the root of its file system.", """
        def look():
            for call in (
                lambda: libc.mount(b"none", b"@CANARY@/mnt", b"tmpfs", 0, None),
                lambda: libc.mount(b"none", os.environ["HOME"].encode(), b"tmpfs", 0, None),
                lambda: libc.mount(None, b"/", None, 0x20 | 0x1000, None),
                lambda: libc.umount2(b"/proc", 2),
                lambda: libc.umount2(b"/tmp", 2),
                lambda: libc.chroot(b"/usr"),
                lambda: libc.syscall(155, b".", b"."),
                lambda: min(0, libc.syscall(428, -100, b"/", 1)),
                lambda: min(0, libc.syscall(430, b"tmpfs", 0)),
            ):
                if call() == 0:
                    yield "one of the calls was allowed"
        """, stock=HARMFUL),
    calls("rare_system_calls", "Uses calls that have often had holes: io_uring, bpf, perf, userfaultfd, keyrings.", """
        def look():
            buffer = ctypes.create_string_buffer(4096)
            for name, *arguments in (
                ("io_uring_setup", 425, 4, buffer),
                ("bpf", 321, 0, buffer, 72),
                ("perf_event_open", 298, buffer, 0, -1, -1, 0),
                ("userfaultfd", 323, 0),
                ("add_key", 248, b"user", b"@MARK@", b"x", 1, -3),
                ("keyctl", 250, 0, -3, 0),
                ("open_by_handle_at", 304, -100, buffer, 0),
                ("kexec_load", 246, 0, 0, 0, 0),
                ("finit_module", 313, 0, b"", 0),
                ("memfd_secret", 447, 0),
            ):
                number, *rest = arguments
                if libc.syscall(number, *rest) >= 0:
                    yield name
        """, stock=HARMFUL),
    calls("gains_privileges", "Becomes root, gains capabilities, or starts a program with the set-user-id bit.", """
        import subprocess

        def look():
            before = os.getresuid()
            for change in (lambda: os.setresuid(0, 0, 0), lambda: os.setuid(0), lambda: os.setgroups([0])):
                if os.fork() == 0:
                    attempt(change)
                    os._exit(0 if os.geteuid() == 0 and before[0] != 0 else 1)
                if os.waitstatus_to_exitcode(os.wait()[1]) == 0:
                    yield "became root"
            status = open("/proc/self/status").read()
            for line in status.splitlines():
                if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb")) and int(line.split()[1], 16):
                    yield line
                if line.startswith("NoNewPrivs") and line.split()[1] != "1":
                    yield line
        """),
    calls("kernel_settings", "Opens the system's settings and devices for writing.", """
        def look():
            for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches",
                         "/sys/kernel/uevent_helper", "/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/nvme0n1",
                         "/sys/fs/cgroup/cgroup.procs", "/dev/fuse", "/dev/kvm"):
                fd = attempt(os.open, path, os.O_WRONLY)
                if fd is not None:
                    os.close(fd)
                    yield path
            for path in ("/dev/vda", "/dev/sda", "/dev/mem", "/proc/kcore", "/dev/kmsg"):
                fd = attempt(os.open, path, os.O_RDONLY | os.O_NONBLOCK)
                if fd is not None:
                    os.close(fd)
                    yield path
        """, stock=HARMFUL),
    calls("spared_when_memory_ends", "Makes itself the last to be ended when memory runs out.", """
        def look():
            def spare():
                with open("/proc/self/oom_score_adj", "w") as file:
                    file.write("-900")
                return "spared"

            yield attempt(spare)
        """),
    calls("real_time", "Takes the processors for itself: real-time scheduling, higher priority.", """
        def look():
            yield attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)) or "real time")
            yield attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, -15) or "higher priority")
            attempt(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
        """, stock=HARMFUL),
    calls("makes_devices", "Makes a device file through which it could read the disk.", """
        def device(folder):
            path = folder + "/dev-@MARK@"
            os.mknod(path, 0o60600, os.makedev(254, 0))
            try:
                return bool(open(path, "rb").read(16))
            finally:
                os.unlink(path)

        def look():
            for folder in (".", "/tmp", "/dev/shm", "/dev"):
                yield attempt(device, folder)
        """, stock=HARMFUL),
    probe("dumps_core", "Dies with a core file, which the system may write anywhere.", """
        import os, resource

        def look():
            pid = os.fork()
            if pid == 0:
                attempt(resource.setrlimit, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                os.abort()
            yield os.WCOREDUMP(os.waitpid(pid, 0)[1])
        """, stock=HARMFUL),
]  # fmt: skip
