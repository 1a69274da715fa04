"""The convolution window: an output element, the window behind it, its products and their sum."""

from __future__ import annotations

from course_utils.environment import grading
from course_utils.widgets.controls import button, choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, within
from course_utils.widgets.scene import Scene
from course_utils.widgets.window_numbers import INPUT, MOST_KERNEL, MOST_PADDING, MOST_STRIDE, Axis, Sliding
from course_utils.widgets.window_picture import draw

FARTHEST = INPUT.shape[1] + 2 * MOST_PADDING - 1  # the last row of the largest output
Pair = int | tuple[int, int]


def convolution_window(
    kernel: Pair = 3, stride: Pair = 1, padding: Pair = 0, channels: int = 2, element: tuple[int, int] = (0, 0)
) -> None:
    """Display a kernel over a padded input, and how one output element comes about.

    `kernel` is 1 to 7, `stride` 1 to 3, `padding` 0 to 2, each an int or a pair (height, width). The input has
    `channels` channels (1 or 2) of 7 rows and 6 columns. `element` is the (row, column) of the output to begin with;
    it is moved inside when the output is smaller. Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.window_numbers`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    window = ConvolutionWindow(kernel, stride, padding, channels, element)
    show_widget(window.view, window.scene())


class ConvolutionWindow:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, kernel: Pair = 3, stride: Pair = 1, padding: Pair = 0, channels: int = 2, element=(0, 0)
    ) -> None:  # fmt: skip
        import ipywidgets as widgets

        within("The number of channels", channels, 1, len(INPUT), whole=True)
        places = _pair("The element", element, 0, FARTHEST, ("row", "column"))
        self._moving = True  # while several controls change together, the picture waits for the last one
        self.kernel = self._sliders("kernel", _pair("The kernel", kernel, 1, MOST_KERNEL), 1, MOST_KERNEL)
        self.stride = self._sliders("stride", _pair("The stride", stride, 1, MOST_STRIDE), 1, MOST_STRIDE)
        self.padding = self._sliders("padding", _pair("The padding", padding, 0, MOST_PADDING), 0, MOST_PADDING)
        self.channels = choice(
            "bp-window-channels", "Channels", "How many channels the input has", self._resize,
            options=["1", "2"], value=str(channels),
        )  # fmt: skip
        self.element = [
            slider(
                "IntSlider", f"bp-window-{name}", f"Output {name}", f"The {name} of the output element", self._draw,
                min=0, max=FARTHEST, value=place, width="250px",
            )
            for name, place in zip(("row", "column"), places, strict=True)
        ]  # fmt: skip
        self.previous = button("bp-window-prev", "◀ Prev", "The output element before", lambda: self._go(-1))
        self.next = button("bp-window-next", "Next ▶", "The next output element, row by row", lambda: self._go(+1))
        self.picture = widgets.HTML()
        down, across = ([pair[k] for pair in (self.kernel, self.stride, self.padding)] for k in (0, 1))
        self.view = frame(
            "bp-window",
            row(*down),
            row(*across),
            row(*self.element, self.previous, self.next, self.channels),
            self.picture,
        )
        self._resize()

    def sliding(self) -> Sliding:
        """The numbers of the present setting."""
        rows, columns = (
            Axis(INPUT.shape[1 + k], self.kernel[k].value, self.stride[k].value, self.padding[k].value) for k in (0, 1)
        )
        return Sliding(rows, columns, int(self.channels.value))

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.sliding(), *(control.value for control in self.element))

    def _sliders(self, what: str, values: tuple[int, int], low: int, high: int) -> list:
        names = {"kernel": ("height", "width"), "stride": ("down", "across"), "padding": ("rows", "columns")}[what]
        tips = {
            "kernel": "How many {} of the input a window reads".format,
            "stride": "How many {} the window moves on".format,
            "padding": "How many {} of zeros on either side".format,
        }
        return [
            slider(
                "IntSlider", f"bp-window-{what}-{name}", f"{what.capitalize()} {name}", tips[what](noun), self._resize,
                min=low, max=high, value=value, width="250px",
            )
            for name, noun, value in zip(names, ("rows", "columns"), values, strict=True)
        ]  # fmt: skip

    def _resize(self) -> None:
        """Let the element's sliders reach as far as the output does, and draw."""
        sliding = self.sliding()
        self._moving = True
        for control, axis in zip(self.element, (sliding.rows, sliding.columns), strict=True):
            last = axis.outputs - 1 if sliding.fits else 0
            control.value = min(control.value, max(last, 0))
            # A slider must have two ends: the one for a single row or column is switched off.
            control.max, control.disabled = max(last, 1), last < 1
        self.previous.disabled = self.next.disabled = sliding.rows.outputs * sliding.columns.outputs < 2
        self._moving = False
        self._draw()

    def _draw(self) -> None:
        if not self._moving:
            self.picture.value = picture(self.scene())

    def _go(self, by: int) -> None:
        """Move on by one element, row by row, and stop at either end."""
        sliding = self.sliding()
        wide = sliding.columns.outputs
        at = self.element[0].value * wide + self.element[1].value + by
        if 0 <= at < sliding.rows.outputs * wide:
            self._moving = True
            self.element[0].value, self.element[1].value = divmod(at, wide)
            self._moving = False
            self._draw()


def _pair(
    name: str, value: object, low: int, high: int, parts: tuple[str, str] = ("height", "width")
) -> tuple[int, int]:
    """A setting of two parts, from an int or a pair."""
    pair = (value, value) if isinstance(value, int) else value
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise WidgetError(f"{name} must be a whole number or a pair ({', '.join(parts)}), not {value!r}.")
    for part, number in zip(parts, pair, strict=True):
        within(f"{name}'s {part}", number, low, high, whole=True)
    return tuple(pair)
