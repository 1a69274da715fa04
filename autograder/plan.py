"""What a worker has to know of an assignment to grade its submissions: plain data, the same for the whole class.

A worker gets a plan and a submission's files and needs nothing else: no gradebook, no course directory, no disk
that it shares with anyone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, is_dataclass
from functools import cached_property
from typing import Any

from nbgrader.nbgraderformat import MetadataValidator


@dataclass(frozen=True)
class KnownCell:
    """A cell of the release as the gradebook knows it: nbgrader's metadata (points included) and its source."""

    metadata: Mapping[str, Any]
    source: str


@dataclass(frozen=True, eq=False)
class Plan:
    """All that grading one assignment takes. Plans are equal when their digests are.

    `sources` are the source notebooks, with solutions, by name without ending; `known` gives for each of them the cells
    that the gradebook knows, by grade id, in the order of the release; `kernelspecs` their kernels; `other_files` what
    else lies in the source folder (nbgrader puts it over the student's own); `elsewhere` the grade ids of the course's
    other assignments; `options` what the course's configuration sets of the steps that run, by class; `own_sanitizers`
    and `own_steps` are the instructor's own preprocessors, "module.Class", before and after the execution.
    """

    assignment: str
    sources: Mapping[str, bytes]
    known: Mapping[str, Mapping[str, KnownCell]]
    kernelspecs: Mapping[str, Mapping[str, Any]]
    secret: bytes
    other_files: Mapping[str, bytes] = field(default_factory=dict)
    elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    own_sanitizers: tuple[str, ...] = ()
    own_steps: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Changes when anything changes that a score may depend on: not with the course's other assignments."""
        parts = {name: value for name, value in vars(self).items() if name not in ("elsewhere", "digest")}
        return hashlib.sha256(repr(_canonical(parts)).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _canonical(value: Any) -> Any:
    """The value in a form whose `repr` is the same in every process."""
    if isinstance(value, Mapping):
        return sorted((str(key), _canonical(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    return _canonical(astuple(value)) if is_dataclass(value) and not isinstance(value, type) else value


def known_cells(notebook: Any, order: Iterable[str] = ()) -> dict[str, KnownCell]:
    """What the gradebook's tables say of a notebook's cells, by grade id; those named in `order` first, as there."""
    points = {cell.name: float(cell.max_score) for cell in (*notebook.grade_cells, *notebook.task_cells)}
    graded, solved, tasks = (
        {cell.name for cell in cells} for cells in (notebook.grade_cells, notebook.solution_cells, notebook.task_cells)
    )
    known = {}
    for cell in notebook.source_cells:
        metadata = {
            "schema_version": MetadataValidator.schema_version,
            "grade_id": cell.name,
            "grade": cell.name in graded,
            "solution": cell.name in solved,
            "task": cell.name in tasks,
            "locked": bool(cell.locked),
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
        }
        if cell.name in points:
            metadata["points"] = points[cell.name]
        known[cell.name] = KnownCell(metadata, cell.source)
    # The order of a table's rows means nothing in PostgreSQL.
    first = [name for name in order if name in known]
    return {name: known[name] for name in dict.fromkeys((*first, *sorted(known)))}
