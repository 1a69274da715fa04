"""Attacks through IPython: its transformers, hooks, displays and the kernel object itself."""

from __future__ import annotations

from tests.attacks.attack import spoils

HIDE = """
def hidden(*args, **kwargs):
    pass

shell = get_ipython()
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = hidden
"""

ATTACKS = [
    spoils(
        "input_transformer",
        "Rewrites the text of later cells, so that a test becomes a number.",
        """
        def rewrite(lines):
            text = "".join(lines)
            return ["6.0\\n"] if "shift" in text or "assert" in text else lines

        get_ipython().input_transformers_cleanup.append(rewrite)
        get_ipython().input_transformers_post.append(rewrite)
        """,
    ),
    spoils(
        "ast_transformer",
        "Takes the assertions out of later cells' syntax trees and makes every comparison true.",
        """
        import ast

        class Soften(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.copy_location(ast.Pass(), node)

            def visit_Compare(self, node):
                return ast.copy_location(ast.Constant(True), node)

        get_ipython().ast_transformers.append(Soften())
        """,
    ),
    spoils("showtraceback", "Replaces what shows a traceback, so that no failure is seen.", HIDE),
    spoils(
        "set_custom_exc",
        "Registers a handler that swallows every exception of a cell.",
        """
        get_ipython().set_custom_exc((BaseException,), lambda shell, kind, value, tb, tb_offset=None: None)
        """,
    ),
    spoils(
        "cell_events",
        "Hooks itself before and after each cell and repairs what the next cell will look at.",
        """
        import builtins

        class Right:
            def __eq__(self, other): return True
            def __bool__(self): return True

        def prepare(*args):
            shell.user_ns["shift"] = lambda *a: Right()
            builtins.AssertionError = type("Fine", (Warning,), {})

        shell = get_ipython()
        for event in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
            shell.events.register(event, prepare)
        """,
    ),
    spoils(
        "display_hook",
        "Makes every displayed result full points.",
        """
        import sys

        class Six(float):
            def __repr__(self): return "6.0"

        shell = get_ipython()
        shell.display_formatter.format = lambda *a, **k: ({"text/plain": "6.0"}, {})
        shell.displayhook.compute_format_data = lambda result: ({"text/plain": "6.0"}, {})
        sys.displayhook.compute_format_data = shell.displayhook.compute_format_data
        """
        + HIDE.replace("\n", "\n        "),
    ),
    spoils(
        "display_publisher",
        "Replaces the publisher of outputs: errors become full points.",
        """
        shell = get_ipython()
        publisher = shell.display_pub
        publisher.publish = lambda data, *a, **k: type(publisher).publish(publisher, {"text/plain": "6.0"})
        publisher.clear_output = lambda *a, **k: None
        """,
    ),
    spoils(
        "do_execute",
        "Replaces the kernel's execution: code that may be a test is answered with a made-up success.",
        """
        kernel = get_ipython().kernel
        execute = kernel.do_execute

        async def do_execute(code, *args, **kwargs):
            if "shift" in code or "assert" in code:
                return {"status": "ok", "execution_count": 99, "payload": [], "user_expressions": {}}
            return await execute(code, *args, **kwargs)

        kernel.do_execute = do_execute
        """,
    ),
    spoils(
        "run_cell",
        "Replaces the shell's own running and compiling of cells.",
        """
        shell = get_ipython()
        run_cell, run_cell_async = shell.run_cell, shell.run_cell_async

        def changed(code):
            return "6.0" if "shift" in code or "assert" in code else code

        shell.run_cell = lambda raw, *a, **k: run_cell(changed(raw), *a, **k)
        shell.run_cell_async = lambda raw, *a, **k: run_cell_async(changed(raw), *a, **k)
        """,
    ),
    spoils(
        "lying_namespace",
        "Puts a dictionary that lies in the place of the notebook's names.",
        """
        class Names(dict):
            def __contains__(self, name): return True

            def __getitem__(self, name):
                return (lambda *a: 6.0) if name == "check" else dict.__getitem__(self, name)

            def get(self, name, default=None):
                return self[name]

        shell = get_ipython()
        shell.user_ns = Names(shell.user_ns)
        shell.user_module.__dict__.update(check=lambda *a: 6.0)
        """,
    ),
    spoils(
        "magics",
        "Registers magics and aliases in the place of names that a test uses.",
        """
        from IPython.core.magic import register_line_cell_magic

        @register_line_cell_magic
        def check(line, cell=None):
            return 6.0

        shell = get_ipython()
        shell.run_line_magic("automagic", "on")
        shell.prefilter_manager.register_transformer = None
        check = lambda *a: 6.0
        """,
    ),
    spoils(
        "compiler",
        "Makes Python compile tests without assertions, as under -O.",
        """
        import builtins

        compiled = builtins.compile

        def compile_optimised(source, filename, mode, *args, **kwargs):
            kwargs["optimize"] = 2
            return compiled(source, filename, mode, *args[:2], **kwargs)

        builtins.compile = compile_optimised
        shell = get_ipython()
        shell.compile.__class__.__call__ = lambda self, source, name, symbol: compile_optimised(source, name, symbol)
        """,
    ),
    spoils(
        "assertion_error",
        "Redefines AssertionError, so that a failed assertion is something else.",
        """
        import builtins

        class Harmless(Exception):
            def _render_traceback_(self): return []

        builtins.AssertionError = Harmless
        AssertionError = Harmless
        """
        + HIDE.replace("\n", "\n        "),
    ),
    spoils(
        "two_kernels",
        "Forks the kernel, so that a second one answers the requests too.",
        """
        import os, threading, time

        if os.fork() == 0:
            threading.Timer(20, lambda: os._exit(0)).start()
            check = lambda *a: 6.0
            get_ipython().showtraceback = lambda *a, **k: None
        """,
        stock="two kernels on one set of sockets hang nbgrader",
    ),
    spoils(
        "asks_to_exit",
        "Asks the kernel to shut down in the orderly way, so that later tests do not run.",
        """
        get_ipython().ask_exit()
        get_ipython().kernel.shell.exit_now = True
        get_ipython().kernel.do_shutdown(False)
        """,
        points={"shift": 0.0},
    ),
    spoils(
        "event_loop",
        "Leaves a task in the kernel's event loop that acts between the cells.",
        """
        import asyncio, builtins, time

        async def later():
            shell = get_ipython()
            until = time.time() + 30
            while time.time() < until:
                shell.user_ns["check"] = lambda *a: 6.0
                shell.showtraceback = lambda *a, **k: None
                if not callable(shell.user_ns.get("shift")):
                    shell.user_ns["shift"] = lambda *a: True
                await asyncio.sleep(0.005)

        task = asyncio.get_event_loop().create_task(later())
        """,
    ),
]
