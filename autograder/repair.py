"""Puts a submitted notebook back into the form in which it was released, and says what had to be put back.

Work is found by the id of its cell, then by the name it defines. Where several cells carry an id, the last of them
that defines the name counts; checks and other locked cells always have the released text. What a student wrote is
moved or marked, never changed; only untouched copies of a stub that would undo the work above them are left out.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Collection, Mapping
from difflib import Match, SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.files import listed, shown
from autograder.plan import KnownCell
from autograder.references import DISPLAY_ONLY, checked_name
from autograder.salvage import make_cell, ours
from course_utils.checks.forbidden import bound_names, parse

MAX_PIECES = 6
FLAGS = ("grade", "solution", "locked", "task", "points")
TOLD = {
    "conflicts": "Cells held an unresolved merge conflict, of which the first version was taken",
    "joined": "Cells that had been split were joined",
    "found": "Cells without their id were found by what they hold",
    "doubled": "Cells were there more than once, of which one counts",
    "copies": "Untouched copies of cells were left out",
    "retyped": "Cells had changed their type and were read as what they were",
    "changed": "Locked cells had been changed and were put back",
    "flags": "Points or flags of cells had been changed and were put back",
    "hidden": "Cells were marked as display-only and were run all the same",
    "strangers": "Cells that do not belong to the assignment claimed to be graded and do not count",
    "missing": "Graded cells were missing and were put back",
    "moved": "Checks stood above what they check and were moved below it",
}
LOST_ANSWER = (
    "The cells of this notebook had lost their ids, so this answer was not found. It may be in one of the cells nearby."
)


def repair(nb: NotebookNode, known: Mapping[str, KnownCell]) -> list[str]:
    """Repair `nb` in place from the cells of the release; a sentence for each kind of repair, none if all is whole."""
    return _Repair(nb, known).made()


def carried_ids(nb: NotebookNode, known: Collection[str]) -> set[str]:
    """Which of these ids cells of this notebook carry."""
    return {name for cell in nb.cells if (name := _claim(cell, known)[0])}


def held_checks(nb: NotebookNode, known: Mapping[str, KnownCell]) -> set[str]:
    """The ids of the checks whose text stands in this notebook, with or without their ids."""
    texts = {_text(cell.source) for cell in nb.cells if cell.cell_type == "code"}
    return {name for name, cell in known.items() if _checks(cell) and _text(cell.source) in texts}


def find_answers(nb: NotebookNode, known: Mapping[str, KnownCell], source: bytes) -> list[str]:
    """Give answers for a human that have lost their ids these back, by their place among the released cells.

    `source` is the source notebook, in which all but the answers stands as in the release. Returns the problems.
    """
    carried = carried_ids(nb, known)
    lost = {name: cell for name, cell in known.items() if _answer(cell) and name not in carried}
    if not lost:
        return []
    released = nbformat.reads(source.decode("utf-8"), as_version=4).cells
    texts = [[_text(cell.source) for cell in cells] for cells in (released, nb.cells)]
    blocks = SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks()
    found = []
    for before, after in pairwise([Match(0, 0, 0), *blocks] if len(blocks) > 1 else []):
        ids = [_claim(cell, lost)[0] for cell in released[before.a + before.size : after.a]]
        there = [cell for cell in nb.cells[before.b + before.size : after.b] if not _claim(cell, known)[0]]
        for kind in ("markdown", "code"):
            names = [name for name in ids if name and lost[name].metadata["cell_type"] == kind]
            written = [cell for cell in there if cell.cell_type == kind and cell.source.strip()]
            if len(names) == len(written) == 1:
                written[0].metadata["id"] = names[0]
                found += names
    return [f"Answers without their id were found by their place: {listed(found)}."] if found else []


class _Repair:
    """One notebook's repair; for each kind of damage, `told` lists the cells concerned."""

    def __init__(self, nb: NotebookNode, known: Mapping[str, KnownCell]):
        self.nb, self.known = nb, known
        self.names = {name: _expected(cell) for name, cell in known.items()}
        self.owner: dict[str, NotebookNode] = {}
        self.carried = bool(carried_ids(nb, known) or held_checks(nb, known))
        # Where nbgrader's metadata is gone, an answer was not deleted: it stands somewhere, without its id.
        self.anonymous = self.carried and not any(_claim(cell, known)[1] for cell in nb.cells)
        self.told: dict[str, list[str]] = {kind: [] for kind in TOLD}
        self.overwritten: list[str] = []  # locked cells in whose place an answer stands

    def made(self) -> list[str]:
        """Make the repair; its sentences."""
        self._resolve_conflicts()
        self._join_split_cells()
        self._find_owners()
        self._drop_untouched_copies()
        self._mark_cells()
        self._put_back_missing()
        self._move_early_checks()
        # Where no cell carries an id of the assignment, the intake has said so.
        silent = () if self.carried else ("found", "strangers", "missing")
        told = {TOLD[kind]: dict.fromkeys(names) for kind, names in self.told.items() if names and kind not in silent}
        return [f"{what}: {listed(list(names))}." for what, names in told.items()]

    # -- finding -------------------------------------------------------------------------------

    def _resolve_conflicts(self) -> None:
        for number, cell in enumerate(self.nb.cells, 1):
            resolved = ours(cell.source) if cell.cell_type == "code" else cell.source
            if resolved != cell.source:
                cell.source = resolved
                self.told["conflicts"].append(_claim(cell, self.known)[0] or f"cell {number}")

    def _join_split_cells(self) -> None:
        """Put the rest of a definition that was split over cells back to its beginning."""
        index = 0
        while index < len(self.nb.cells):
            name, pieces = self._split_here(index)
            if name:
                first, *rest = self.nb.cells[index : index + pieces]
                first.source = "\n".join(cell.source for cell in (first, *rest))
                del self.nb.cells[index + 1 : index + pieces]
                self.told["joined"].append(name)
            else:
                index += 1

    def _split_here(self, index: int) -> tuple[str | None, int]:
        """The solution that was split over this cell and the next ones, and how many they are; None if none was."""
        first, *rest = self.nb.cells[index : index + MAX_PIECES]
        mine = _claim(first, self.known)[0]
        if first.cell_type != "code" or not first.source.strip() or not rest or (mine and not self.names[mine]):
            return None, 0
        complete = parse(first.source) is not None
        if complete and (not _begins_indented(rest[0].source) or _stands_alone(rest[0].source)):
            return None, 0
        whole = first.source
        for pieces, cell in enumerate(rest[:1] if complete else rest, 2):
            if cell.cell_type != "code" or _claim(cell, self.known)[0] not in (None, mine):
                break
            whole = f"{whole}\n{cell.source}"
            if parse(whole) is not None:
                wanted = [mine] if mine else list(self.names)
                return next((name for name in wanted if self.names[name] & _defined(whole)), None), pieces
        return None, 0

    def _find_owners(self) -> None:
        strong: dict[str, list[NotebookNode]] = {}
        weak: dict[str, list[NotebookNode]] = {}
        for cell in self.nb.cells:
            name, own = _claim(cell, self.known)
            if name:
                (strong if own else weak).setdefault(name, []).append(cell)
        claims = {name: strong.get(name) or weak.get(name, []) for name in self.known}
        claimed = {id(cell) for cells in claims.values() for cell in cells}
        free = [cell for cell in self.nb.cells if id(cell) not in claimed]
        astray = [
            cell for name, cells in claims.items() for cell in cells if not self.names[name] & _defined(cell.source)
        ]
        for name, cell in self.known.items():
            if _locked(cell):
                owner = self._owner_of_locked(cell, claims[name], free)
                if owner is None and claims[name]:
                    self.overwritten.append(name)
            elif self.names[name]:
                owner = self._owner_of_solution(name, claims[name], [*free, *astray])
            else:
                owner = self._owner_of_answer(cell, claims[name], free)
            if owner is None or any(owner is other for other in self.owner.values()):
                continue
            self.owner[name] = owner
            if not claims[name]:
                self.told["found"].append(name)
            if len(claims[name]) > 1:
                self.told["doubled"].append(name)

    def _owner_of_locked(self, cell: KnownCell, claimants: list[NotebookNode], free: list[NotebookNode]) -> Any:
        same = [c for c in claimants if _same(c, cell)]
        # Who wrote an answer into a check keeps it, as a cell of its own.
        idle = [c for c in claimants if not any(names & _defined(c.source) for names in self.names.values())]
        if not claimants:
            same = [
                c for c in free if _text(c.source) == _text(cell.source) and c.cell_type == cell.metadata["cell_type"]
            ]
        return next(reversed(same or idle), None)

    def _owner_of_solution(self, name: str, claimants: list[NotebookNode], others: list[NotebookNode]) -> Any:
        code = [c for c in claimants if c.cell_type == "code"]
        groups = (code, [c for c in others if c.cell_type == "code"], claimants)
        defining = [[c for c in cells if self.names[name] & _defined(c.source)] for cells in groups]
        written = [[c for c in cells if not self._untouched(c, name)] for cells in defining]
        return next((cells[-1] for cells in (*written, *defining, code, claimants) if cells), None)

    def _owner_of_answer(self, cell: KnownCell, claimants: list[NotebookNode], free: list[NotebookNode]) -> Any:
        written = [c for c in claimants if _text(c.source) != _text(cell.source)]
        untouched = [c for c in free if cell.source.strip() and _same(c, cell)]
        return next(reversed(written or claimants or untouched), None)

    # -- mending -------------------------------------------------------------------------------

    def _drop_untouched_copies(self) -> None:
        """Leave out copies of a stub that stand below the work and would define its name anew."""
        for name, owner in self.owner.items():
            if not self.names[name] or self._untouched(owner, name):
                continue
            below = self.nb.cells[_index(self.nb, owner) + 1 :]
            copies = [c for c in below if self._untouched(c, name)]
            if copies:
                self.nb.cells = [c for c in self.nb.cells if not any(c is copy for copy in copies)]
                self.told["copies"].append(name)

    def _mark_cells(self) -> None:
        owned = {id(cell): name for name, cell in self.owner.items()}
        for index, cell in enumerate(self.nb.cells):
            given = cell.metadata.pop("nbgrader", None)
            given = given if isinstance(given, dict) else {}
            name = owned.get(id(cell))
            if name is None:
                own = given.get("grade_id")
                if (given.get("grade") or given.get("task")) and own not in self.known:
                    self.told["strangers"].append(shown(str(own), 40) if own else f"cell {index + 1}")
                continue
            known = self.known[name]
            if cell.cell_type != known.metadata["cell_type"]:
                cell = self.nb.cells[index] = self.owner[name] = _retyped(cell, known.metadata["cell_type"])
                (self.told["changed"] if _locked(known) else self.told["retyped"]).append(name)
            altered = given.get("grade_id") == name and any(
                _flag(given, flag) != _flag(known.metadata, flag) for flag in FLAGS
            )
            if _locked(known):
                if altered or _text(cell.source) != _text(known.source):
                    self.told["changed"].append(name)
                cell.source = known.source
            elif altered:
                self.told["flags"].append(name)
            cell.metadata["nbgrader"] = dict(known.metadata)
            self._show(cell, name)

    def _show(self, cell: NotebookNode, name: str) -> None:
        """A cell of the release that has to run is not only for looking at, whatever the student's copy says."""
        tags = cell.metadata.get("tags")
        if isinstance(tags, list) and DISPLAY_ONLY in tags:
            cell.metadata["tags"] = [tag for tag in tags if tag != DISPLAY_ONLY]
            if cell.cell_type == "code" and not _locked(self.known[name]):
                self.told["hidden"].append(name)

    def _put_back_missing(self) -> None:
        order = list(self.known)
        for name in order:
            known = self.known[name]
            if name in self.owner or not (known.metadata["grade"] or known.metadata["task"]):
                continue
            kind, source = known.metadata["cell_type"], known.source
            if self.anonymous and not _locked(known):
                source += (
                    f"\n\n{'# ' if kind == 'code' else ''}{LOST_ANSWER}"  # no longer the stub, so a human reads it
                )
            cell = make_cell(kind, source, self._new_id(name), {"nbgrader": dict(known.metadata)})
            self.nb.cells.insert(self._place(name, order), cell)
            self.owner[name] = cell
            (self.told["changed"] if name in self.overwritten else self.told["missing"]).append(name)

    def _new_id(self, name: str) -> str:
        """A cell id like the grade id, which nbformat might not take."""
        taken = {cell.get("id") for cell in self.nb.cells}
        own = re.sub("[^a-zA-Z0-9_-]", "-", name)[:50]
        return next(new for new in (own, *(f"{own}-{n}" for n in range(len(taken) + 1))) if new not in taken)

    def _place(self, name: str, order: list[str]) -> int:
        """Where a missing cell goes: a check below the last that defines its name, any other below its predecessor."""
        defining = self._defining(self._checked(name))
        if defining:
            return defining[-1] + 1
        for earlier in reversed(order[: order.index(name)]):
            if earlier in self.owner:
                return _index(self.nb, self.owner[earlier]) + 1
        return len(self.nb.cells)

    def _move_early_checks(self) -> None:
        for name, cell in list(self.owner.items()):
            defining = self._defining(self._checked(name))
            place = _index(self.nb, cell)
            if defining and place < defining[0]:
                del self.nb.cells[place]
                self.nb.cells.insert(defining[-1], cell)
                self.told["moved"].append(name)

    def _untouched(self, cell: NotebookNode, name: str) -> bool:
        return _same(cell, self.known[name])

    def _checked(self, name: str) -> str | None:
        return _checks(self.known[name])

    def _defining(self, name: str | None) -> list[int]:
        """The indices of the cells that define a name in a run; untouched stubs only if there are no others."""
        found = [
            index
            for index, cell in enumerate(self.nb.cells)
            if name
            and cell.cell_type == "code"
            and not cell.metadata.get("nbgrader", {}).get("grade")
            and DISPLAY_ONLY not in cell.metadata.get("tags", [])
            and name in _defined(cell.source)
        ]
        stubs = [known for known, names in self.names.items() if name in names]
        written = [i for i in found if not any(self._untouched(self.nb.cells[i], stub) for stub in stubs)]
        return written or found


# -- reading cells -----------------------------------------------------------------------------


def _claim(cell: NotebookNode, known: Collection[str]) -> tuple[str | None, bool]:
    """The id that a cell carries, and whether it is nbgrader's: failing that, Jupyter's cell id or Colab's counts."""
    given = cell.metadata.get("nbgrader")
    own = given.get("grade_id") if isinstance(given, dict) else None
    if isinstance(own, str) and own in known:
        return own, True
    others = (cell.get("id"), cell.metadata.get("id"))
    return next((name for name in others if isinstance(name, str) and name in known), None), False


def _locked(cell: KnownCell) -> bool:
    """Whether the released text of a cell stays, as nbgrader decides it."""
    flags = cell.metadata
    return not flags.get("solution") and bool(flags.get("grade") or flags.get("locked"))


def _answer(cell: KnownCell) -> bool:
    """Whether a cell is an answer that a human grades."""
    return bool(cell.metadata.get("solution") and cell.metadata.get("grade"))


def _checks(cell: KnownCell) -> str | None:
    """The name that a check is about; None for every other cell."""
    return checked_name(cell.source) if _locked(cell) and cell.metadata["cell_type"] == "code" else None


def _expected(cell: KnownCell) -> frozenset[str]:
    """The names that a solution cell should define: those of its stub. Answers that a human grades need none."""
    flags = cell.metadata
    if flags["cell_type"] != "code" or not flags.get("solution") or _answer(cell):
        return frozenset()
    return _defined(cell.source)


@lru_cache(maxsize=1024)
def _defined(source: str) -> frozenset[str]:
    """The names that a cell's code binds at its top level by definition or assignment."""
    tree = parse(source)
    names: set[str] = set()
    for node in tree.body if tree else ():
        own = getattr(node, "name", None)
        names.update([own] if own else bound_names(node))
    return frozenset(names)


def _stands_alone(source: str) -> bool:
    """Whether a cell runs by itself; IPython runs one that is indented as a whole."""
    tree = parse(textwrap.dedent(source))
    return tree is not None and not _returns(tree)


def _returns(node: ast.AST) -> bool:
    """Whether there is a `return` outside of every function."""
    return any(
        isinstance(child, ast.Return)
        or (not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and _returns(child))
        for child in ast.iter_child_nodes(node)
        if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case))
    )


def _begins_indented(source: str) -> bool:
    return next((line[:1] in " \t" for line in source.splitlines() if line.strip()), False)


@lru_cache(maxsize=4096)
def _text(source: str) -> str:
    """Text to compare: white space at line ends and around a cell is no change."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _same(cell: NotebookNode, known: KnownCell) -> bool:
    return cell.cell_type == known.metadata["cell_type"] and _text(cell.source) == _text(known.source)


def _flag(flags: Mapping[str, Any], name: str) -> Any:
    value = flags.get(name)
    return value if name == "points" else value or False


def _retyped(cell: NotebookNode, kind: str) -> NotebookNode:
    return make_cell(kind, cell.source, cell.get("id", "retyped"), cell.metadata)


def _index(nb: NotebookNode, cell: NotebookNode) -> int:
    return next(index for index, other in enumerate(nb.cells) if other is cell)
