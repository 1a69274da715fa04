"""Mutated submissions: whatever is handed in, it is graded, with a score and a reason.

SOAK=1 tries thousands, otherwise some hundred.
"""

from __future__ import annotations

import json
import os
import random

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.worker import grade
from tests import by_hand, toy
from tests.by_hand import FULL, earned, is_whole, repaired, solved
from tests.made_up import ROOT

SOAK = os.environ.get("SOAK") == "1"
QUIET = {"suppress_health_check": list(HealthCheck), "deadline": None}

ODD_TEXT = [
    "code",
    "markdown",
    "raw",
    "display-only",
    "check(shift)",
    "check_shift",
    "shift",
    "def f(:",
    "\ud800",
    "a\0b",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
    | st.sampled_from([*ODD_TEXT, 10**30, -1e308])
    | st.from_regex(r"[<=>|]{7}( HEAD)?\n(x = 1\n)*", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["grade", "points", "source", "cell_type", "text/plain"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PLACE = st.integers(0, 10**6)
JSON_STEP = st.tuples(st.sampled_from(["delete", "junk", "double", "swap", "move", "add"]), PLACE, PLACE, JUNK)
TEXT_STEP = st.tuples(
    st.sampled_from(["cut", "flip", "insert", "delete", "double"]), PLACE, PLACE, st.binary(max_size=12)
)
ODD_NAMES = ["sub/toy.ipynb", "toy.ipynb/x", "../toy.ipynb", "a\nb", "", "numpy.py", "t.txt"]
FILE_NAME = st.sampled_from(["toy.ipynb", "toy (1).ipynb", "x.ipynb", *ODD_NAMES]) | st.text(max_size=10)


def slots(tree, found=None):
    """Every place in the JSON that holds a value: (container, key)."""
    found = [] if found is None else found
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        found.append((tree, key))
        if isinstance(tree[key], (dict, list)):
            slots(tree[key], found)
    return found


def mutate_json(tree, steps):
    """Apply each step to a place that its numbers choose."""
    for what, first, second, junk in steps:
        places = slots(tree)
        if not places:
            return
        (container, key), (other, at) = places[first % len(places)], places[second % len(places)]
        if what == "delete":
            del container[key]
        elif what == "junk":
            container[key] = junk
        elif what == "double" and isinstance(container, list):
            container.insert(second % (len(container) + 1), json.loads(json.dumps(container[key])))
        elif what == "swap" and not _inside(container[key], other) and not _inside(other[at], container):
            container[key], other[at] = other[at], container[key]
        elif what == "move" and isinstance(container, list):
            container.insert(second % len(container), container.pop(key))
        elif what == "add" and isinstance(container, dict):
            container[str(junk)[:20]] = junk


def _inside(tree, container) -> bool:
    """Whether a container is (in) the tree, so that a swap would make it hold itself."""
    values = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return tree is container or any(_inside(value, container) for value in values)


def mutate_text(data: bytes, steps) -> bytes:
    for what, first, second, extra in steps:
        at, to = sorted((first % (len(data) + 1), second % (len(data) + 1)))
        to = min(to, at + 200)
        if what == "cut":
            data = data[: len(data) - first % 500]
        elif what == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << second % 8)]) + data[at + 1 :]
        elif what == "insert":
            data = data[:at] + extra + data[at:]
        elif what == "delete":
            data = data[:at] + data[to:]
        elif what == "double":
            data = data[:to] + data[at:to] + data[to:]
    return data


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return by_hand.toy_plan(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def course_plan():
    """The plan of 01_backprop, from what is in the repository: the release stands for its source."""
    released = nbformat.read(ROOT / "notebooks" / "01_backprop" / "backprop.ipynb", as_version=4)
    return by_hand.make_plan(released, "backprop", "01_backprop", {})


@pytest.fixture(scope="module")
def homework() -> bytes:
    return (ROOT / "sample_class" / "submitted" / "ada-first-style" / "01_backprop" / "backprop.ipynb").read_bytes()


# -- intake and repair never fail -------------------------------------------------------------------


@settings(max_examples=4000 if SOAK else 150, **QUIET)
@given(steps=st.lists(JSON_STEP, min_size=1, max_size=6))
def test_any_json_becomes_a_whole_notebook(plan, steps):
    tree = solved(plan)
    mutate_json(tree, steps)
    repaired(plan, {"toy.ipynb": json.dumps(tree).encode()})


@settings(max_examples=4000 if SOAK else 150, **QUIET)
@given(steps=st.lists(TEXT_STEP, min_size=1, max_size=4), ascii_only=st.booleans())
def test_any_text_becomes_a_whole_notebook(plan, steps, ascii_only):
    data = json.dumps(solved(plan), indent=1, ensure_ascii=ascii_only).encode()
    repaired(plan, {"toy.ipynb": mutate_text(data, steps)})


@settings(max_examples=500 if SOAK else 15, **QUIET)
@given(json_steps=st.lists(JSON_STEP, max_size=8), text_steps=st.lists(TEXT_STEP, max_size=2))
def test_a_notebook_of_the_course_too(course_plan, homework, json_steps, text_steps):
    tree = json.loads(homework)
    mutate_json(tree, json_steps)
    repaired(course_plan, {"backprop.ipynb": mutate_text(json.dumps(tree).encode(), text_steps)})


@settings(max_examples=2000 if SOAK else 60, **QUIET)
@given(files=st.dictionaries(FILE_NAME, st.binary(max_size=30) | st.just(b"notebook"), max_size=6))
def test_any_files_become_a_submission(plan, files):
    whole = json.dumps(solved(plan)).encode()
    repaired(plan, {name: whole if data == b"notebook" else data for name, data in files.items()})


# -- harmless damage costs nothing ------------------------------------------------------------------


def other_outputs(tree, chance):
    for cell in tree["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = chance.choice([[], [{"output_type": "stream"}], [7], None, "text", {"x": 1}])
            cell["execution_count"] = chance.choice([None, -1, 10**30, "one", 1.5, [1]])


def other_ids(tree, chance):
    for cell in tree["cells"]:
        cell["id"] = chance.choice(["same", "", None, 3, "ä", f"cell{chance.random()}"])


def without_nbgrader(tree, chance):
    for cell in tree["cells"]:
        if chance.random() < 0.5:
            cell["metadata"].pop("nbgrader", None)


def other_flags(tree, chance):
    for cell in tree["cells"]:
        if "nbgrader" in cell["metadata"]:
            flag = chance.choice(
                ["grade", "solution", "locked", "task", "points", "schema_version", "checksum", "cell_type"]
            )
            cell["metadata"]["nbgrader"][flag] = chance.choice([True, False, None, 1000, -1, "x", [1], {}])


def other_metadata(tree, chance):
    tree["metadata"] = chance.choice(
        [{}, [], None, {"kernelspec": 3}, {"kernelspec": {"name": 1}}, {"x": float("nan")}]
    )
    for cell in tree["cells"]:
        cell["metadata"]["colab"] = {"base_uri": "x"}
        cell["metadata"]["scrolled"] = chance.choice([True, "yes", [[]]])


def other_texts(tree, chance):
    """Markdown in any order, more of it, and with pictures."""
    texts = [c for c in tree["cells"] if c["cell_type"] == "markdown" and "nbgrader" not in c["metadata"]]
    rest = [c for c in tree["cells"] if not any(c is text for text in texts)]
    for text in [*texts, {"cell_type": "markdown", "source": "<<<<<<< me", "metadata": {}}]:
        rest.insert(chance.randrange(len(rest) + 1), text)
    tree["cells"] = rest


def own_cells(tree, chance):
    for source in ("mine = 1", "%time 1", "1 / 0", "def (", "    x = 1", "# check(shift)", "", "check(shift)"):
        at = chance.randrange(len(tree["cells"]) + 1)
        tree["cells"].insert(at, {"cell_type": "code", "source": source, "metadata": {}})


def checks_edited(tree, chance):
    for cell in list(tree["cells"]):
        if "check_" in str(cell["metadata"].get("nbgrader")):
            what = chance.choice(["delete", "edit", "type", "double", "leave"])
            if what == "delete":
                tree["cells"].remove(cell)
            elif what == "edit":
                cell["source"] = chance.choice(["6.0", "", "def (", "check()", ["check(", "shift)"], 7])
            elif what == "type":
                cell["cell_type"] = chance.choice(["markdown", "raw", "heading", 3])
            elif what == "double":
                tree["cells"].insert(chance.randrange(len(tree["cells"])), json.loads(json.dumps(cell)))


def solutions_doubled(tree, chance):
    for cell in list(tree["cells"]):
        name = (cell["metadata"].get("nbgrader") or {}).get("grade_id")
        if name in by_hand.STUBS:
            copy = json.loads(json.dumps(cell))
            copy["source"] = chance.choice([cell["source"], by_hand.STUBS[name]])
            tree["cells"].insert(tree["cells"].index(cell) + chance.choice([0, 1]), copy)


def solutions_marked(tree, chance):
    for cell in tree["cells"]:
        if (cell["metadata"].get("nbgrader") or {}).get("grade_id") in by_hand.STUBS:
            cell["metadata"]["tags"] = chance.choice([["display-only"], "display-only", [["display-only"]], [None]])


def other_format(tree, chance):
    tree["nbformat"] = chance.choice([4, 5, "4", None, 10**30])
    tree["nbformat_minor"] = chance.choice([0, 2, 9, "x", None])


HARMLESS = [
    other_outputs, other_ids, without_nbgrader, other_flags, other_metadata, other_texts, own_cells, checks_edited,
    solutions_doubled, solutions_marked, other_format,
]  # fmt: skip
WRITTEN = {
    "ascii": lambda text: text.encode(),
    "windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "old mac": lambda text: text.replace("\\n", "\\r").replace("\n", "\r").encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "garbage": lambda text: text.encode() + b"\n}",
}


def damaged(tree, damages, seed, written) -> bytes:
    chance = random.Random(seed)
    for damage in damages:
        damage(tree, chance)
    return WRITTEN[written](json.dumps(tree, indent=1))


DAMAGE = {
    "damages": st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=5, unique=True),
    "seed": st.integers(0, 10**6),
    "written": st.sampled_from(sorted(WRITTEN)),
}


@settings(max_examples=4000 if SOAK else 150, **QUIET)
@given(**DAMAGE)
def test_damage_around_the_work_costs_nothing(plan, damages, seed, written):
    notebook, _ = repaired(plan, {"toy.ipynb": damaged(solved(plan), damages, seed, written)})
    assert earned(notebook) == FULL


# -- the entire grading -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bank():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        toy.install(patch)
        yield


def score(plan, data: bytes) -> float:
    """The score of a submission; that it is one, with a reason for what is missing, is checked."""
    outcome = grade(plan, "ada", {"toy.ipynb": data})
    assert not outcome.failure, outcome.log
    assert outcome.exercises.keys() == {"shift", "twice"}
    for verdict in outcome.exercises.values():
        assert 0 <= verdict["score"] <= verdict["max_score"] and (verdict["passed"] or verdict["message"])
    notebook = nbformat.reads(outcome.notebooks["toy"].decode(), as_version=4)
    assert is_whole(notebook, plan.known["toy"])
    return sum(verdict["score"] for verdict in outcome.exercises.values())


@settings(max_examples=300 if SOAK else 8, **QUIET)
@given(json_steps=st.lists(JSON_STEP, max_size=5), text_steps=st.lists(TEXT_STEP, max_size=1))
def test_there_is_always_a_score_and_a_reason(bank, plan, json_steps, text_steps):
    tree = solved(plan)
    mutate_json(tree, json_steps)
    assert 0 <= score(plan, mutate_text(json.dumps(tree).encode(), text_steps)) <= 8


@settings(max_examples=200 if SOAK else 6, **QUIET)
@given(**DAMAGE)
def test_damage_around_the_work_keeps_the_score(bank, plan, damages, seed, written):
    assert score(plan, damaged(solved(plan), damages, seed, written)) == 8
