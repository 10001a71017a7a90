"""Fixtures for every test. The servers and the browser are in ``tests/plugins``."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.plugins.browser import chromium

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_configure() -> None:
    # Argon2 is slow on purpose; what tests need of a password is that it matches.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A browser that keeps its line open would keep the server's thread, and with it a session of the database that
    # is to be dropped at the end.
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_collection_finish() -> None:
    """All modules and tests stay to the end: the collector need not walk through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """A row of another test may have had the same key."""
    from procedures.selectors import checklist_memory  # needs Django, which is set up by now

    checklist_memory.forget()


@pytest.fixture(scope="session", autouse=True)
def static_files_are_looked_for_once() -> Iterator[None]:
    """Each ``Client()`` is a server of its own, and WhiteNoise would walk through all static files for each."""
    walk = WhiteNoiseMiddleware.add_files_from_finders
    known: dict[str, Any] = {}

    def add_files(middleware: WhiteNoiseMiddleware) -> None:
        if not known:
            walk(middleware)
            known.update(middleware.files)
        middleware.files.update(known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(bundled_servers: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database is there before the first test that needs one."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = chromium()
    if path is None:
        pytest.fail("Chromium is not installed: browser tests cannot run", pytrace=False)
    # The browser's driver keeps an event loop in this thread; Django would refuse every query in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return {**browser_type_launch_args, "executable_path": path, "args": list(CHROMIUM_FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    # Reduced motion: else axe sees half-faded buttons.
    return {**browser_context_args, "reduced_motion": "reduce", "viewport": {"width": 1280, "height": 900}}


@pytest.fixture(scope="session")
def connections_are_closed() -> None:
    """What was opened until now. The browser's event loop hides it from us, and a child of this process would find it
    again and share it with us and with every other child."""
    connections.close_all()


@pytest.fixture(scope="session")
def playwright(connections_are_closed: None, playwright: Any) -> Any:
    return playwright


@pytest.fixture(scope="session")
def browser(browser: Any) -> Iterator[Any]:
    """While its event loop runs Django gives this thread a second set of connections: they end with the browser."""
    yield browser
    connections.close_all()


@pytest.fixture(scope="session")
def base_url(live_server: Any) -> str:
    """So that ``page.goto("/somewhere")`` reaches the test's own server."""
    return str(live_server.url)


@pytest.fixture
def login(live_server: Any) -> Callable[[Any, Any], None]:
    """``login(page, user)``: the page's browser has the user's session, without the log-in form."""

    def log_in(page: Any, user: Any) -> None:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return log_in


@pytest.fixture
def cast(db: None) -> Any:
    """The standing cast: scheduler sam, nurse nora, physicians pia and carl, director dora, administrator ada.

    All log in with ``tests.factories.people.PASSWORD``.
    """
    from tests.factories.people import PASSWORD, make_cast

    return make_cast(PASSWORD)
