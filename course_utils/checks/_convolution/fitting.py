"""fits_exactly and same_padding: strides that leave nothing over, and padding that keeps the size."""

from __future__ import annotations

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks._convolution.output_size import output_size
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises, call_directly


def fits(size, kernel, stride, padding):
    """Whether one of the windows ends at the end of the padded row."""
    padded = size + 2 * padding
    return any(start + kernel == padded for start in range(0, padded, stride))


def _fits_cases(rng):
    def case(aspect, size, kernel, stride, padding):
        return Case(aspect, {"size": size, "kernel": kernel, "stride": stride, "padding": padding})

    def made(aspect, padding, left_over):
        """A case with `left_over` elements that no window reaches."""
        stride, steps = int(rng.integers(left_over + 2, left_over + 6)), int(rng.integers(1, 9))
        kernel = int(rng.integers(2 * padding + 1, 2 * padding + 7))
        return case(aspect, kernel + steps * stride + left_over - 2 * padding, kernel, stride, padding)

    plain, padded, edge = "without padding", "padding at each end", "kernels as long as the input, and longer"
    return [
        case(plain, 10, 3, 2, 0),
        case(plain, 227, 11, 4, 0),
        case(plain, 224, 11, 4, 0),
        case(plain, 12, 3, 3, 0),
        case(plain, 9, 4, 2, 0),
        case(plain, 11, 3, 4, 0),
        case(plain, 11, 3, 3, 0),  # neither the size nor the way is a multiple of the stride
        *(made(plain, 0, left_over) for left_over in (0, 1, 2)),
        case(padded, 224, 7, 2, 3),
        case(padded, 6, 3, 2, 1),
        case(padded, 8, 3, 3, 2),
        case(padded, 8, 3, 3, 1),
        case(padded, 13, 4, 4, 2),
        case(padded, 7, 2, 4, 1),
        *(made(padded, 1 + left_over % 3, left_over) for left_over in (0, 1, 2, 3)),
        case(edge, 5, 5, 3, 0),
        case(edge, 3, 7, 2, 2),
        case(edge, 3, 7, 2, 1),
        case(edge, 4, 9, 1, 2),
        case(edge, 2, 9, 3, 2),
        case(edge, 6, 12, 5, 3),
    ]


def _whole(free, fitting=lambda free: free >= 0):
    """A student's test with another count of `free` steps."""

    def variant(size, kernel, stride, padding):
        steps = free(size, kernel, padding)
        return fitting(steps) and steps % stride == 0

    return variant


def _number(divide):
    return lambda size, kernel, stride, padding: divide(size - kernel + 2 * padding, stride) + 1


fits_exactly = Exercise(
    name="fits_exactly",
    cases=_fits_cases,
    expected=fits,
    builds_on=("conv_output_size",),
    difficulty=1,
    importance=3,
    minutes=10,
    hints=(
        "The window starts at the left end and moves by `stride`. When does its last tap reach the right end exactly?",
        "The way it can move is size − kernel + 2 · padding. It fits when this way is a whole number of strides. "
        "A negative way is no way: such a kernel does not fit at all.",
        "With free = size − kernel + 2 * padding, return free >= 0 and free % stride == 0.",
    ),
    misconceptions=(
        Misconception(
            "padding counted once",
            "It looks as if the padding is added once. It is there at both ends.",
            "Ask yourself: how much longer is the input with `padding` zeros at the left and as many at the right?",
            _whole(lambda n, k, p: n - k + p),
        ),
        Misconception(
            "padding ignored",
            "It looks as if the padding does not change your answer.",
            "Ask yourself: does a way of 3 + 2 · 1 divide by the same strides as a way of 3?",
            _whole(lambda n, k, p: n - k),
        ),
        Misconception(
            "kernel not subtracted",
            "It looks as if you divide the padded size by the stride. The window itself takes up room.",
            "Ask yourself: a window of 3 stands at the left end of 11 elements; how far can it move?",
            _whole(lambda n, k, p: n + 2 * p),
        ),
        Misconception(
            "the size alone divided",
            "It looks as if you divide the size itself by the stride. The window takes up room, and padding adds some.",
            "Ask yourself: a window of 3 stands at the left end of 11 elements; how far can it move?",
            lambda size, stride, **more: size % stride == 0,
        ),
        Misconception(
            "one added before the division",
            "It looks as if you add the 1 before you divide by the stride.",
            "Ask yourself: for which strides is (free + 1) / stride whole, and for which free / stride + 1?",
            _whole(lambda n, k, p: n - k + 2 * p + 1),
        ),
        Misconception(
            "a kernel that is too long fits",
            "It looks as if a negative way counts as a fit, as long as the stride divides it.",
            "Ask yourself: what is −4 % 2, and where would a window of 7 stand on 3 elements?",
            _whole(lambda n, k, p: n - k + 2 * p, lambda free: True),
        ),
        Misconception(
            "a kernel as long as the input does not fit",
            "It looks as if you ask for room to move. A window that just fits has none, and needs none.",
            "Ask yourself: kernel 5 on 5 elements: is any element left over?",
            _whole(lambda n, k, p: n - k + 2 * p, lambda free: free > 0),
        ),
        Misconception(
            "answer reversed",
            "It looks as if you return True where something is left over, and False where it fits.",
            "Ask yourself: what does % give when the division leaves no remainder, and is that true or false in "
            "Python?",
            lambda **inputs: not fits(**inputs),
        ),
        Misconception(
            "the size instead of the answer",
            "It looks as if you return the value of the formula. Asked for is whether it is a whole number.",
            "Ask yourself: which two values can a question with yes or no have in Python?",
            matches=one_of(call_directly, _number(lambda a, b: a / b), _number(lambda a, b: a // b)),
        ),
    ),
)


def padding_that_keeps(kernel, dilation=1):
    """Half of the places that a row loses without padding. Raises `Impossible` where it is no half."""
    size = 2 * dilation * kernel
    half, rest = divmod(size - output_size(size, kernel, dilation=dilation), 2)
    if rest:
        raise Impossible("no padding keeps the size", kernel=kernel, dilation=dilation)
    return half


def _same_cases(rng):
    def case(aspect, kernel, *dilation):
        return Case(aspect, {"kernel": kernel} | ({"dilation": dilation[0]} if dilation else {}))

    odd, even = 2 * int(rng.integers(6, 15)) + 1, 2 * int(rng.integers(6, 15))
    return [
        *(case("odd kernels", kernel) for kernel in (3, 5, 11, 1, odd)),
        *(case("dilation", kernel, dilation) for kernel, dilation in ((3, 2), (5, 3), (7, 4), (odd, 5), (1, 6))),
        *(case("even kernels with an even dilation", *both) for both in ((2, 2), (4, 6), (even, 4))),
        *(case("no such padding", *both) for both in ((14,), (12, 1), (16, 3), (even, 15))),
    ]


def _loss_halved(lost, halve=lambda lost: lost // 2, refuses=lambda lost, kernel: lost % 2):
    def variant(kernel, dilation=1):
        both_ends = lost(kernel, dilation)
        return Raises("ValueError") if refuses(both_ends, kernel) else halve(both_ends)

    return variant


def _lost(kernel, dilation):
    return dilation * (kernel - 1)


same_padding = Exercise(
    name="same_padding",
    cases=_same_cases,
    expected=or_raises(padding_that_keeps),
    stand_in=lambda: padding_that_keeps,
    builds_on=("conv_output_size",),
    difficulty=1,
    importance=4,
    minutes=10,
    hints=(
        "Without padding, a convolution of stride 1 gives fewer values than came in. "
        "The padding must give back what is lost, half of it at each end.",
        "Set the output size, size + 2 · padding − dilation · (kernel − 1), equal to size and solve for padding. "
        "When is the solution no whole number?",
        "lost = dilation * (kernel − 1). If lost % 2 is 1, raise ValueError with kernel and dilation in its message. "
        "Otherwise return lost // 2.",
    ),
    misconceptions=(
        Misconception(
            "dilation ignored",
            "It looks as if the dilation does not change your result.",
            "Ask yourself: three taps that are 4 apart span 9 elements; how many places are lost?",
            _loss_halved(lambda k, d: k - 1),
        ),
        Misconception(
            "dilated extent k times d",
            "It looks as if a dilated kernel reaches over kernel · dilation elements. "
            "There is a gap between two taps, but none after the last one.",
            "Ask yourself: three taps, two apart: at which elements are they, and how many lie from the first to "
            "the last?",
            _loss_halved(lambda k, d: k * d - 1),
        ),
        Misconception(
            "padding of both ends together",
            "It looks as if your result is all the padding there is. The argument `padding` is what goes to each end.",
            "Ask yourself: kernel 3 loses two places; how many zeros must stand on the left?",
            _loss_halved(_lost, lambda lost: lost, lambda lost, kernel: False),
        ),
        Misconception(
            "an odd loss rounded down",
            "It looks as if you return a padding although none keeps the size: half of an odd number is rounded down.",
            "Ask yourself: with kernel 2 and your padding, how long is the output of 10 elements?",
            _loss_halved(_lost, refuses=lambda lost, kernel: False),
        ),
        Misconception(
            "an odd loss rounded up",
            "It looks as if you return a padding although none keeps the size: it makes the output too long by one.",
            "Ask yourself: with kernel 2 and your padding, how long is the output of 10 elements?",
            _loss_halved(_lost, lambda lost: (lost + 1) // 2, lambda lost, kernel: False),
        ),
        Misconception(
            "every even kernel refused",
            "It looks as if you raise an error for every even kernel. With an even dilation a padding does exist.",
            "Ask yourself: two taps that are 2 apart span 3 elements; how many places are lost?",
            _loss_halved(_lost, refuses=lambda lost, kernel: kernel % 2 == 0),
        ),
        Misconception(
            "true division",
            "It looks as if you divide with /, which gives a float, and half a zero where the loss is odd.",
            "Ask yourself: can padding be 0.5?",
            _loss_halved(_lost, lambda lost: lost / 2, lambda lost, kernel: False),
        ),
        Misconception(
            "a message without the numbers",
            "It looks as if you raise the right kind of error, without both numbers in its message.",
            "Ask yourself: which numbers would you want to read when this error comes out of a long program?",
            or_raises(padding_that_keeps),
        ),
    ),
)
