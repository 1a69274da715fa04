"""The widgets of the notebooks: knobs to turn, each with a picture for pages that run no widgets.

Nothing heavy is imported until a widget is called.
"""

from course_utils.widgets.account_alexnet import alexnet_accounting
from course_utils.widgets.build_stack import layer_stack
from course_utils.widgets.count_relus import relu_count
from course_utils.widgets.distort import elastic_distortion
from course_utils.widgets.filter_record import FilterRecord
from course_utils.widgets.find_dead import dead_units
from course_utils.widgets.map_stability import stability_map
from course_utils.widgets.play_graph import graph_player
from course_utils.widgets.race_optimizers import optimizer_race
from course_utils.widgets.sample_batches import batch_statistics
from course_utils.widgets.slide_window import convolution_window
from course_utils.widgets.thin_networks import thinned_networks
from course_utils.widgets.try_rates import rates_survived
from course_utils.widgets.turn_knobs import augmentation_knobs
from course_utils.widgets.walk_surface import loss_surface
from course_utils.widgets.watch_filters import first_layer_filters
from course_utils.widgets.watch_gap import dropout_gap
from course_utils.widgets.watch_layers import layer_histograms

__all__ = [
    "FilterRecord",
    "alexnet_accounting",
    "augmentation_knobs",
    "batch_statistics",
    "convolution_window",
    "dead_units",
    "dropout_gap",
    "elastic_distortion",
    "first_layer_filters",
    "graph_player",
    "layer_histograms",
    "layer_stack",
    "loss_surface",
    "optimizer_race",
    "rates_survived",
    "relu_count",
    "stability_map",
    "thinned_networks",
]
