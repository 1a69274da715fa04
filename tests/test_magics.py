"""What of a cell is Python: magics, shell and help lines are not, a modulo at the beginning of a line is."""

from __future__ import annotations

import ast

import pytest

from course_utils.magics import without_magics


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls\ny = 2", "if x:\n    pass\ny = 2"),
        ("!pip install \\\n  numpy\nx = 1", "pass\n\nx = 1"),
        ("files = !ls\nx = 1", "files = None\nx = 1"),
        ("t = %timeit -o f()", "t = None"),
        ("?np.dot\nnp.dot??", "pass\npass"),
        ("# it's (\n%time x", "# it's (\npass"),
        ('!echo "it\'s ("\ny = (1\n % 2)', "pass\ny = (1\n % 2)"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ("%%html\n<b>bold</b>", ""),
        ("    def f():\n        return 1", "def f():\n    return 1"),
        ("\n\n    x = 1\n    y = 2", "\n\nx = 1\ny = 2"),
    ],
)
def test_what_is_not_python_is_replaced(source, python):
    assert without_magics(source) == python
    ast.parse(without_magics(source))


@pytest.mark.parametrize(
    "source",
    [
        "x = (10\n     % 3)",
        "x = 10 \\\n    % 3",
        "text = '''\n%d items\n!\n''' % 3",
        'text = """it\'s\n%d""" % 3',
        "text = ('%s'\n        % 3)",
        "x %= 3\ny != 3\nx == 1 != 2",
        "assert x, 'what?'\nf'{x!r}'",
        "d = {'a': 5\n  % 2}",
    ],
)
def test_python_stays(source):
    ast.parse(source)
    assert without_magics(source) == source


@pytest.mark.parametrize(
    "source",
    [
        "x = (10\n  % 3)",
        "x = 10 \\\n % 3",
        "%time x = 1",
        "if True:\n    %time x = 1",
        "files = !ls",
        "x = 1\nx?",
        "'''\n%time\n'''",
        "# it's\n!ls",
    ],
)
def test_ipython_finds_magics_where_we_do(source):
    transformer = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager()
    assert ("get_ipython" in transformer.transform_cell(source)) == (without_magics(source) != source)
