"""conv_output_size: how many places a window has along one axis."""

from __future__ import annotations

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many windows fit, counted one by one. Raises `Impossible` where there is none."""
    facts = {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise Impossible("impossible arguments", **facts)
    places, last_tap, end = 0, dilation * (kernel - 1), size + 2 * padding
    while last_tap < end:
        places, last_tap = places + 1, last_tap + stride
    if not places:
        raise Impossible("no place for this window", **facts)
    return places


def _free(size, kernel, padding, dilation):
    return size + 2 * padding - dilation * (kernel - 1) - 1


def _places(steps, stride):
    return steps // stride + 1


def _with(free=_free, places=_places, refuses=lambda free: free < 0):
    """A student's formula with another way to measure the `free` room, to count the places, or to refuse."""

    def variant(size, kernel, stride=1, padding=0, dilation=1):
        if min(size, kernel, stride, dilation) < 1 or padding < 0:
            return Raises("ValueError")
        room = free(size, kernel, padding, dilation)
        return Raises("ValueError") if refuses(room) else places(room, stride)

    return variant


def _never_refuses(size, kernel, stride=1, padding=0, dilation=1):
    return _free(size, kernel, padding, dilation) // stride + 1


def _test_of_fit_without(forgotten):
    """The right formula behind a test of fit that forgets the padding or the dilation."""

    def variant(size, kernel, stride=1, padding=0, dilation=1):
        if min(size, kernel, stride, dilation) < 1 or padding < 0:
            return Raises("ValueError")
        extent = kernel if forgotten == "dilation" else dilation * (kernel - 1) + 1
        if extent > (size if forgotten == "padding" else size + 2 * padding):
            return Raises("ValueError")
        return _never_refuses(size, kernel, stride, padding, dilation)

    return variant


def _output_size_cases(rng):
    def case(aspect, size, kernel, **more):
        return Case(aspect, {"size": size, "kernel": kernel, **more})

    extra = int(rng.integers(0, 30))
    step = int(rng.integers(3, 7))
    wide = int(rng.integers(4, 9))
    return [
        case("size and kernel", 32, 5),
        case("size and kernel", 9 + extra, 4),
        case("size and kernel", 7 + extra, 7 + extra),
        case("stride, rounded down", 227, 11, stride=4),
        case("stride, rounded down", 224, 11, stride=4),
        case("stride, rounded down", 10, 3, stride=2),
        case("stride, rounded down", 11 + 3 * step, 4, stride=step),
        case("stride, rounded down", 6, 5, stride=7),
        case("padding at each end", 32, 5, stride=1, padding=2),
        case("padding at each end", 20 + extra, 3, stride=2, padding=1),
        case("padding at each end", 19 + extra, 4, stride=step, padding=2),
        case("padding at each end", 5, 8, stride=1, padding=3),
        case("dilation", 32, 3, stride=1, padding=0, dilation=2),
        case("dilation", 30 + extra, 5, stride=2, padding=1, dilation=3),
        case("dilation", 40 + extra, 3, stride=step, padding=wide, dilation=wide),
        case("dilation", 13, 4, stride=1, padding=0, dilation=4),
        case("a kernel that does not fit", 16, 19, stride=1, padding=1, dilation=1),
        case("a kernel that does not fit", 12 + extra, 20 + extra, stride=4, padding=2, dilation=1),
        case("a kernel that does not fit", 22, 6, stride=5, padding=2, dilation=7),
        case("impossible arguments", 12, 3, stride=0, padding=1, dilation=2),
        case("impossible arguments", 23, 4, stride=2, padding=-1, dilation=1),
        case("impossible arguments", 17, 0, stride=2, padding=1, dilation=3),
        case("impossible arguments", 14, 5, stride=3, padding=2, dilation=0),
        case("impossible arguments", 0, 3, stride=1, padding=4, dilation=2),
    ]


conv_output_size = Exercise(
    name="conv_output_size",
    cases=_output_size_cases,
    expected=or_raises(output_size),
    stand_in=lambda: output_size,
    difficulty=2,
    importance=5,
    minutes=15,
    hints=(
        "Put the window at the left end of the padded input. One place is taken. "
        "How far can it still move to the right, and how many steps is that?",
        "The padded input has size + 2 · padding elements. A window of `kernel` taps, `dilation` apart, reaches over "
        "dilation · (kernel − 1) + 1 of them. What is left is the way it can move. If nothing is left, one place "
        "remains. If less than nothing is left, it does not fit.",
        "free = size + 2 * padding − dilation * (kernel − 1) − 1, and the result is free // stride + 1. "
        'Before it: raise ValueError(f"… {size}, {kernel}, {stride}, {padding}, {dilation}") when free < 0 or an '
        "argument is impossible.",
    ),
    misconceptions=(
        Misconception(
            "rounded up instead of down",
            "It looks as if a last step that does not fit any more still counts as a place.",
            "Ask yourself: size 10, kernel 3, stride 2; which inputs would the window at place 4 cover?",
            _with(places=lambda free, stride: -(-free // stride) + 1),
        ),
        Misconception(
            "padding counted once",
            "It looks as if the padding is added once. It is there at both ends.",
            "Ask yourself: with one zero at the left end and one at the right, how much longer is the input?",
            _with(lambda n, k, p, d: n + p - d * (k - 1) - 1),
        ),
        Misconception(
            "padding ignored",
            "It looks as if the padding does not change your result.",
            "Ask yourself: a 3-tap kernel moves over 5 elements; how many places has it with a zero at each end?",
            _with(lambda n, k, p, d: n - d * (k - 1) - 1),
        ),
        Misconception(
            "the first place forgotten",
            "It looks as if you count the steps of the window, and not the place where it starts.",
            "Ask yourself: a kernel as long as the input cannot take a single step; how many outputs are there?",
            _with(places=lambda free, stride: free // stride),
        ),
        Misconception(
            "one added before the division",
            "It looks as if you add the 1 before you divide by the stride.",
            "Ask yourself: is the 1 a step of the window, or the place where it starts?",
            _with(places=lambda free, stride: (free + 1) // stride),
        ),
        Misconception(
            "stride ignored",
            "It looks as if the window moves by one element at every step, whatever the stride.",
            "Ask yourself: how many steps of length 4 fit into a way of 216?",
            _with(places=lambda free, stride: free + 1),
        ),
        Misconception(
            "dilated extent k times d",
            "It looks as if a dilated kernel reaches over kernel · dilation elements. "
            "There is a gap between two taps, but none after the last one.",
            "Ask yourself: three taps, two apart: at which elements are they, and how many lie from the first to "
            "the last?",
            _with(lambda n, k, p, d: n + 2 * p - d * k),
        ),
        Misconception(
            "dilation ignored",
            "It looks as if the dilation does not change your result.",
            "Ask yourself: when the taps move apart, has the window more room to move or less?",
            _with(lambda n, k, p, d: n + 2 * p - k),
        ),
        Misconception(
            "true division",
            "It looks as if you divide with /, which gives a float and may leave a fraction.",
            "Ask yourself: what does half a place mean, and what does // do?",
            _with(places=lambda free, stride: free / stride + 1),
        ),
        Misconception(
            "a kernel that just fits is refused",
            "It looks as if a window as long as the padded input raises an error. It has one place.",
            "Ask yourself: how far can such a window move, and how many places is that?",
            _with(refuses=lambda free: free <= 0),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you compute a number even where no convolution exists.",
            "Ask yourself: what does your formula give for a kernel longer than the padded input, or for a negative "
            "padding?",
            or_raises(_never_refuses),
        ),
        Misconception(
            "padding forgotten in the test of fit",
            "It looks as if you compare the kernel with the input before it is padded.",
            "Ask yourself: into what must the window fit, size or size + 2 · padding?",
            _test_of_fit_without("padding"),
        ),
        Misconception(
            "dilation forgotten in the test of fit",
            "It looks as if you compare the number of taps with the padded input, not the length that they span.",
            "Ask yourself: over how many elements do 6 taps reach that are 7 apart?",
            _test_of_fit_without("dilation"),
        ),
        Misconception(
            "a message without the numbers",
            "It looks as if you raise the right kind of error, with some of the five numbers missing from its message.",
            "Ask yourself: which numbers would you want to read when a network of 50 layers raises this error?",
            or_raises(output_size),
        ),
    ),
)
