from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from clinic.env import env_bool, env_int, env_list, env_secret, env_str


@pytest.mark.parametrize(
    ("raw", "expected"), [("1", True), ("Yes", True), (" on ", True), ("0", False), ("no", False), ("", False)]
)
def test_a_switch_is_read_as_people_write_it(raw: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", raw)
    assert env_bool("SWITCH", not expected) is expected


def test_an_unknown_word_for_a_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", "maybe")
    with pytest.raises(ImproperlyConfigured, match="SWITCH='maybe'"):
        env_bool("SWITCH")


def test_a_number_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBER", "15m")
    with pytest.raises(ImproperlyConfigured, match="NUMBER='15m'"):
        env_int("NUMBER", 5)


def test_an_empty_number_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBER", " ")
    assert env_int("NUMBER", 5) == 5


def test_a_list_drops_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "a.example.org, ,b.example.org,")
    assert env_list("HOSTS", ["x"]) == ["a.example.org", "b.example.org"]


def test_defaults_hold_without_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SWITCH", "NUMBER", "HOSTS", "TEXT"):
        monkeypatch.delenv(name, raising=False)
    assert env_bool("SWITCH", True) is True
    assert env_int("NUMBER", 7) == 7
    assert env_list("HOSTS", ["x"]) == ["x"]
    assert env_str("TEXT", "t") == "t"


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("KEY", "from the environment")
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "key"))
    assert env_secret("KEY") == "from a file"


def test_a_missing_secret_file_is_said_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match=r"KEY_FILE=.*absent"):
        env_secret("KEY")


def test_a_secret_without_default_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        env_secret("KEY")
