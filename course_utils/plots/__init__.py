"""Pictures that everybody can read: colours that survive colour blindness, and a text that says what is to be seen."""

from course_utils.plots.figures import figure
from course_utils.plots.output import PictureError, display_picture, show
from course_utils.plots.palette import palette

__all__ = ["PictureError", "display_picture", "figure", "palette", "show"]
