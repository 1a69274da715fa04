"""Damaged notebooks are graded anyway: damage → what it still earns → the sentence that says what was repaired."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest

from autograder.repair import LOST_ANSWER, repair
from autograder.salvage import MAX_CELLS
from autograder.worker import grade
from tests import by_hand, toy
from tests.by_hand import ANSWER, FULL, STUBS, cell, earned, repaired, solved

NOTHING = {"shift": False, "twice": False}
ONLY_TWICE = {"shift": False, "twice": True}
SHIFT = "def shift(x, by):\n    return x + by"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return by_hand.toy_plan(tmp_path_factory.mktemp("course"))


def as_bytes(tree) -> bytes:
    return json.dumps(tree, indent=1).encode()


# -- damages: each takes the JSON of a perfect submission and changes it, or returns bytes or files ------------------


def colab(tree):
    """A round trip through Colab: its own key order, format 4.0, cell ids in the metadata, nbgrader's gone."""
    cells = []
    for number, given in enumerate(tree["cells"]):
        made = {"cell_type": given["cell_type"], "source": given["source"].splitlines(keepends=True)}
        made["metadata"] = {"id": f"Xq{number}_a9-{number}Zk"}
        if given["cell_type"] == "code":
            made["metadata"] |= {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": "c2b3-41"}
            made |= {
                "execution_count": number,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
            }
        cells.append(made)
    badge = {"cell_type": "markdown", "metadata": {"id": "view-in-github", "colab_type": "text"}, "source": ["Open"]}
    kernel = {"name": "python3", "display_name": "Python 3"}
    return {
        "nbformat": 4,
        "nbformat_minor": 0,
        "metadata": {"colab": {"provenance": []}, "kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [badge, *cells],
    }


def colab_with_metadata(tree):
    kept = [c["metadata"] for c in tree["cells"]]
    tree = colab(tree)
    for given, metadata in zip(tree["cells"][1:], kept, strict=True):
        given["metadata"] |= metadata
    return tree


def without_metadata(tree):
    """nbgrader's metadata gone, Jupyter's cell ids (which are the grade ids in this course) still there."""
    for given in tree["cells"]:
        if "nbgrader" in given["metadata"]:
            given["id"] = given["metadata"].pop("nbgrader")["grade_id"]


def put_after(tree, name, *made, **metadata):
    place = tree["cells"].index(cell(tree, name)) + 1
    tree["cells"][place:place] = [dict(c) for c in made]


def code(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def copied(tree, name, source=None):
    made = copy.deepcopy(cell(tree, name))
    made.pop("id", None)
    return made if source is None else {**made, "source": source}


def duplicated(tree):
    put_after(tree, "shift", copied(tree, "shift"))


def stub_copy_below(tree):
    put_after(tree, "shift", copied(tree, "shift", STUBS["shift"]))


def stub_copy_above(tree):
    place = tree["cells"].index(cell(tree, "shift"))
    tree["cells"].insert(place, copied(tree, "shift", STUBS["shift"]))


def stub_copy_without_id(tree):
    put_after(tree, "shift", code(STUBS["shift"]))


def scratch_copy_below(tree):
    """A copy of the solution cell that became a scratch cell: the cell that defines the name counts."""
    put_after(tree, "shift", copied(tree, "shift", "shift(1, 2)"))


def doubled_answer(tree):
    put_after(tree, "why", copied(tree, "why", "YOUR ANSWER HERE"))


def split_by_jupyterlab(tree):
    """JupyterLab gives both halves the metadata."""
    cell(tree, "shift")["source"] = "def shift(x, by):\n    total = x + by"
    put_after(tree, "shift", copied(tree, "shift", "    return total"))


def split_without_metadata(tree):
    cell(tree, "shift")["source"] = "def shift(x, by):"
    put_after(tree, "shift", code('    """x + by"""\n    total = (x +'), code("by)\n\n    return total"))


def split_helper(tree):
    cell(tree, "shift")["source"] = "def plus(a, b):\n    return a + b"
    put_after(tree, "shift", code("def shift(x, by):\n    return plus(x, by)"))


def use_below(tree):
    """A cell that only uses the solution is no part of it, even if it is indented."""
    put_after(tree, "shift", code("    shift(1, 2)\n    x = 1"))


def retyped(name, kind):
    def damage(tree):
        given = cell(tree, name)
        given["cell_type"] = kind
        given.pop("outputs", None)
        given.pop("execution_count", None)
        if kind == "code":
            given |= {"outputs": [], "execution_count": None}

    return damage


def retyped_and_rewritten(tree):
    """The old attempt became text, the new one stands in a cell of its own."""
    cell(tree, "shift")["source"] = "def shift(x, by):\n    return x - by"
    retyped("shift", "markdown")(tree)
    put_after(tree, "shift", code(SHIFT))


def reordered(tree):
    check = cell(tree, "check_shift")
    tree["cells"].remove(check)
    tree["cells"].insert(0, check)


def upside_down(tree):
    tree["cells"].reverse()


def attempt_below_check(tree):
    """Two definitions, one on each side of the check: the one above counts, as it does for the student."""
    put_after(tree, "check_shift", code("def shift(x, by):\n    return None"))


def written_below_check(tree):
    """The stub is untouched above the check, the work stands in a cell of its own below it."""
    cell(tree, "shift")["source"] = STUBS["shift"]
    put_after(tree, "check_shift", code(SHIFT))


def deleted(*names):
    def damage(tree):
        tree["cells"] = [c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") not in names]

    return damage


def edited(name, source):
    def damage(tree):
        cell(tree, name)["source"] = source

    return damage


def flags(*names, **given):
    def damage(tree):
        for name in names:
            cell(tree, name)["metadata"]["nbgrader"].update(given)

    return damage


def metadata(name, **given):
    def damage(tree):
        cell(tree, name)["metadata"].update(given)

    return damage


def own_points(tree):
    tree["cells"].append(code("assert True", nbgrader=toy.info("bonus", grade=True, locked=True, points=50)))


def other_assignments_id(tree):
    cell(tree, "plain")["metadata"]["nbgrader"]["grade_id"] = "other"


def swapped_ids(tree):
    first, second = cell(tree, "shift"), cell(tree, "twice")
    first["metadata"], second["metadata"] = second["metadata"], first["metadata"]


def solution_claims_check(tree):
    """Written into a copy of the check: the code stays, and the check stays the check."""
    cell(tree, "shift")["metadata"] = copy.deepcopy(cell(tree, "check_shift")["metadata"])


def solution_in_check(tree):
    cell(tree, "shift")["source"] = STUBS["shift"]
    cell(tree, "check_shift")["source"] = f"{SHIFT}\n\n\ncheck(shift)"


def conflict_in_cell(tree):
    cell(tree, "shift")["source"] = (
        "def shift(x, by):\n<<<<<<< local\n    return x + by\n=======\n    return x - by\n>>>>>>> remote"
    )


def conflict_in_file(tree):
    lines = json.dumps(tree, indent=1).split("\n")
    at = next(number for number, line in enumerate(lines) if "return x + by" in line)
    theirs = lines[at].replace("x + by", "x - by")
    return "\n".join(
        [
            *lines[:at],
            "<<<<<<< HEAD",
            lines[at],
            "||||||| base",
            lines[at],
            "=======",
            theirs,
            ">>>>>>> other",
            *lines[at + 1 :],
        ]
    ).encode()


def conflict_that_breaks_json(tree):
    return as_bytes(tree).replace(b'"cell_type": "markdown"', b'<<<<<<< HEAD\n"cell_type": "markdown"', 1)


def old_format(tree):
    """Format 3: worksheets, `input`, headings."""
    cells = [{"cell_type": "heading", "level": 2, "source": "Toys", "metadata": {}}]
    for given in tree["cells"]:
        made = {k: v for k, v in given.items() if k not in ("source", "id")}
        key = "input" if given["cell_type"] == "code" else "source"
        cells.append({**made, key: given["source"], "language": "python", "prompt_number": 3})
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}


def format_without_ids(tree):
    tree["nbformat_minor"] = 2
    for given in tree["cells"]:
        given.pop("id", None)


def future_minor(tree):
    tree["nbformat_minor"] = 9
    for given in tree["cells"]:
        given["of_the_future"] = {"x": 1}


def future_format(tree):
    tree["nbformat"] = 5


def line_ends(end):
    def damage(tree):
        for given in tree["cells"]:
            given["source"] = given["source"].replace("\n", end)
        return json.dumps(tree, indent=1).replace("\n", end).encode()

    return damage


def encoded(encoding):
    return lambda tree: json.dumps(tree, ensure_ascii=False).encode(encoding)


def odd_byte(tree):
    return as_bytes(tree).replace(b"# Toys", b"# Toys \xff\xfe")


def truncated_after(name):
    def damage(tree):
        at = tree["cells"].index(cell(tree, name)) + 1
        whole = json.dumps(tree, indent=1)
        kept = json.dumps({"cells": tree["cells"][:at]}, indent=1).rstrip("\n ]}")
        return whole[: len(kept) + 60].encode()

    return damage


def broken_quote(tree):
    return as_bytes(tree).replace(b'"# Toys"', b'"# Toys')


def trailing_garbage(tree):
    return as_bytes(tree) + b"\n}]\x00 and more"


def deep(tree):
    text = json.dumps(tree)
    return text.replace('"outputs": []', f'"outputs": {"[" * 100_000}{"]" * 100_000}', 1).encode()


def odd_numbers(tree):
    text = json.dumps(tree).replace('"execution_count": null', f'"execution_count": {"9" * 10_000}')
    return text.replace('"nbformat":', '"x": NaN, "y": -Infinity, "z": 1e999, "nbformat":').encode()


def odd_values(tree):
    """Everything that is not needed has a wrong type."""
    tree["metadata"] = ["not", "a", "dictionary"]
    for number, given in enumerate(tree["cells"]):
        given["id"] = [None, 3, "two words", "same", "x" * 100][number % 5]
        given["metadata"]["tags"] = [None, "a,b", {"display-only": True}, "", 3]
        given["attachments"] = {"x": 3}
        if given["cell_type"] == "code":
            given["execution_count"] = -(10**18)
            given["outputs"] = [{"output_type": "pyout"}, 7, {"output_type": "stream"}, None]


def tags_not_a_list(tree):
    for given in tree["cells"]:
        given["metadata"]["tags"] = "display-only"


def source_lists(tree):
    for given in tree["cells"]:
        given["source"] = given["source"].splitlines(keepends=True)


def odd_cells(tree):
    tree["cells"][1:1] = [None, 3, "text", [], {"cell_type": "code", "source": {"x": 1}}, {"cell_type": "code"}]


def without_cell_metadata(tree):
    for given in tree["cells"]:
        del given["metadata"]


def without_types(tree):
    for given in tree["cells"]:
        del given["cell_type"]


def odd_characters(tree):
    tree["cells"][0]["source"] = "# Toys \ud800 and \0 more"
    cell(tree, "shift")["source"] += "  # \udfff\0"


def duplicate_keys(tree):
    return as_bytes(tree).replace(b'"nbformat": 4', b'"nbformat": 3, "nbformat": 4')


def many_cells(tree):
    tree["cells"][1:1] = [code(f"x{n} = {n}") for n in range(1000)]


def too_many_cells(tree):
    tree["cells"] += [code("")] * MAX_CELLS


def long_cell(tree):
    tree["cells"].append(code("x = 1\n" * 400_000))


def renamed(name):
    return lambda tree: {name: as_bytes(tree)}


def two_names(tree):
    """The notebook is broken, but the copy beside it is not."""
    return {"toy.ipynb": b"", "toy-Copy1.ipynb": as_bytes(tree)}


def released_beside_own(tree):
    """Under the right name, what is there counts."""
    untouched = copy.deepcopy(tree)
    for name, stub in STUBS.items():
        cell(untouched, name)["source"] = stub
    return {"toy.ipynb": as_bytes(untouched), "solved.ipynb": as_bytes(tree)}


def nothing(tree):
    """No damage."""


def jupyterlabs_own_changes(tree):
    tree["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    tree["metadata"]["kernelspec"]["display_name"] = "My Python"
    for number, given in enumerate(tree["cells"]):
        given["metadata"] |= {"collapsed": True, "editable": True, "slideshow": {"slide_type": ""}, "trusted": True}
        if given["cell_type"] == "code":
            given["execution_count"] = 100 - number
            given["outputs"] = [{"output_type": "error", "ename": "E", "evalue": "v", "traceback": []}]
        given["source"] += "\n"


def own_cells(tree):
    put_after(tree, "shift", code("shift(1, 2)"), code("%time shift(1, 2)"), code("def mine(): pass"))
    put_after(tree, "why", {"cell_type": "markdown", "source": "My notes", "metadata": {}})


LOCKED = "Locked cells had been changed and were put back: {}."
MISSING = "Graded cells were missing and were put back: {}."
DOUBLE = "Cells were there more than once, of which one counts: {}."
COPIES = "Untouched copies of cells were left out: {}."
JOINED = "Cells that had been split were joined: {}."
TYPES = "Cells had changed their type and were read as what they were: {}."
FLAGS = "Points or flags of cells had been changed and were put back: {}."
MOVED = "Checks stood above what they check and were moved below it: {}."
FOUND = "Cells without their id were found by what they hold: {}."
STRANGERS = "Cells that do not belong to the assignment claimed to be graded and do not count: {}."
HIDDEN = "Cells were marked as display-only and were run all the same: {}."
CONFLICTS = "Cells held an unresolved merge conflict, of which the first version was taken: {}."
BY_PLACE = "Answers without their id were found by their place: why."
COLAB = FOUND.format("shift, check_shift, twice, check_twice and 2 more")

TABLE = [
    # harmless: no problem
    (nothing, FULL, []),
    (jupyterlabs_own_changes, FULL, []),
    (own_cells, FULL, []),
    (colab_with_metadata, FULL, []),
    (without_metadata, FULL, []),
    (format_without_ids, FULL, []),
    (future_minor, FULL, []),
    (line_ends("\r\n"), FULL, []),
    (line_ends("\r"), FULL, []),
    (encoded("utf-8-sig"), FULL, []),
    (source_lists, FULL, []),
    (odd_numbers, FULL, []),
    (odd_values, FULL, []),
    (tags_not_a_list, FULL, []),
    (duplicate_keys, FULL, []),
    (odd_characters, FULL, []),
    (many_cells, FULL, []),
    (split_helper, FULL, []),
    (use_below, FULL, []),
    (attempt_below_check, FULL, []),
    (metadata("shift", tags=["display-only"] * 3, extra={"deep": [[[]]]}), FULL, [HIDDEN.format("shift")]),
    (metadata("check_shift", tags=["display-only"]), FULL, []),
    # cells
    (colab, FULL, [BY_PLACE, COLAB]),
    (without_cell_metadata, FULL, [BY_PLACE, COLAB]),
    (duplicated, FULL, [DOUBLE.format("shift")]),
    (stub_copy_below, FULL, [DOUBLE.format("shift"), COPIES.format("shift")]),
    (stub_copy_above, FULL, [DOUBLE.format("shift")]),
    (stub_copy_without_id, FULL, [COPIES.format("shift")]),
    (scratch_copy_below, FULL, [DOUBLE.format("shift")]),
    (doubled_answer, FULL, [DOUBLE.format("why")]),
    (split_by_jupyterlab, FULL, [JOINED.format("shift")]),
    (split_without_metadata, FULL, [JOINED.format("shift")]),
    (retyped("shift", "markdown"), FULL, [TYPES.format("shift")]),
    (retyped("shift", "raw"), FULL, [TYPES.format("shift")]),
    (retyped("shift", "something"), FULL, [TYPES.format("shift")]),
    (retyped("why", "code"), FULL, [TYPES.format("why")]),
    (retyped("check_shift", "markdown"), FULL, [LOCKED.format("check_shift")]),
    (retyped_and_rewritten, FULL, []),
    (reordered, FULL, [MOVED.format("check_shift")]),
    (upside_down, FULL, [MOVED.format("check_shift, check_twice")]),
    (written_below_check, FULL, [MOVED.format("check_shift")]),
    (deleted("shift"), ONLY_TWICE, []),
    (deleted("check_shift"), FULL, [MISSING.format("check_shift")]),
    (deleted("check_shift", "why", "plain", "draw"), FULL, [MISSING.format("check_shift, why, plain, draw")]),
    (edited("check_shift", "check = lambda f: 6.0\ncheck(shift)"), FULL, [LOCKED.format("check_shift")]),
    (edited("check_shift", ""), FULL, [LOCKED.format("check_shift")]),
    (edited("draw", "Draw nothing."), FULL, [LOCKED.format("draw")]),
    (swapped_ids, FULL, []),
    (solution_claims_check, FULL, [FOUND.format("shift"), DOUBLE.format("check_shift")]),
    (solution_in_check, FULL, [LOCKED.format("check_shift")]),
    (without_types, FULL, []),
    (odd_cells, FULL, ["toy.ipynb has 6 cells that cannot be read and were left out."]),
    (conflict_in_cell, FULL, [CONFLICTS.format("shift")]),
    # nbgrader's metadata
    (flags("check_shift", points=1000), FULL, [LOCKED.format("check_shift")]),
    (flags("check_shift", "plain", grade=False, locked=False), FULL, [LOCKED.format("check_shift, plain")]),
    (flags("check_shift", points="many"), FULL, [LOCKED.format("check_shift")]),
    (flags("check_shift", points=-6), FULL, [LOCKED.format("check_shift")]),
    (flags("check_shift", points=float("nan")), FULL, [LOCKED.format("check_shift")]),
    (flags("check_shift", points=[6]), FULL, [LOCKED.format("check_shift")]),
    (flags("why", points=100), FULL, [FLAGS.format("why")]),
    (flags("shift", grade=True, points=50), FULL, [FLAGS.format("shift")]),
    (flags("shift", "why", schema_version=99), FULL, []),
    (flags("shift", schema_version={"x": 1}), FULL, []),
    (flags("shift", grade_id=7), FULL, [FOUND.format("shift")]),
    (flags("shift", grade_id="check_twice"), FULL, [FOUND.format("shift"), DOUBLE.format("check_twice")]),
    (metadata("shift", nbgrader="yes"), FULL, [FOUND.format("shift")]),
    (metadata("check_shift", nbgrader=[1, 2]), FULL, [FOUND.format("check_shift")]),
    (own_points, FULL, [STRANGERS.format("bonus")]),
    (other_assignments_id, FULL, [FOUND.format("plain")]),
    # the file
    (old_format, FULL, ["toy.ipynb is in an old notebook format and was converted."]),
    (
        future_format,
        FULL,
        ["toy.ipynb says it is in a notebook format newer than this grader knows, and was read as format 4."],
    ),
    (encoded("utf-16"), FULL, ["toy.ipynb is in UTF-16 instead of UTF-8."]),
    (encoded("utf-32-be"), FULL, ["toy.ipynb is in UTF-32 instead of UTF-8."]),
    (odd_byte, FULL, ["toy.ipynb holds bytes that are not text, which were replaced."]),
    (conflict_in_file, FULL, ["toy.ipynb holds an unresolved merge conflict; its first version was taken."]),
    (conflict_that_breaks_json, FULL, ["toy.ipynb is damaged; the 10 cells that are whole were read."]),
    (trailing_garbage, FULL, ["toy.ipynb has text after its end, which was left out."]),
    (
        truncated_after("plain"),
        FULL,
        ["toy.ipynb is damaged; the 9 cells that are whole were read.", MISSING.format("draw")],
    ),
    (broken_quote, FULL, ["toy.ipynb is damaged; the 10 cells that are whole were read."]),
    (deep, FULL, ["toy.ipynb is damaged; the 10 cells that are whole were read."]),
    (too_many_cells, FULL, [f"toy.ipynb has {11 + MAX_CELLS} cells, of which the first {MAX_CELLS} were read."]),
    (long_cell, FULL, ["toy.ipynb has more text than a notebook may have; 1 cell was left out."]),
    *[
        (renamed(name), FULL, [f"{name} should be called toy.ipynb; it was graded as that."])
        for name in (
            "homework 1.ipynb", "Toy.ipynb", "toy.IPYNB", "toy.ipynb.txt", "toy (1).ipynb", "toy.json", "toy",
            "99_toy/toy.ipynb", "toy.ipynb/toy.ipynb", "Kopie von toy.ipynb",
        )
    ],
    (two_names, FULL, ["toy.ipynb is empty; toy-Copy1.ipynb was graded in its place."]),
    (released_beside_own, NOTHING, ["solved.ipynb does not belong to 99_toy and was left out."]),
]  # fmt: skip


def submission(plan, damage) -> dict[str, bytes]:
    tree = solved(plan)
    made = damage(tree) or tree
    if isinstance(made, bytes):
        return {"toy.ipynb": made}
    return {"toy.ipynb": as_bytes(made)} if {"cells", "worksheets"} & made.keys() else made


@pytest.mark.parametrize(
    ("damage", "points", "problems"), [pytest.param(*row, id=f"{n}-{row[0].__name__}") for n, row in enumerate(TABLE)]
)
def test_damage(plan, damage, points, problems):
    notebook, said = repaired(plan, submission(plan, damage))
    assert (earned(notebook), said) == (points, problems)


# -- what else must come through -----------------------------------------------------------------


def answer(notebook) -> str:
    return next(c.source for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "why")


@pytest.mark.parametrize(
    "damage", [nothing, colab, colab_with_metadata, doubled_answer, upside_down, old_format, retyped("why", "raw")]
)
def test_the_written_answer_is_found(plan, damage):
    assert answer(repaired(plan, submission(plan, damage))[0]).strip() == ANSWER


def test_an_answer_that_is_not_found_waits_for_a_human(plan):
    """Two texts stand where the answer was: nothing says which is the answer, so nobody is given zero for none."""

    def damage(tree):
        put_after(tree, "why", {"cell_type": "markdown", "source": "And more.", "metadata": {}})
        return colab(tree)

    written = answer(repaired(plan, submission(plan, damage))[0])
    assert written != "YOUR ANSWER HERE" and written.endswith(LOST_ANSWER)


def test_a_deleted_answer_was_not_written(plan):
    stub = plan.known["toy"]["why"].source
    assert answer(repaired(plan, submission(plan, deleted("why")))[0]) == stub


def test_pictures_in_an_answer_and_outputs_of_experiments_come_through(plan):
    png = {"output_type": "display_data", "data": {"image/png": ["iVBO", "Rw0K"], "text/html": "<b>"}, "metadata": {}}

    def damage(tree):
        cell(tree, "why")["attachments"] = {"a.png": {"image/png": "iVBORw0K"}, "b.svg": {"image/svg+xml": "<svg>"}}
        shown = next(c for c in tree["cells"] if "display-only" in c["metadata"].get("tags", []))
        shown["outputs"] = [png, {"output_type": "stream", "name": "stdout", "text": ["a", "b"]}, {"output_type": "x"}]
        tree["nbformat"] = "four"

    notebook, said = repaired(plan, submission(plan, damage))
    assert said == []
    shown = next(c for c in notebook.cells if "display-only" in c.metadata.get("tags", []))
    assert [o.get("data", {}).get("image/png") or o.text for o in shown.outputs] == ["iVBORw0K", "ab"]
    assert next(c for c in notebook.cells if c.source == ANSWER).attachments == {"a.png": {"image/png": "iVBORw0K"}}


def test_nothing_of_the_students_metadata_goes_further(plan):
    def damage(tree):
        tree["metadata"] = {
            "autograder": {"score": 6},
            "kernelspec": {"name": "evil", "display_name": "x"},
            "widgets": {},
        }
        for given in tree["cells"]:
            given["metadata"] |= {"autograder": {"score": 6.0}, "format": "text/html"}

    notebook, _ = repaired(plan, submission(plan, damage))
    assert notebook.metadata == {"kernelspec": plan.kernelspecs["toy"]}
    assert all(set(c.metadata) <= {"nbgrader", "tags"} for c in notebook.cells)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"{ not json", "is not a notebook: it is not JSON (line 1)"),
        (b"[1, 2, 3]", "is not a notebook: it has no cells"),
        (b'{"cells": {"a": 1}}', "is not a notebook: it has no cells"),
        (b"null", "is not a notebook: it has no cells"),
        (b"\x89PNG\xff\xfe\x00", "is not a text file"),
        (b"[" * 1_000_000, "is not a notebook: it is not JSON"),
        (b'{"cells": [' * 100_000, "is not a notebook: it is not JSON"),
        (b'{"cell_type": [' * 100_000, "is not a notebook: it is not JSON"),
        (b'{"cell_type": "' * 100_000, "is not a notebook: it is not JSON (line 1)"),
        (b"PK\x03\x04" + bytes(range(256)), "is not a text file"),
    ],
)
def test_what_cannot_be_read_earns_nothing_and_says_why(plan, data, why):
    notebook, said = repaired(plan, {"toy.ipynb": data})
    assert earned(notebook) == NOTHING
    assert said == [f"toy.ipynb {why}, so it earns nothing."]
    assert f"toy.ipynb {why}" in notebook.cells[0].source.replace("\\", "")


def test_a_missing_notebook_and_one_of_another_assignment(plan):
    assert repaired(plan, {})[1] == ["toy.ipynb is missing, so it earns nothing."]
    foreign = {"cells": [code("x = 1", nbgrader=toy.info("other", grade=True, locked=True, points=1))]}
    _, said = repaired(plan, {"toy.ipynb": as_bytes(foreign)})
    assert said == ["toy.ipynb was made for 98_other, not for 99_toy; only what it defines for 99_toy counts."]


def test_a_notebook_that_broke_off_before_the_work_is_only_said_to_be_damaged(plan):
    data = submission(plan, truncated_after("shift"))["toy.ipynb"]
    notebook, said = repaired(plan, {"toy.ipynb": data[: data.index(b"def shift")]})
    assert earned(notebook) == NOTHING
    assert said == ["toy.ipynb is damaged; the 2 cells that are whole were read."]


@pytest.mark.parametrize(
    "damage", [nothing, colab, stub_copy_below, split_without_metadata, upside_down, old_format, line_ends("\r"), deep]
)
def test_the_judge_gives_full_marks_too(plan, damage, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    toy.install(monkeypatch)
    outcome = grade(plan, "ada", submission(plan, damage))
    assert not outcome.failure, outcome.log
    assert {name: verdict["score"] for name, verdict in outcome.exercises.items()} == {"shift": 6, "twice": 2}


def test_repairing_twice_changes_nothing(plan):
    for damage, _, _ in TABLE:
        notebook, _ = repaired(plan, submission(plan, damage))
        before = nbformat.writes(notebook)
        assert repair(notebook, plan.known["toy"]) == []
        assert nbformat.writes(notebook) == before
