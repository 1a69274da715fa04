"""All attacks, by topic."""

from __future__ import annotations

from tests.attacks import (
    detection,
    files,
    ipython,
    messages,
    network,
    notebook,
    numpy_and_builtins,
    process,
    resources,
)

TOPICS = {
    "IPython and the kernel": ipython.ATTACKS,
    "NumPy, built-ins and answers that are not what they seem": numpy_and_builtins.ATTACKS,
    "Processes, threads and signals": process.ATTACKS,
    "Files": files.ATTACKS,
    "Forged messages and replies": messages.ATTACKS,
    "Memory, processes, disk and output": resources.ATTACKS,
    "Network and system calls": network.ATTACKS,
    "The notebook file": notebook.ATTACKS,
    "Noticing the grader, and accomplices": detection.ATTACKS,
}
ATTACKS = [attack for attacks in TOPICS.values() for attack in attacks]
