"""A protocol is published with its translations, or not at all."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinic.actor import Actor
from followups import patient_language
from procedures import checks
from procedures.domain.load import ProtocolError
from procedures.models import Patient, ProtocolVersion
from procedures.services import protocols
from tests import make

DATA = Path(__file__).resolve().parents[1] / "data" / "protocols"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clinic's own protocols, the translation of which somebody has forgotten a line of."""
    shutil.copytree(DATA, tmp_path / "own")
    spanish = tmp_path / "own" / "es" / "thoracentesis.toml"
    text = spanish.read_text("utf-8")
    spanish.write_text(text.replace('pleural_ph = "acidez del líquido"\n', ""), "utf-8")
    assert spanish.read_text("utf-8") != text
    return tmp_path / "own"


def test_a_protocol_without_its_translation_is_refused(folder: Path) -> None:
    (folder / "es" / "thoracentesis.toml").unlink()
    with pytest.raises(ProtocolError, match=r"es/thoracentesis\.toml is missing"):
        protocols.read_translated(folder / "thoracentesis.toml")


def test_the_system_check_names_file_and_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.protocols_are_whole() == []
    files = [folder / "thoracentesis.toml"]
    monkeypatch.setattr(protocols, "files", lambda: files)
    found = checks.protocols_are_whole()
    assert [(error.id, error.msg) for error in found] == [
        ("procedures.E001", "es/thoracentesis.toml: tests.pleural_ph: is not translated")
    ]


@pytest.mark.django_db
def test_load_protocols_publishes_nothing_that_is_not_whole(folder: Path) -> None:
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("load_protocols", directory=folder, stdout=StringIO(), stderr=errors)
    assert "es/thoracentesis.toml: tests.pleural_ph: is not translated" in errors.getvalue()
    assert not ProtocolVersion.objects.filter(protocol__code="thoracentesis").exists()


@pytest.mark.django_db
def test_a_stored_version_brings_its_translation_along() -> None:
    version = make.protocol_version("paracentesis")
    stored = ProtocolVersion.objects.get(pk=version.pk)
    assert stored.parsed.in_language("es").text("prepare").title == "Antes de su paracentesis"


@pytest.mark.django_db
def test_a_case_of_an_older_version_is_spoken_to_in_english_and_the_staff_is_told() -> None:
    data = protocols.read(protocols.PROTOCOL_DIR / "paracentesis.toml")
    version, _ = protocols.publish(data=data, name="old", actor=Actor.system("tests"))
    patient: Patient = make.patient(language="Spanish")
    spoken = patient_language.spoken_to(patient, version.parsed)
    assert (spoken.code, spoken.theirs) == ("en", False) and "interpreter needed" in spoken.note
    assert patient_language.spoken_to(patient).code == "es"
