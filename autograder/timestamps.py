"""When a submission was handed in, as nbgrader's exchange and collectors write it down beside the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbgrader.utils import parse_utc

TIMESTAMP = "timestamp.txt"
UNREADABLE = f"{TIMESTAMP} does not say when this was handed in, so it counts as in time."


def submitted_at(files: Mapping[str, bytes]) -> Any:
    """When a submission was handed in; None where no file says so, or nobody can tell."""
    try:
        return parse_utc(files[TIMESTAMP].decode("utf-8").strip())
    except Exception:  # the file comes with the submission: whatever is in it, dateutil may choke on
        return None
