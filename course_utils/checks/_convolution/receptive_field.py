"""receptive_field: how many inputs one output can see."""

from __future__ import annotations

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception


def field_of_taps(layers):
    """From the first to the last input that output 0 sees, by following its taps back, layer by layer."""
    seen = {0}
    for kernel, stride, dilation in reversed(layers):
        seen = {place * stride + tap * dilation for place in seen for tap in range(kernel)}
    return max(seen) - min(seen) + 1


def call_receptive_field(student, stack, layers):
    """The student's answer; `stack` is what messages show of the layers."""
    return student(layers)


def _growing(growth, next_step=lambda step, stride, dilation: step * stride, start=1):
    """A student's walk from the input: growth(kernel, stride, dilation, step) more inputs with each layer."""

    def variant(layers):
        field, step = start, 1
        for kernel, stride, dilation in layers:
            field += growth(kernel, stride, dilation, step)
            step = next_step(step, stride, dilation)
        return field

    return variant


def _grown(kernel, stride, dilation, step):
    return dilation * (kernel - 1) * step


def _variant(*growing, **more):
    return through(call_receptive_field, _growing(*growing, **more))


def _other_end_first(layers):
    return field_of_taps(layers[::-1])


def _stride_for_dilation(stack, layers):
    return field_of_taps([(kernel, dilation, stride) for kernel, stride, dilation in layers])


def _cases(rng):
    def case(aspect, *layers):
        shown = "layers " + ", ".join(map(str, layers)) if layers else "no layers"
        return Case(aspect, {"stack": shown, "layers": list(layers)})

    def some(low, high):
        return int(rng.integers(low, high))

    vgg16 = [layer for convolutions in (2, 2, 3, 3, 3) for layer in [(3, 1, 1)] * convolutions + [(2, 2, 1)]]
    alexnet = [(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1)]
    return [
        case("one layer", (5, 1, 1)),
        case("one layer", (some(6, 12), 2, 1)),
        case("one layer", (1, 1, 1)),
        case("stride one", (3, 1, 1), (3, 1, 1), (3, 1, 1)),
        case("stride one", (3, 1, 1), (some(4, 9), 1, 1)),
        case("stride one", (1, 1, 1), (7, 1, 1), (2, 1, 1)),
        case("strides", (3, 2, 1), (3, 1, 1)),
        case("strides", (3, 1, 1), (3, 2, 1)),
        case("strides", (5, 2, 1), (3, some(3, 5), 1), (4, 2, 1), (3, 1, 1)),
        case("strides", (2, some(3, 6), 1), (3, 3, 1)),
        case("dilation", (3, 1, 2)),
        case("dilation", (3, 1, 1), (3, 1, 2), (3, 1, 4)),
        case("dilation", (some(2, 6), 2, 3), (4, 1, some(2, 5)), (2, 1, 1)),
        case("dilation", (3, 2, 2), (5, 3, 1), (2, 2, 4), (3, 1, 1)),
        case("whole networks", *alexnet),
        case("whole networks", *vgg16),
        case("whole networks", (7, 2, 1), (3, 2, 1), (3, 1, some(1, 4)), (3, 2, 1), (3, 1, 2)),
        case("no layer at all"),
    ]


receptive_field = Exercise(
    name="receptive_field",
    cases=_cases,
    call=call_receptive_field,
    expected=through(call_receptive_field, field_of_taps),
    stand_in=lambda: field_of_taps,
    weights={"no layer at all": 0.5},
    difficulty=3,
    importance=5,
    minutes=20,
    hints=(
        "Walk from the input to the output. At every layer ask: how far apart, counted in inputs, are two "
        "neighbours of the layer that it reads?",
        "Keep two numbers: the field so far, at first 1, and the step between neighbours, at first 1. "
        "A kernel reaches from its first tap to its last over dilation · (kernel − 1) steps of the layer that it "
        "reads. Its own stride changes the step of what it puts out.",
        "For each layer, in this order: field += dilation * (kernel − 1) * step, then step *= stride.",
    ),
    misconceptions=(
        Misconception(
            "grows by k",
            "It looks as if each layer adds its whole kernel. "
            "One of its taps falls on what was seen already, so it adds one tap less.",
            "Ask yourself: two 3-tap layers: do they see 5 inputs or more?",
            matches=one_of(
                call_receptive_field,
                _growing(lambda k, s, d, step: k * step),
                _growing(lambda k, s, d, step: k * d * step),
                _growing(lambda k, s, d, step: (d * (k - 1) + 1) * step),
                _growing(lambda k, s, d, step: k * step, start=0),
                _growing(lambda k, s, d, step: k * d * step, start=0),
                _growing(lambda k, s, d, step: (d * (k - 1) + 1) * step, start=0),
            ),
        ),
        Misconception(
            "its own stride applied too early",
            "It looks as if a layer's stride already stretches the layer's own kernel. "
            "Its taps are as far apart as the elements that it reads.",
            "Ask yourself: a single layer with kernel 3: how many inputs does one output see with stride 1, "
            "and how many with stride 2?",
            _variant(lambda k, s, d, step: d * (k - 1) * step * s),
        ),
        Misconception(
            "strides ignored",
            "It looks as if the strides do not change your result.",
            "Ask yourself: after a layer of stride 2, how many inputs apart are two neighbouring values?",
            _variant(_grown, lambda step, s, d: 1),
        ),
        Misconception(
            "only the last stride",
            "It looks as if only the stride of the layer before counts. The strides of all layers before multiply.",
            "Ask yourself: after two layers of stride 2, how many inputs apart are two neighbouring values?",
            _variant(_grown, lambda step, s, d: s),
        ),
        Misconception(
            "strides added up",
            "It looks as if the strides of the layers before are added. They multiply.",
            "Ask yourself: after three layers of stride 2, how many inputs apart are two neighbouring values?",
            _variant(_grown, lambda step, s, d: step + s - 1),
        ),
        Misconception(
            "dilation ignored",
            "It looks as if the dilation does not change your result.",
            "Ask yourself: three taps, two apart: how many inputs lie from the first to the last?",
            _variant(lambda k, s, d, step: (k - 1) * step),
        ),
        Misconception(
            "dilated extent k times d",
            "It looks as if a dilated kernel reaches over kernel · dilation elements. "
            "There is a gap between two taps, but none after the last one.",
            "Ask yourself: three taps, two apart: at which elements are they, and how many lie from the first to "
            "the last?",
            _variant(lambda k, s, d, step: (k * d - 1) * step),
        ),
        Misconception(
            "dilation carried to later layers",
            "It looks as if a dilation moves the outputs apart, as a stride does. "
            "It spreads the taps of its own layer only.",
            "Ask yourself: with stride 1 and dilation 2, by how much does the window move from one output to the next?",
            _variant(_grown, lambda step, s, d: step * s * d),
        ),
        Misconception(
            "the first input forgotten",
            "It looks as if your result is one too small: the distance from the first input to the last, "
            "not how many there are.",
            "Ask yourself: how many inputs does an output see when there is no layer at all?",
            _variant(_grown, start=0),
        ),
        Misconception(
            "stride and dilation swapped",
            "It looks as if you take the stride of each layer for its dilation, and the dilation for its stride.",
            "Ask yourself: in which order does the docstring give the three numbers of a layer?",
            _stride_for_dilation,
        ),
        Misconception(
            "layers read from the other end",
            "It looks as if you take the layer next to the output for the first one.",
            "Ask yourself: does the stride of the very last layer change what one output sees?",
            through(call_receptive_field, _other_end_first),
        ),
    ),
)
