"""How `prefetch` is tried: a consumer in a thread of its own, so that one that waits for ever is noticed."""

from __future__ import annotations


def call_prefetch(student, count, depth, fails, stop, kind):
    """What a consumer sees of `student`'s iterator over `count` items.

    fails: the source raises after its last item. stop: the consumer calls close() after so many items (−1: never).
    kind: "numbers"; "odd" (None, arrays, exceptions); "list", not a generator; "raise", a depth that is impossible.

    Nothing depends on how fast anything runs. The consumer lets the thread get ahead as long as that is alive and
    moves; it is given up when nothing at all has moved for twenty looks in a row.
    """
    import sys
    import threading
    import time

    import numpy as np

    if kind == "raise":
        try:
            next(iter(student(range(count), depth)), None)
        except ValueError as error:
            return "ValueError: " + str(error)
        return "no error"

    odd = [np.zeros(3), None, ValueError("an item"), False, np.ones((2, 2)), (), StopIteration()]
    items = odd[:count] if kind == "odd" else [("item", i) for i in range(count)]
    problem = KeyError("the source is damaged")
    asked = taken = most = late = 0
    ended = resting = closed = False
    ahead, got, ending, broken = [], [], [""], []

    def source():
        nonlocal taken, most, late, ended
        for item in items:
            taken += 1
            late += closed
            if not closed:
                most = max(most, taken - asked)
            yield item
        ended = True
        if fails:
            raise problem

    before = set(threading.enumerate())

    def others():
        return [t for t in threading.enumerate() if t not in before and t is not consumer]

    def places(threads):
        """Where threads stand, and what has passed between them: this changes when one of them moves."""
        frames = sys._current_frames()
        at = [(frames[t.ident].f_code, frames[t.ident].f_lasti) for t in threads if t.ident in frames]
        return taken, ended, len(got), at

    def rest():
        """The consumer is busy: the thread has time to take what it may, and more."""
        nonlocal resting
        resting = True
        wanted, still, last = min(len(got) + depth, count), 0, None
        while others() and still < 60 and (taken < wanted or (fails and wanted == count and not ended)):
            time.sleep(0.001)
            last, still = places(others()), still + 1 if places(others()) == last else 0
        if kind == "numbers" and taken < count:
            time.sleep(0.002)
        ahead.append(taken - asked)
        resting = False

    def consume():
        nonlocal asked, closed
        try:
            iterator = student(items if kind == "list" else source(), depth)
            if not hasattr(iterator, "__next__"):
                raise TypeError("the result is no iterator: next() cannot be called with it")
            if not hasattr(iterator, "close"):
                raise TypeError("the result has no close()")
            while len(got) != stop and len(got) < count + 5:
                asked += 1
                try:
                    item = next(iterator)
                except StopIteration:
                    ending[0] = "StopIteration"
                    break
                except Exception as error:
                    is_item = any(error is item for item in items)
                    if not ended and not is_item:
                        raise
                    ending[0] = "same" if error is problem else "item" if is_item else type(error).__name__
                    break
                got.append(next((i for i, own in enumerate(items) if own is item), -1))
                if len(got) < 4 and kind != "list":
                    rest()
            if stop >= 0:
                closed = True
                iterator.close()
        except BaseException as error:
            broken.append(error)

    hook = threading.excepthook
    threading.excepthook = lambda args: None  # a thread that dies is judged by what its consumer sees
    try:
        consumer = threading.Thread(target=consume, daemon=True)
        consumer.start()
        last, still, looks = None, 0, 0
        while consumer.is_alive() and still < 20 and looks < 500:
            consumer.join(0.01)
            now = places([consumer, *others()])
            still = still + 1 if now == last and not resting else 0
            last, looks = now, looks + 1
        hung = consumer.is_alive()
        still = looks = 0
        while others() and not hung and still < 12 and looks < 50:  # one that is just ending is not left behind
            time.sleep(0.01)
            now = places(others())
            still = still + 1 if now == last else 0
            last, looks = now, looks + 1
        left = len(others())
    finally:
        threading.excepthook = hook
    if broken:
        raise broken[0]
    return {
        "got": got,
        "error": ending[0],
        "ahead": min(ahead, default=0),
        "most": most,
        "late": late,
        "hung": hung,
        "left": left,
    }
