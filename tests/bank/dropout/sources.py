"""Wrong versions of one source, each with a few lines changed."""

from tests.bank.initialization.networks import changed
from tests.bank.registry import mistaken_sources


def mistaken_changes(module, exercise, source, rows):
    """Adds the source with each row's changes made: rows are (misconception, (old, new), …)."""
    mistaken_sources(module, exercise, [(name, changed(source, *changes)) for name, *changes in rows])
