"""prefetch: correct in other styles, and wrong. Threads that are left behind are daemons, so that the tests can end."""

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("prefetch", "a class, a condition and a list")
class prefetch:
    def __init__(self, iterable, depth):
        import threading

        if depth < 1:
            raise ValueError(f"no depth: {depth}")
        self.source, self.depth, self.ready, self.state = iterable, depth, [], "new"
        self.error, self.changed = None, threading.Condition()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        error = None
        try:
            for item in self.source:
                with self.changed:
                    self.changed.wait_for(lambda: len(self.ready) < self.depth or self.state == "closed")
                    if self.state == "closed":
                        return
                    self.ready.append(item)
                    self.changed.notify_all()
        except Exception as problem:
            error = problem
        with self.changed:
            self.error = error
            self.state = "done"
            self.changed.notify_all()

    def __iter__(self):
        return self

    def __next__(self):
        if self.state == "new":
            self.state = "running"
            self.thread.start()
        with self.changed:
            self.changed.wait_for(lambda: self.ready or self.state in ("done", "closed"))
            if self.ready:
                item = self.ready.pop(0)
                self.changed.notify_all()
                return item
        self.thread.join()
        if self.error:
            error, self.error = self.error, None
            raise error
        raise StopIteration

    def close(self):
        started = self.state != "new"
        with self.changed:
            self.state = "closed"
            self.ready = []
            self.changed.notify_all()
        if started:
            self.thread.join()


@alternative("prefetch", "an executor and futures")
def prefetch(iterable, depth):
    from collections import deque
    from concurrent.futures import ThreadPoolExecutor

    if not depth >= 1:
        raise ValueError("depth " + str(depth))
    end, source = object(), iter(iterable)

    def take():
        return next(source, end)

    with ThreadPoolExecutor(1) as pool:
        futures = deque(pool.submit(take) for _ in range(depth + 1))
        while True:
            item = futures.popleft().result()
            if item is end:
                return
            futures.append(pool.submit(take))
            try:
                yield item
            except GeneratorExit:
                for future in futures:
                    future.cancel()
                raise


@alternative("prefetch", "a semaphore taken before each item, started at once")
class prefetch:
    def __init__(self, iterable, depth):
        import queue
        import threading

        if depth <= 0:
            raise ValueError(depth)
        self.free, self.made = threading.Semaphore(depth), queue.SimpleQueue()
        self.over = False

        def produce():
            source = iter(iterable)
            while True:
                self.free.acquire()
                if self.over:
                    return
                try:
                    self.made.put((next(source), None, False))
                except StopIteration:
                    return self.made.put((None, None, True))
                except BaseException as error:
                    return self.made.put((None, error, True))

        self.thread = threading.Thread(target=produce)
        self.thread.start()

    def __iter__(self):
        return self

    def __next__(self):
        if self.over:
            raise StopIteration
        item, error, last = self.made.get()
        if last:
            self.close()
            raise StopIteration if error is None else error
        self.free.release()
        return item

    def close(self):
        self.over = True
        self.free.release()
        self.thread.join()


PLAIN = """def prefetch(iterable, depth):
    import queue
    import threading

    if depth < 1:
        raise ValueError(f"depth {depth}")
    waiting, stopped = queue.Queue(depth), threading.Event()

    def put(kind, value):
        while not stopped.is_set():
            try:
                return waiting.put((kind, value), timeout=0.02)
            except queue.Full:
                pass

    def produce():
        try:
            for item in iterable:
                put("item", item)
                if stopped.is_set():
                    return
        except Exception as error:
            put("error", error)
        else:
            put("end", None)

    def consume():
        thread = threading.Thread(target=produce, daemon=True)
        thread.start()
        try:
            while True:
                kind, value = waiting.get()
                if kind == "end":
                    return
                if kind == "error":
                    raise value
                yield value
        finally:
            stopped.set()
            thread.join()

    return consume()
"""
STOPPING = "            stopped.set()\n            thread.join()\n"
FAILING = '            put("error", error)\n'
STARTING = "        thread = threading.Thread(target=produce, daemon=True)\n        thread.start()\n"
CHANGES = [
    ("depth not used", "queue.Queue(depth)", "queue.Queue(1)"),
    ("everything taken at once", "queue.Queue(depth)", "queue.Queue()"),
    ("None taken for the end", '                if kind == "end":\n',
     '                if kind == "end" or (kind == "item" and value is None):\n'),
    ("an exception that is an item", 'if kind == "error":', "if isinstance(value, Exception):"),
    ("errors swallowed", FAILING, '            put("end", None)\n'),
    ("no word of the error", FAILING, "            raise\n"),
    ("no word of the end", '            put("end", None)\n', "            pass\n"),
    ("another error", "raise value", 'raise RuntimeError(f"the loader failed: {value}") from value'),
    ("another error", "raise value", "raise type(value)(*value.args)"),
    ("thread left behind", STOPPING, "            pass\n"),
    ("thread left behind", "        while not stopped.is_set():\n", "        while True:\n"),
    ("goes on after close()", "                if stopped.is_set():\n                    return\n", ""),
    ("everything taken at once", "queue.Queue(depth)", "queue.Queue(depth - 1)"),
    ("depths below 1", '    if depth < 1:\n        raise ValueError(f"depth {depth}")\n', ""),
]  # fmt: skip
SOURCES = [(label, PLAIN.replace(old, new)) for label, old, new in CHANGES]
SOURCES += [
    ("thread of an iterator that was never used", PLAIN.replace(STARTING, "").replace(
        "    return consume()\n", STARTING.replace("        thread", "    thread") + "    return consume()\n")),
    ("thread left behind", PLAIN.replace("        while not stopped.is_set():\n", "        while True:\n").replace(
        "            thread.join()\n", "").replace("            stopped.set()\n", "            pass\n").replace(
        "    def consume():\n" + STARTING, STARTING.replace("        thread", "    thread") + "    def consume():\n")),
]  # fmt: skip
mistaken_sources(__name__, "prefetch", SOURCES)


@mistaken("prefetch", "nothing is prepared")
def prefetch(iterable, depth):
    if depth < 1:
        raise ValueError(f"depth {depth}")
    yield from iterable


@mistaken("prefetch", "nothing is prepared")
def prefetch(iterable, depth):
    import threading

    if depth < 1:
        raise ValueError(f"depth {depth}")
    source, box = iter(iterable), []

    def take():
        try:
            box.append((next(source), None))
        except StopIteration:
            box.append(None)
        except Exception as error:
            box.append((None, error))

    while True:
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
        entry = box.pop()
        if entry is None:
            return
        if entry[1] is not None:
            raise entry[1]
        yield entry[0]


@mistaken("prefetch", "everything taken at once")
def prefetch(iterable, depth):
    if depth < 1:
        raise ValueError(f"depth {depth}")
    yield from list(iterable)


@mistaken("prefetch", "no word of the end")
def prefetch(iterable, depth):
    import queue
    import threading

    if depth < 1:
        raise ValueError(f"depth {depth}")
    waiting, gone = queue.Queue(depth), threading.Event()

    def produce():
        for item in iterable:
            while not gone.is_set():
                try:
                    waiting.put(item, timeout=0.02)
                    break
                except queue.Full:
                    continue
            if gone.is_set():
                return

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while True:
            yield waiting.get()
    finally:
        gone.set()
        thread.join()


@mistaken("prefetch", "another order")
def prefetch(iterable, depth):
    import threading

    if depth < 1:
        raise ValueError(f"depth {depth}")
    stack, changed, state = [], threading.Condition(), {}

    def produce():
        try:
            for item in iterable:
                with changed:
                    changed.wait_for(lambda: len(stack) < depth or "over" in state)
                    if "over" in state:
                        return
                    stack.append(item)
                    changed.notify_all()
        except Exception as error:
            state["error"] = error
        with changed:
            state["over"] = True
            changed.notify_all()

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: stack or "over" in state)
                if not stack:
                    break
                item = stack.pop()
                changed.notify_all()
            yield item
        if "error" in state:
            raise state["error"]
    finally:
        with changed:
            state["over"] = True
            changed.notify_all()
        thread.join()


LATE = """def prefetch(iterable, depth):
    import threading

    if depth < 1:
        raise ValueError(f"depth {depth}")
    waiting, changed, state = [], threading.Condition(), {}

    def produce():
        try:
            for item in iterable:
                with changed:
                    changed.wait_for(lambda: len(waiting) < depth or "over" in state)
                    if "over" in state:
                        return
                    waiting.append(item)
                    changed.notify_all()
        except Exception as error:
            state["error"] = error
        with changed:
            state["over"] = True
            changed.notify_all()

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: waiting or "over" in state)
                if "error" in state:
                    raise state["error"]
                if not waiting:
                    return
                item = waiting.pop(0)
                changed.notify_all()
            yield item
    finally:
        with changed:
            state["over"] = True
            changed.notify_all()
        thread.join()
"""
mistaken_sources(
    __name__,
    "prefetch",
    [
        ("error before its turn", LATE),
        ("last item lost", PLAIN.replace("queue.Queue(depth)", "queue.Queue(max(1, depth - 1))").replace(
            '            for item in iterable:\n                put("item", item)\n',
            "            held = []\n            for item in iterable:\n                held.append(item)\n"
            '                if len(held) > 1:\n                    put("item", held.pop(0))\n')),
    ],
)  # fmt: skip
