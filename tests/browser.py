"""A real JupyterLab in a real browser: a server of our own on loopback, and a notebook used as a student uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from autograder.build.workspace import copy_missing
from tests.made_up import ROOT

NOTEBOOK = "01_backprop/backprop.ipynb"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SECONDS = 1000  # Playwright counts in milliseconds
# Nothing is fetched or asked, every cell is in the page, and no popup catches a key that a test types.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "completer-extension/manager": {"autoCompletion": False},
}


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A JupyterLab server on loopback, showing `folder`/work with copies of all notebooks; yields its address.

    The server and its kernels are gone when the block ends, however it ends; should the test process be killed, the
    server goes by itself after some minutes. Raises RuntimeError with the server's log if it does not come up.
    """
    work, home = folder / "work", folder / "home"
    copy_missing(ROOT / "notebooks", work)
    for name, settings in SETTINGS.items():
        path = home / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = {**os.environ, **{name: str(home / place) for name, place in own.items()}, "PYTHONPATH": str(ROOT)}
    environment.pop("NBGRADER_EXECUTION", None)
    options = [
        "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={work}",
        "--ServerApp.shutdown_no_activity_timeout=120", "--MappingKernelManager.cull_idle_timeout=120",
        "--MappingKernelManager.cull_interval=30",
    ]  # fmt: skip
    log = folder / "jupyterlab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield _address(server, home / "runtime", log)
    finally:
        _stop(server)


def _address(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    """Where the server answers, once it does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        for file in runtime.glob(f"jpserver-{server.pid}.json"):
            try:
                address = f"http://127.0.0.1:{json.loads(file.read_text())['port']}"
                with urlopen(f"{address}/api/status", timeout=5):
                    return address
            except (OSError, ValueError):
                pass  # half a file, or not listening yet
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def _stop(server: subprocess.Popen) -> None:
    """End the server, which ends its kernels; kill what is left of its process group."""
    if server.poll() is None:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=15)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextmanager
def browser_page(chromium: str, **settings: Any) -> Iterator[Any]:
    """A page of a headless Chromium of its own; `settings` are Playwright's for a new page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        try:
            page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **settings})
            page.set_default_timeout(20 * SECONDS)
            yield page
        finally:
            browser.close()


# JupyterLab's own objects tell where a cell is and what it holds; every act goes through mouse and keyboard.
_CELLS = """() => [...window.jupyterapp.shell.widgets('main')]
    .find(panel => panel.content?.model?.cells)?.content.widgets.map(cell => ({
        id: cell.model.id, kind: cell.model.type, source: cell.model.sharedModel.getSource(),
        count: cell.model.executionCount ?? null,
    }))"""
_IDLE = """() => [...window.jupyterapp.shell.widgets('main')]
    .find(panel => panel.content?.model?.cells)?.sessionContext.session?.kernel?.status === 'idle'"""
# After a check that failed JupyterLab takes the stars off the cells that still wait, and between two cells the kernel
# is idle for a moment: a run is over when all cells have been executed, or nothing moved for STALLED milliseconds.
STALLED = 8000
_RAN = f"""() => {{
    const waiting = ({_CELLS})().filter(cell => cell.kind === 'code' && cell.count === null).length;
    const state = `${{waiting}} ${{({_IDLE})()}}`;
    if (window.runState !== state) [window.runState, window.runSince] = [state, Date.now()];
    return ({_IDLE})() && (waiting === 0 || Date.now() - window.runSince > {STALLED});
}}"""


class Notebook:
    """A notebook open in JupyterLab. Cells go by their ids, which for solution and check cells are nbgrader's."""

    def __init__(self, page: Any, address: str, path: str = NOTEBOOK) -> None:
        self.page = page
        page.goto(f"{address}/lab/tree/{path}")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60 * SECONDS)
        page.wait_for_function(_IDLE, timeout=60 * SECONDS)

    def cells(self) -> list[dict[str, Any]]:
        """Every cell in order: id, kind, source, and count, the number of its last execution or None."""
        return self.page.evaluate(_CELLS)

    def cell(self, cell_id: str) -> Any:
        """Where a cell is in the page, as a Playwright locator."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(self._index(cell_id))

    def source(self, cell_id: str) -> str:
        """What a cell holds."""
        return self.cells()[self._index(cell_id)]["source"]

    def find(self, text: str) -> str:
        """The id of the first code cell with `text` in it."""
        found = [cell["id"] for cell in self.cells() if cell["kind"] == "code" and text in cell["source"]]
        if not found:
            raise AssertionError(f"no code cell holds {text!r}")
        return found[0]

    def outputs(self, cell_id: str) -> Any:
        """Where a cell's outputs are in the page."""
        return self.cell(cell_id).locator(".jp-OutputArea-output")

    def run_all(self, seconds: float = 120) -> None:
        """Choose Run All Cells in the menu of a notebook just opened, and wait until nothing runs any more."""
        self.menu("Run", "Run All Cells")
        self.page.wait_for_function(_RAN, timeout=seconds * SECONDS)

    def menu(self, *path: str) -> None:
        """Choose an entry of the menu bar by its names, e.g. ("Run", "Run All Cells")."""
        bar, *entries = path
        self.page.locator("#jp-top-panel .lm-MenuBar-itemLabel").get_by_text(bar, exact=True).click()
        for entry in entries:
            label = self.page.locator(".lm-Menu-itemLabel").get_by_text(entry, exact=True)
            label.last.hover()
            label.last.click()

    def theme(self, name: str) -> None:
        """Choose a theme, e.g. "JupyterLab Dark", in the menu."""
        if self.page.locator("body").get_attribute("data-jp-theme-name") != name:
            self.menu("Settings", "Theme", name)
            # JupyterLab says so on the body once the theme's style sheet is there.
            self.page.locator(f"body[data-jp-theme-name='{name}']").wait_for(state="attached")

    def write(self, cell_id: str, text: str) -> None:
        """Replace the text of a cell, in its editor."""
        self.cell(cell_id).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)
        if (there := self.source(cell_id)) != text:
            raise AssertionError(f"typed into cell {cell_id}:\n{text}\nbut it holds:\n{there}")

    def run(self, cell_id: str, seconds: float = 60) -> None:
        """Run a cell with Shift+Enter, and wait until it is done."""
        before = max(cell["count"] or 0 for cell in self.cells())
        self.cell(cell_id).focus()
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(
            f"([id, before]) => ({_CELLS})().find(cell => cell.id === id).count > before && ({_IDLE})()",
            arg=[cell_id, before],
            timeout=seconds * SECONDS,
        )

    def add_below(self, cell_id: str, text: str) -> str:
        """Make a new cell below another with the key B, and write `text` into it; its id."""
        known = {cell["id"] for cell in self.cells()}
        self.cell(cell_id).focus()
        self.page.keyboard.press("b")
        self.page.wait_for_function(f"count => ({_CELLS})().length > count", arg=len(known))
        (new,) = (cell["id"] for cell in self.cells() if cell["id"] not in known)
        self.write(new, text)
        return new

    def _index(self, cell_id: str) -> int:
        ids = [cell["id"] for cell in self.cells()]
        if cell_id not in ids:
            raise AssertionError(f"there is no cell {cell_id}; there are: {', '.join(ids)}")
        return ids.index(cell_id)
