"""Browser tests run on a Chromium of this machine. Without one they are left out and the last line says how many;
with CI=1 they fail instead.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIXTURES = {"page", "context", "browser", "new_context", "launch_browser"}
left_out = pytest.StashKey[int]()


def chromium() -> str | None:
    """The browser's path: ``CHROMIUM``, else the first one found on PATH."""
    named = os.environ.get("CHROMIUM")
    if named is not None:
        return shutil.which(named) if named else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
    if in_ci() or chromium():
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser:
        items[:] = [item for item in items if item not in set(browser)]
        config.hook.pytest_deselected(items=browser)
        config.stash[left_out] = len(browser)
        if hasattr(config, "workeroutput"):
            config.workeroutput["browser_left_out"] = len(browser)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """From a process of pytest-xdist: each has collected everything, so the numbers are the same."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[left_out] = output.get("browser_left_out", 0)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    count = config.stash.get(left_out, 0)
    if count and not hasattr(config, "workerinput"):
        print(f"{count} browser tests not run: install Chromium")
