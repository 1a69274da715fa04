"""The widgets of the notebooks: knobs to turn, each with a picture for pages that run no widgets.

Nothing heavy is imported until a widget is called.
"""

from course_utils.widgets.build_stack import layer_stack
from course_utils.widgets.count_relus import relu_count
from course_utils.widgets.find_dead import dead_units
from course_utils.widgets.play_graph import graph_player
from course_utils.widgets.slide_window import convolution_window
from course_utils.widgets.walk_surface import loss_surface
from course_utils.widgets.watch_layers import layer_histograms

__all__ = [
    "convolution_window",
    "dead_units",
    "graph_player",
    "layer_histograms",
    "layer_stack",
    "loss_surface",
    "relu_count",
]
