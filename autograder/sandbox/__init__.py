"""The wall between the grader and what students wrote.

`raised` puts it up for a process and its workers, `launch.start` starts a kernel behind it. There are three, the best
one that works is taken: "nested" (a fork server in bubblewrap, namespaces for each of its kernels), "bwrap" (one
bubblewrap for each submission) and "process" (limits on resources only).
"""

from autograder.sandbox.wall import Wall, current, join, raised

__all__ = ["Wall", "current", "join", "raised"]
