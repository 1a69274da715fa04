"""A filter for system calls that no notebook needs and that lead out of the limits.

Refused: new namespaces and mounts, tracing other processes, memory that no limit counts (memfd, System V), kernel
keyrings, BPF, io_uring, performance counters, and sockets other than unix and internet ones (vsock knows no
namespace). Classic BPF as in seccomp(2). There is no filter for machines other than x86-64 and ARM64.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little endian
X32 = 0x40000000
CLONE_NEW = 0x7E020080  # every CLONE_NEW… flag, time namespaces included
FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

# name: number on x86-64, number on ARM64 (None where the call does not exist).
REFUSED = {
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "ptrace": (101, 117), "syslog": (103, 116), "pivot_root": (155, 41), "chroot": (161, 51), "acct": (163, 89),
    "mount": (165, 40), "umount2": (166, 39), "swapon": (167, 224), "reboot": (169, 142), "sethostname": (170, 161),
    "init_module": (175, 105), "quotactl": (179, 60), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "unshare": (272, 97), "perf_event_open": (298, 241), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "setns": (308, 268), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "finit_module": (313, 273), "memfd_create": (319, 279),
    "kexec_file_load": (320, 294), "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "pidfd_getfd": (438, 438), "mount_setattr": (442, 442), "memfd_secret": (447, 447),
}  # fmt: skip
MACHINES = {  # audit architecture, column above, clone, clone3, socket, socketpair
    "x86_64": (0xC000003E, 0, 56, 435, 41, 53),
    "aarch64": (0xC00000B7, 1, 220, 435, 198, 199),
}


def apply() -> str:
    """Filter the calling process and all it starts; why that was not possible, or an empty text."""
    program = build(platform.machine())
    if program is None:
        return f"there is no system call filter for {platform.machine()}"
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    filled = Program(len(program) // 8, ctypes.addressof(code))
    zero = ctypes.c_ulong(0)
    if _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(MODE_FILTER), ctypes.byref(filled), zero, zero) < 0:
        return f"the system call filter was refused ({os.strerror(ctypes.get_errno())})"
    return ""


def build(machine: str) -> bytes | None:
    """The filter for a machine as `platform.machine()` names it; None for one that is not listed."""
    if machine not in MACHINES:
        return None
    architecture, column, clone, clone3, socket, socketpair = MACHINES[machine]
    refuse, unsupported, family = (ERRNO | code for code in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    parts = [step(LOAD, ARCHITECTURE), step(JUMP_EQUAL, architecture, 1, 0), step(RETURN, unsupported)]
    parts += [step(LOAD, NUMBER), step(JUMP_GREATER_EQUAL, X32, 0, 1), step(RETURN, unsupported)]
    for numbers in REFUSED.values():
        parts += [step(JUMP_EQUAL, numbers[column], 0, 1), step(RETURN, refuse)]
    # The C library falls back to clone, whose flags can be read here, when clone3 does not exist.
    parts += [step(JUMP_EQUAL, clone3, 0, 1), step(RETURN, unsupported)]
    parts += [step(JUMP_EQUAL, clone, 0, 4), step(LOAD, FIRST_ARGUMENT), step(JUMP_ANY_BIT, CLONE_NEW, 0, 1)]
    parts += [step(RETURN, refuse), step(RETURN, ALLOW)]
    parts += [step(JUMP_EQUAL, socket, 1, 0), step(JUMP_EQUAL, socketpair, 0, 2 + len(FAMILIES))]
    parts += [step(LOAD, FIRST_ARGUMENT)]
    parts += [step(JUMP_EQUAL, number, len(FAMILIES) - i, 0) for i, number in enumerate(FAMILIES)]
    parts += [step(RETURN, family), step(RETURN, ALLOW)]
    return b"".join(parts)
