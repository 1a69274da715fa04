"""prefetch: judged by what the consumer receives, what the source is asked for, and which threads are left."""

from __future__ import annotations

from course_utils.checks._augmentation.consuming import call_prefetch
from course_utils.checks.exercise import Case, Exercise, Misconception

ORDER, AHEAD, ANY, ERRORS, EARLY, IMPOSSIBLE = (
    "order and end",
    "running ahead",
    "items of any kind",
    "errors",
    "stopping early",
    "impossible depths",
)
NEVER = -1


def _cases(rng):
    def case(aspect, count, depth, fails=False, stop=NEVER, kind="numbers"):
        return Case(aspect, {"count": count, "depth": depth, "fails": fails, "stop": stop, "kind": kind})

    more = int(rng.integers(3))
    return [
        case(ORDER, 5 + more, 2),
        case(ORDER, 4, 6 + more, kind="list"),
        case(ORDER, 0, 2),
        case(AHEAD, 30 + more, 4),
        case(AHEAD, 25, 7 + more),
        case(AHEAD, 12, 1),
        case(ANY, 7, 3, kind="odd"),
        case(ERRORS, 3, 2, fails=True),
        case(ERRORS, 2, 5 + more, fails=True),
        case(EARLY, 9 + more, 2, stop=2),
        case(EARLY, 4, 3, stop=1),
        case(EARLY, 6, 2, stop=0),
        case(IMPOSSIBLE, 3, 0, kind="raise"),
        case(IMPOSSIBLE, 3, -2, kind="raise"),
    ]


# --- judging --------------------------------------------------------------------------------------------------------


def _wanted(case):
    """How many items the consumer should receive."""
    stop = case.inputs["stop"]
    return case.inputs["count"] if stop == NEVER else stop


def _in_order(seen):
    return seen["got"] == list(range(len(seen["got"])))


def _complete(case, seen):
    return seen["got"] == list(range(_wanted(case)))


def _verify(case, outputs):
    if case.aspect == IMPOSSIBLE:
        return _impossible_fault(case, outputs)
    return _items_fault(case, outputs) or _ending_fault(case, outputs) or _thread_fault(case, outputs)


def _impossible_fault(case, outputs):
    depth = case.inputs["depth"]
    if not isinstance(outputs, str) or not outputs.startswith("ValueError: "):
        return f"depth {depth} is impossible, so a ValueError should be raised"
    return None if str(depth) in outputs else f"the message of the ValueError does not mention {depth}"


def _items_fault(case, seen):
    if _complete(case, seen):
        return None
    if seen["hung"]:
        return None  # said by _ending_fault
    count, got = _wanted(case), seen["got"]
    for place, item in enumerate(got):
        if place >= count:
            return f"there are more than {count} items"
        if item != place:
            what = f"item {item}" if item >= 0 else "something else"
            return f"in place {place} the consumer receives {what}, should be item {place}"
    if seen["error"] == "item":
        return f"item {len(got)} is an exception; it should be handed over and is raised"
    ending = "an exception" if seen["error"] != "StopIteration" else "the end"
    return f"the consumer receives {len(got)} of {count} items, then {ending}"


def _ending_fault(case, seen):
    got = len(seen["got"])
    if seen["hung"]:
        return f"after {got} of {_wanted(case)} items nothing moves any more: the consumer would wait for ever"
    if case.inputs["stop"] != NEVER:
        return None
    if case.inputs["fails"] and seen["error"] != "same":
        what = "no exception" if seen["error"] == "StopIteration" else f"a {seen['error']}"
        return (
            f"the iterable raises a KeyError after {got} items; the consumer sees {what}, should see that very object"
        )
    if not case.inputs["fails"] and seen["error"] != "StopIteration":
        return f"the iterable ends after {got} items; the consumer sees a {seen['error']}, should see the end"
    return None


def _thread_fault(case, seen):
    depth = case.inputs["depth"]
    if case.aspect == AHEAD and seen["ahead"] < depth:
        return (
            f"while the consumer is busy, {seen['ahead']} items are taken in advance, should be {depth} or {depth + 1}"
        )
    if seen["most"] > depth + 1:
        return f"with depth {depth}, {seen['most']} items are taken in advance, should be {depth + 1} at most"
    if seen["late"] > 1:
        return f"after close(), {seen['late']} more items are taken, should be 1 at most"
    if seen["left"]:
        when = {NEVER: "at the end", 0: "after close() before the first item"}.get(case.inputs["stop"], "after close()")
        return f"{when}, a thread is still there"
    return None


# --- misconceptions -------------------------------------------------------------------------------------------------


def _only(applies, holds):
    """A `matches`: `holds` in the cases that it applies to, and everything right in the others."""

    def matches(case, outputs):
        if case.aspect == IMPOSSIBLE or not applies(case):
            return _verify(case, outputs) is None
        return bool(holds(case, outputs))

    return matches


def _ends(case):
    return case.inputs["stop"] == NEVER


def _fails(case):
    return case.inputs["fails"]


def _everything_first(case, outputs):
    if case.aspect == IMPOSSIBLE:
        return True  # Queue(0), the queue without a bound, may or may not be refused
    if case.aspect == AHEAD:
        return outputs["most"] > case.inputs["depth"] + 1 and _complete(case, outputs)
    if case.inputs["fails"]:  # the error may come before the items
        return not outputs["hung"]
    return outputs["most"] > case.inputs["depth"] + 1


def _nothing_ahead(case, outputs):
    return outputs["ahead"] == 0 and _complete(case, outputs) and not outputs["left"]


def _depth_unused(case, outputs):
    return 0 < outputs["ahead"] < case.inputs["depth"] and _complete(case, outputs)


def _one_short(case, outputs):
    return outputs["got"] == list(range(max(0, _wanted(case) - 1)))


def _end_at_none(case, outputs):
    return outputs["got"] == [0] and outputs["error"] == "StopIteration"


def _shuffled(case, outputs):
    return not _in_order(outputs) and set(outputs["got"]) <= set(range(case.inputs["count"]))


def _depth_accepted(case, outputs):
    return outputs == "no error" if case.aspect == IMPOSSIBLE else _verify(case, outputs) is None


def _left(case, outputs):
    stopped = case.inputs["stop"]
    return (outputs["left"] > 0 or stopped == 0) and _complete(case, outputs)


def by_a_pool(iterable, depth):
    """Prefetching by a pool of one thread: its futures keep the order and carry errors over."""
    from collections import deque
    from concurrent.futures import ThreadPoolExecutor

    iterator, end = iter(iterable), object()
    pool, waiting = ThreadPoolExecutor(1), deque()
    try:
        while True:
            while len(waiting) < depth + 1:
                waiting.append(pool.submit(next, iterator, end))
            item = waiting.popleft().result()
            if item is end:
                return
            yield item
    finally:
        pool.shutdown(cancel_futures=True)


prefetch = Exercise(
    name="prefetch",
    cases=_cases,
    call=call_prefetch,
    verify=_verify,
    stand_in=lambda: by_a_pool,
    for_call=("kind",),
    time_limit=4.0,
    difficulty=5,
    importance=3,
    minutes=45,
    hints=(
        "A queue.Queue that holds at most depth entries does the waiting on both sides: put() waits while it is full, "
        "get() while it is empty.",
        "The thread puts pairs (kind, value) into the queue: an item, an exception that it has caught, or the end. The "
        "consumer looks at the kind alone. Start the thread inside the generator, so that a finally belongs to it.",
        "In the thread, try put(entry, timeout=0.05) again and again, until it works or a threading.Event, stopped, "
        "is set. In the generator: try: … yield value … finally: stopped.set(); thread.join().",
    ),
    misconceptions=(
        Misconception(
            "nothing is prepared",
            "It looks as if the next item is only taken when the consumer asks for it. The consumer waits as long as "
            "it would without a thread.",
            "Ask yourself: who runs your loop over the iterable while the consumer is busy?",
            matches=_only(lambda case: case.aspect == AHEAD, _nothing_ahead),
        ),
        Misconception(
            "depth not used",
            "It looks as if fewer than depth items are prepared, whatever depth is.",
            "Ask yourself: how many entries may wait in your queue?",
            matches=_only(lambda case: case.aspect == AHEAD, _depth_unused),
        ),
        Misconception(
            "everything taken at once",
            "It looks as if the iterable is read without a bound. A data set of images need not fit into memory.",
            "Ask yourself: what stops your thread when the consumer is slow?",
            matches=_everything_first,
        ),
        Misconception(
            "another order",
            "It looks as if the items come in another order: the newest first, or whichever is done first.",
            "Ask yourself: which of the waiting items does your code hand over?",
            matches=_shuffled,
        ),
        Misconception(
            "last item lost",
            "It looks as if the end is announced too early: the last item never arrives.",
            "Ask yourself: when the iterable has ended, what may still be waiting?",
            matches=_only(lambda case: _ends(case) and case.inputs["count"] > 0, _one_short),
        ),
        Misconception(
            "None taken for the end",
            "It looks as if an item that is None ends the iteration.",
            "Ask yourself: how can the consumer tell your sign for the end from an item of the iterable?",
            matches=_only(lambda case: case.aspect == ANY, _end_at_none),
        ),
        Misconception(
            "an exception that is an item",
            "It looks as if every exception in the queue is raised, also one that was an item.",
            "Ask yourself: how can the consumer tell an exception that was raised from one that was yielded?",
            matches=_only(lambda case: case.aspect == ANY, lambda case, outputs: outputs["error"] == "item"),
        ),
        Misconception(
            "errors swallowed",
            "It looks as if an error in the thread looks like the end of the data. Half an epoch is lost in silence.",
            "Ask yourself: where does an exception go that is raised in a thread?",
            matches=_only(
                _fails, lambda case, outputs: _complete(case, outputs) and outputs["error"] == "StopIteration"
            ),
        ),
        Misconception(
            "no word of the error",
            "It looks as if the thread dies of the error and the consumer waits for ever.",
            "Ask yourself: what does get() do when nobody will ever put() again?",
            matches=_only(_fails, lambda case, outputs: _complete(case, outputs) and outputs["hung"]),
        ),
        Misconception(
            "no word of the end",
            "It looks as if the consumer is not told that there are no more items, and waits for ever.",
            "Ask yourself: what does get() do when nobody will ever put() again?",
            matches=_only(_ends, lambda case, outputs: _complete(case, outputs) and outputs["hung"]),
        ),
        Misconception(
            "error before its turn",
            "It looks as if an error is raised as soon as it is there, before the items that came first.",
            "Ask yourself: at which place among the items was the error raised?",
            matches=_only(
                _fails, lambda case, outputs: outputs["error"] == "same" and len(outputs["got"]) < _wanted(case)
            ),
        ),
        Misconception(
            "another error",
            "It looks as if the consumer gets an exception of your own. It should be the very one that was raised.",
            "Ask yourself: which except clause of the consumer's catches it now?",
            matches=_only(_fails, lambda case, outputs: outputs["error"] not in ("same", "StopIteration", "item", "")),
        ),
        Misconception(
            "thread left behind",
            "It looks as if the thread waits for ever when the consumer stops early. Each such loop leaves one more, "
            "with all that it holds in memory.",
            "Ask yourself: when nobody empties the queue any more, which line does your thread stand at?",
            matches=_only(lambda case: case.aspect == EARLY, _left),
        ),
        Misconception(
            "goes on after close()",
            "It looks as if the thread goes on taking items when the consumer has stopped, perhaps all of them.",
            "Ask yourself: after close(), what ends your loop over the iterable?",
            matches=_only(
                lambda case: case.aspect == EARLY and case.inputs["stop"] > 0,
                lambda case, outputs: outputs["late"] > 1 and _complete(case, outputs),
            ),
        ),
        Misconception(
            "thread of an iterator that was never used",
            "It looks as if the thread starts when prefetch is called. close() on a generator that has not begun runs "
            "none of its lines, finally included.",
            "Ask yourself: which lines of a generator have run before the first next()?",
            matches=_only(lambda case: case.inputs["stop"] == 0, lambda case, outputs: outputs["left"] > 0),
        ),
        Misconception(
            "depths below 1",
            "It looks as if a depth of 0 or less is accepted. To queue.Queue that means: without a bound.",
            "Ask yourself: how many items may wait when depth is 0?",
            matches=_depth_accepted,
        ),
    ),
)
