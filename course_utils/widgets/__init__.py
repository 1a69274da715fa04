"""The widgets of the notebooks: knobs to turn, each with a picture for pages that run no widgets.

Nothing heavy is imported until a widget is called.
"""

from course_utils.widgets.count_relus import relu_count
from course_utils.widgets.play_graph import graph_player
from course_utils.widgets.walk_surface import loss_surface

__all__ = ["graph_player", "loss_surface", "relu_count"]
