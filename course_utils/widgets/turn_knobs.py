"""The augmentation knobs: one picture turned, shifted, mirrored and lit, and where its label stops being true."""

from __future__ import annotations

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.augmented_image import (
    BRIGHTNESS,
    CONTRAST,
    LETTER_TURN,
    MIRRORED,
    SHAPE_TURN,
    SHIFT,
    SUBJECTS,
    TURN,
    augmented,
    beyond_the_set,
    broken,
    original,
    share_inside,
)
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import one_of, within
from course_utils.widgets.panel import number
from course_utils.widgets.pixels import draw_image
from course_utils.widgets.scene import INK, PALE, WHITE, Scene

HOLDS, BROKEN = palette["blue"], "#B24E00"  # vermillion, darker: small text needs more contrast
DIAL, RADIUS = (660, 146), 70


def augmentation_knobs(
    subject: str = "the letter b", turn: int = 15, shift: int = 0, mirrored: str = "no",
    brightness: float = 0.0, contrast: float = 1.0,
) -> None:  # fmt: skip
    """Display one picture beside its augmented version, and say whether the label still holds.

    `subject` is "the letter b", "arrow" or "cross"; `turn` is −180 to 180 degrees, clockwise; `shift` −24 to 24 pixels,
    to the right; `mirrored` "no" or "left–right"; `brightness` −1 to 1; `contrast` 0 to 2.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.augmented_image`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    shown = AugmentationKnobs(subject, turn, shift, mirrored, brightness, contrast)
    show_widget(shown.view, shown.scene())


class AugmentationKnobs:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, subject: str = "the letter b", turn: int = 15, shift: int = 0, mirrored: str = "no",
        brightness: float = 0.0, contrast: float = 1.0,
    ) -> None:  # fmt: skip
        import ipywidgets as widgets

        one_of("The subject", subject, SUBJECTS)
        within("The turn", turn, *TURN, whole=True)
        within("The shift", shift, *SHIFT, whole=True)
        one_of("Mirrored", mirrored, MIRRORED)
        within("The brightness", brightness, *BRIGHTNESS)
        within("The contrast", contrast, *CONTRAST)
        self.subject = choice(
            "bp-knobs-subject", "Picture", "What is in the picture", self._draw, options=list(SUBJECTS), value=subject,
        )  # fmt: skip
        self.mirrored = choice(
            "bp-knobs-mirrored", "Mirror", "Swap left and right", self._draw, options=list(MIRRORED), value=mirrored,
        )  # fmt: skip
        self.turn = slider(
            "IntSlider", "bp-knobs-turn", "Turn", "By how many degrees, clockwise", self._draw,
            min=TURN[0], max=TURN[1], step=5, value=turn, width="300px",
        )  # fmt: skip
        self.shift = slider(
            "IntSlider", "bp-knobs-shift", "Shift", "By how many pixels to the right", self._draw,
            min=SHIFT[0], max=SHIFT[1], value=shift, width="300px",
        )  # fmt: skip
        self.brightness = slider(
            "FloatSlider", "bp-knobs-brightness", "Brightness", "What is added to every pixel", self._draw,
            min=BRIGHTNESS[0], max=BRIGHTNESS[1], step=0.05, value=brightness, width="300px",
        )  # fmt: skip
        self.contrast = slider(
            "FloatSlider", "bp-knobs-contrast", "Contrast", "By what the distance from the mean is multiplied",
            self._draw, min=CONTRAST[0], max=CONTRAST[1], step=0.05, value=contrast, width="300px",
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame(
            "bp-knobs", row(self.subject, self.mirrored), row(self.turn, self.shift),
            row(self.brightness, self.contrast), self.picture,
        )  # fmt: skip
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(
            self.subject.value, self.turn.value, self.shift.value, self.mirrored.value,
            round(self.brightness.value, 6), round(self.contrast.value, 6),
        )  # fmt: skip

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(subject: str, turn: int, shift: int, mirrored: str, brightness: float, contrast: float) -> Scene:
    """The picture, what a network sees, and a dial with the turns that may be asked for."""
    mirror = mirrored != MIRRORED[0]
    setting = (subject, turn, shift, mirror, brightness, contrast)
    reasons = broken(*setting)
    scene = Scene(776, 336)
    scene.text(142, 24, "the picture", 13, anchor="middle", bold=True)
    draw_image(scene, original(subject), 30, 36, 7)
    scene.text(414, 24, "what the network sees", 13, anchor="middle", bold=True)
    draw_image(scene, augmented(*setting), 302, 36, 7)
    _dial(scene, subject, turn)
    verdict, why = _verdict(subject, turn, reasons)
    scene.text(30, 288, verdict, 14, BROKEN if reasons else HOLDS, bold=True)
    for line, part in enumerate(why):
        scene.text(30, 309 + 17 * line, part, 12)
    inside = round(100 * share_inside(subject, turn, shift, mirror))
    scene.alt = (
        f"A picture of {_named(subject)} turned by {number(turn)}°, shifted by {number(shift)} pixels, mirrored: "
        f"{mirrored}, brightness {number(brightness)}, contrast {number(contrast)}. {inside} % of the subject is still "
        f"in the picture. {verdict} {' '.join(why)}"
    )
    return scene


def _verdict(subject: str, turn: int, reasons: list[str]) -> tuple[str, list[str]]:
    """One sentence on the label, and why, in one line or two."""
    if reasons:
        lines = ["; ".join(reasons[start : start + 2]) + ";" for start in range(0, len(reasons), 2)]
        return "The label no longer holds:", [*lines[:-1], lines[-1][:-1] + "."]
    if beyond_the_set(subject, turn):
        return f"Still {_named(subject)}, but turned further than any of the set:", [
            f"those are turned by at most {SHAPE_TURN}°. A network that never meets such pictures need not learn them."
        ]
    return f"Still {_named(subject)}: the label holds.", [
        "The network may learn from this picture that the change means nothing."
    ]


def _named(subject: str) -> str:
    return subject if subject == SUBJECTS[0] else f"an {subject}" if subject[0] in "aeiou" else f"a {subject}"


def _dial(scene: Scene, subject: str, turn: int) -> None:
    """All turns on a circle; those that keep the label are filled, and a hand points to the present one."""
    limit = LETTER_TURN if subject == SUBJECTS[0] else SHAPE_TURN
    title = "turns that keep the label" if subject == SUBJECTS[0] else "turns that the set has"
    scene.text(DIAL[0], 24, title, 13, anchor="middle", bold=True)
    scene.polygon(_arc(-180, 180), fill=WHITE, stroke=PALE, width=1.5)
    scene.polygon([DIAL, *_arc(-limit, limit)], fill="#DFEAF4", stroke=HOLDS, width=1.2)
    for angle in (-limit, limit):
        x, y = _arc(angle, angle, RADIUS + 17)[0]
        scene.text(x, y + 4, f"{number(angle)}°", 11, anchor="middle")
    scene.arrow([DIAL, _arc(turn, turn, RADIUS - 6)[0]], INK if abs(turn) <= limit else BROKEN, 2)
    scene.text(DIAL[0], DIAL[1] + RADIUS + 24, f"turned by {number(turn)}°", 12, anchor="middle")


def _arc(first: float, last: float, radius: float = RADIUS) -> list[tuple[float, float]]:
    angles = np.radians(np.linspace(first, last, 61))
    return [(DIAL[0] + radius * np.sin(a), DIAL[1] - radius * np.cos(a)) for a in angles]
