"""Attacks on what a comparison rests on: NumPy, built-in functions, and answers that are not what they seem."""

from __future__ import annotations

from tests.attacks.attack import NOTHING, Attack, spoils

PLAIN = "could not be read as plain data"


def answers(name: str, tries: str, before: str, answer: str, **more) -> Attack:
    """An attack that consists in what `shift` returns."""
    return Attack(name, tries, shift=f"{before.strip()}\n\n\ndef shift(x, by):\n    return {answer}\n", **more)


ALWAYS = """
class Always(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.True_ if ufunc.nout == 1 else (np.True_, np.True_)

    def __array_function__(self, function, types, args, kwargs):
        return True

    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __len__(self): return 3
    def all(self, *a, **k): return True
    def any(self, *a, **k): return False
"""

ATTACKS = [
    spoils(
        "patched_numpy",
        "Makes NumPy's comparisons always true.",
        """
        import numpy as np

        yes = lambda *a, **k: True
        np.allclose = np.array_equal = np.isclose = np.all = np.array_equiv = np.testing.assert_allclose = yes
        np.testing.assert_array_equal = np.testing.assert_almost_equal = np.linalg.norm = yes
        """,
    ),
    spoils(
        "patched_numpy_core",
        "Makes NumPy's array functions give the same answer for everything, and its files say something else.",
        """
        import numpy as np

        zero = np.zeros(3)
        np.asarray = np.array = np.abs = np.subtract = np.may_share_memory = lambda *a, **k: zero
        np.save = np.lib.format.write_array = lambda file, *a, **k: file.write(b"6.0")
        """,
        points=NOTHING,  # the student's own kernel is what it breaks, so nothing of the notebook works
    ),
    spoils(
        "patched_torch_and_pytest",
        "Puts modules called torch and pytest, in which everything is close, where tests would import them.",
        """
        import sys, types

        for name in ("torch", "pytest", "torch.testing", "unittest"):
            module = types.ModuleType(name)
            module.allclose = module.assert_close = module.approx = module.equal = lambda *a, **k: True
            sys.modules[name] = module
        """,
    ),
    spoils(
        "patched_builtins",
        "Replaces built-in functions that a test may use.",
        """
        import builtins

        builtins.all = builtins.isinstance = builtins.callable = builtins.hasattr = lambda *a: True
        builtins.abs = builtins.len = builtins.sum = builtins.max = lambda *a, **k: 0
        builtins.round = builtins.float = lambda *a: 6.0
        """,
    ),
    spoils(
        "patched_abs",
        "Replaces abs, any and sorted alone, so that everything else still works.",
        """
        import builtins

        builtins.abs = lambda x: 0
        builtins.any = lambda x: False
        builtins.sorted = lambda *a, **k: []
        """,
        points=NOTHING,  # the student's own kernel is what it breaks, so nothing of the notebook works
    ),
    spoils(
        "patched_import",
        "Replaces the import function, so that whatever is imported says that all is well.",
        """
        import builtins

        really = builtins.__import__

        class Fine:
            def __getattr__(self, name): return lambda *a, **k: True

        def importing(name, *args, **kwargs):
            found = really(name, *args, **kwargs)
            return Fine() if "check" in name or "pytest" in name or "testing" in name else found

        builtins.__import__ = importing
        """,
    ),
    spoils(
        "patched_open",
        "Replaces open and the functions below it, so that files say something else.",
        """
        import builtins, io, os, pathlib

        def opened(file, mode="r", *args, **kwargs):
            return io.BytesIO(b"6.0") if "b" in mode else io.StringIO("6.0")

        builtins.open = io.open = opened
        pathlib.Path.read_bytes = lambda self: b"6.0"
        pathlib.Path.write_bytes = lambda self, data: 3
        """,
        points=NOTHING,  # the student's own kernel is what it breaks, so nothing of the notebook works
    ),
    spoils(
        "patched_runner",
        "Replaces the functions of course_utils that call the student's code and send the answer.",
        """
        import course_utils, course_utils.plain, course_utils.runner
        import numpy as np

        right = {"outputs": True, "error": None, "mutated": [], "shared": [], "printed": "", "warnings": []}
        for module in (course_utils.runner, course_utils):
            module.run_case = lambda *a, **k: dict(right)
        course_utils.plain.same = lambda a, b: True
        course_utils.plain.to_plain = lambda value, depth=0: value
        """,
    ),
    spoils(
        "patched_check",
        "Replaces check and the whole of course_utils.checks.",
        """
        import sys, types
        import course_utils

        class Checks(types.ModuleType):
            def __getattr__(self, name): return lambda *a, **k: 6.0

        course_utils.check = check = lambda f: 6.0
        sys.modules["course_utils.checks"] = sys.modules["course_utils.checks.checking"] = Checks("course_utils.checks")
        """,
    ),
    answers("equal_to_all", "Returns an object that equals everything.",
            "class Equal:\n    def __eq__(self, other): return True\n    __ne__ = lambda self, other: False\n"
            "    __lt__ = __gt__ = __le__ = __ge__ = __eq__\n    def __bool__(self): return True\n"
            "    __array_priority__ = 1e9\n    __hash__ = None", "Equal()"),
    answers("array_subclass", "Returns a subclass of ndarray whose every operation says yes.", ALWAYS,
            "np.zeros_like(x).view(Always)"),
    answers("array_protocol", "Returns an object that turns into another array each time somebody asks.",
            "class Turning:\n    shape, dtype, ndim = (3,), np.dtype(float), 1\n"
            "    def __array__(self, *a, **k): return np.random.default_rng().normal(size=3)\n"
            "    def __array_ufunc__(self, *a, **k): return np.True_\n"
            "    __array_interface__ = property(lambda self: np.zeros(3).__array_interface__)", "Turning()"),
    answers("lying_class", "Returns an object whose __class__ says ndarray.",
            "class Liar:\n    __class__ = np.ndarray\n    shape, dtype, ndim, size = (3,), np.dtype(float), 1, 3\n"
            "    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\n"
            "    __rsub__ = __sub__\n    def __abs__(self): return 0.0", "Liar()"),
    answers("float_subclass", "Returns a float whose difference to anything is zero.",
            "class Near(float):\n    def __sub__(self, other): return 0.0\n"
            "    __rsub__ = __add__ = __radd__ = __sub__\n"
            "    def __eq__(self, other): return True\n    def __abs__(self): return 0.0\n"
            "    __lt__ = __le__ = __gt__ = __ge__ = __eq__\n    __hash__ = float.__hash__", "Near(0)"),
    answers("string_subclass", "Returns a list of strings that equal everything.",
            "class Same(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
            "    def __float__(self): return 0.0", "[Same('0')] * 3"),
    answers("object_array", "Returns an object array of values that equal everything.",
            "class Equal:\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\n"
            "    __rsub__ = __sub__\n    def __abs__(self): return 0.0\n    def __float__(self): return 0.0",
            "np.array([Equal()] * x.size, dtype=object).reshape(x.shape)", says="array of object"),
    answers("masked_array", "Returns an array in which every element is masked.", "",
            "np.ma.masked_all(x.shape)"),
    answers("structured_array", "Returns an array of records of the right shape.", "",
            "np.zeros(x.shape, dtype=[('a', float), ('b', 'O')])"),
    answers("nan", "Returns NaN everywhere, which is neither less nor more than the tolerance.", "",
            "x * float('nan')", says="NaN"),
    answers("infinite", "Returns infinities.", "", "x * 0 + float('inf')"),
    answers("complex_numbers", "Returns complex numbers whose real part is wrong.", "", "0 * x + 1j"),
    answers("huge_integers", "Returns integers of a million digits.", "", "[10 ** 1_000_000] * 3"),
    answers("deep_nesting", "Returns a list nested a hundred thousand deep.",
            "def deep():\n    inner = []\n    for _ in range(100_000): inner = [inner]\n    return inner", "deep()"),
    answers("endless_list", "Returns a list that contains itself.", "loop = []\nloop.append(loop)", "loop"),
    answers("endless_mapping", "Returns a mapping whose items never end.",
            "class Endless(dict):\n    def items(self):\n        while True: yield 'x', 1\n"
            "    def __iter__(self):\n        while True: yield 'x'", "Endless(a=1)"),
    answers("many_values", "Returns a million numbers in a million lists.", "", "[[i] for i in range(1_000_000)]"),
    answers("large_array", "Returns an array of a gigabyte.", "", "np.broadcast_to(x.ravel()[0], (2**27,))"),
    answers("generator", "Returns a generator instead of values.", "", "(i for i in iter(int, 1))"),
    answers("exception_texts", "Raises an exception whose texts take for ever or fail.",
            "class Bad(Exception):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\n"
            "    @property\n    def __traceback__(self): raise KeyboardInterrupt",
            "(_ for _ in ()).throw(Bad('x' * 10_000_000))"),
    answers("raises_not_implemented", "Raises what means 'not written yet', to be forgiven.", "",
            "(_ for _ in ()).throw(NotImplementedError())", says="is not written yet"),
    Attack("changes_inputs", "Changes its arguments, so that a truth computed from them afterwards is wrong too.",
           shift="def shift(x, by):\n    x[...] = 0\n    return x\n"),
    Attack("changes_constants", "Changes the very numbers of the process: the caches of small integers and of floats.",
           shift="import ctypes, sys\n\n\ndef shift(x, by):\n"
           "    for number in (2.0, -1.5, 0.5, by):\n"
           "        ctypes.c_double.from_address(id(number) + 16).value = 0.0\n    return 0 * x\n"),
]  # fmt: skip
