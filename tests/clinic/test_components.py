"""The components say what they must, in markup that a screen reader and a strict policy accept."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory

from clinic import gallery, statuses
from clinic.views.components import show_gallery
from followups.domain.picture import Branch, Mark, Picture, PromiseMark, ResultLevel, Station, Step, Urgency

NOW = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)
ROOT = Path(settings.BASE_DIR)


def include(component: str, **context: Any) -> str:
    return render_to_string(f"components/{component}.html", {"now": NOW, **context})


def words(html: str) -> str:
    """What is read aloud: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("kind", sorted(statuses.STATUSES))
def test_every_status_has_a_word_an_icon_that_exists_and_a_tone(kind: str) -> None:
    html = include("status_chip", kind=kind)
    icons = (ROOT / "static/vendor/bootstrap-icons/bootstrap-icons.min.css").read_text(encoding="utf-8")
    tones = (ROOT / "static/app/components.css").read_text(encoding="utf-8")
    look = statuses.status(kind)
    assert words(html) == str(look.word)
    assert f".bi-{look.icon}::before" in icons
    assert f".chip--{look.tone} " in tones


def test_a_status_without_a_look_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(KeyError, match="no status 'purple'"):
        include("status_chip", kind="purple")


def test_due_says_its_state_in_words_even_when_time_alone_does_not() -> None:
    soon = NOW + timedelta(hours=3)
    assert words(include("due", due=soon, state="critical")).startswith("Critical: due ")
    assert words(include("due", due=soon, state="waiting")).startswith("Waiting: due ")
    assert words(include("due", due=NOW - timedelta(days=2), state="overdue")).startswith("overdue since ")
    assert words(include("due", due=None, state="due")) == "Due"


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("known", "Allergies: latex, iodine"),
        ("none", "No known allergies"),
        ("unknown", "Allergies: unknown"),
        ("not_asked", "Allergies: not asked yet"),
    ],
)
def test_the_patient_banner_never_turns_unknown_into_none(state: str, text: str) -> None:
    banner = gallery.patient_banner() | {"allergies_state": state, "allergies": ["latex", "iodine"]}
    html = words(include("patient_banner", banner=banner))
    assert text in html
    assert ("No known allergies" in html) == (state == "none")


def test_the_patient_banner_says_who_it_is_and_what_stops() -> None:
    html = words(include("patient_banner", banner=gallery.patient_banner()))
    assert "EXAMPLE, Amina" in html
    assert "14 Mar 1984 (42 y)" in html
    assert "0048-2213" in html
    assert "Stop : apixaban" in html or "Stop: apixaban" in html


def test_pages_say_how_many_there_are() -> None:
    html = words(include("pagination", page=Paginator(range(1204), 20).page(3)))
    assert "41–60 of 1,204" in html
    assert "Previous" in html and "Next" in html
    assert words(include("pagination", page=Paginator([], 20).page(1))) == "none"


def test_pages_keep_the_other_filters() -> None:
    assert 'href="?who=mine&amp;page=4"' in include(
        "pagination", page=Paginator(range(99), 20).page(3), query="who=mine"
    )


def test_a_missing_fact_is_said_and_a_zero_is_a_fact() -> None:
    facts = [{"label": "Volume", "value": 0, "unit": "mL"}, {"label": "Pressure", "value": None, "unit": "cm"}]
    assert words(include("facts_list", facts=facts)) == "Volume 0 mL Pressure not recorded"


def test_a_confirmation_says_what_will_follow() -> None:
    html = words(include("confirm_block", title="Cancel?", consequences=["The slot becomes free."], label="Cancel it"))
    assert "What will follow: The slot becomes free." in html


def invalid_form() -> str:
    form = gallery.ExampleForm({"volume": "64", "note": "stays"})
    return Template("{% load crispy_forms_tags %}{% crispy form %}").render(Context({"form": form}))


def test_an_invalid_form_links_its_summary_to_each_field() -> None:
    html = invalid_form()
    links = re.findall(r'<a href="#([^"]+)">', html)
    assert links == ["id_volume", "id_site", "id_ultrasound_0", "id_witnessed"]
    assert all(f'id="{link}"' in html for link in links)


def test_an_invalid_field_is_marked_and_described_for_screen_readers() -> None:
    field = re.search(r'<input type="number"[^>]*>', invalid_form())
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    described = re.search(r'aria-describedby="([^"]+)"', field[0])
    assert described is not None
    assert described[1].split() == ["id_volume_helptext", "id_volume_error"]
    assert all(f'id="{target}"' in invalid_form() for target in described[1].split())


def test_what_was_typed_stays() -> None:
    html = invalid_form()
    assert 'value="64"' in html
    assert "stays</textarea>" in html


def test_the_form_helper_leaves_the_form_tag_to_the_page() -> None:
    assert "<form" not in invalid_form()


def picture() -> Picture:
    owed = PromiseMark("Sign the record", "Dr L. Haddad", NOW - timedelta(days=2), Urgency.OVERDUE, "/case/1/")
    steps = (Step("collected", Mark.DONE, NOW), Step("received", Mark.CURRENT), Step("preliminary", Mark.SKIPPED))
    late = PromiseMark("Specimen not received", "Nurses", NOW + timedelta(hours=1), Urgency.DUE)
    return Picture(
        stations=(
            Station("Requested", Mark.DONE, NOW - timedelta(days=3), "Dr L. Haddad", "Ascites"),
            Station("Record", Mark.CURRENT, promises=(owed,)),
            Station("Specimens", Mark.DONE, NOW, "N. Brandt", forks=True),
            Station("Sedation", Mark.SKIPPED),
            Station("Closed", Mark.PROMISED),
        ),
        branches=(Branch("Cytology", Mark.CURRENT, True, steps, late, ResultLevel.NONE),),
    )


def test_the_picture_reads_aloud_as_facts_and_promises_in_order() -> None:
    text = words(include("timeline", picture=picture()))
    facts = [
        "Requested Done: Mon 11:30 Dr L. Haddad Ascites",
        "Record Now",
        "Sedation Not needed",
        "Closed Still to come",
    ]
    assert [text.index(fact) for fact in facts] == sorted(text.index(fact) for fact in facts)
    assert "Promised: Sign the record Dr L. Haddad overdue since Tue 11:30 (2 d)" in text
    assert "Cytology Takes longer collected Thu 11:30 received : now preliminary : not needed" in text
    assert "Promised: Specimen not received Nurses due Thu 12:30 (in 1 h)" in text


def test_the_picture_is_a_list_with_the_tests_inside_the_station_they_leave() -> None:
    html = include("timeline", picture=picture())
    assert html.count('<li class="tl__stop">') == 5
    assert re.search(r'tl-c3 is-done is-fork.*?<ol class="tl__branches tl-f3.*?Cytology.*?tl-c4', html, re.S)
    assert 'class="tl__line tl-n5"' in html


def test_a_branch_without_a_fork_is_refused() -> None:
    branch = Branch("Cytology", Mark.CURRENT, False, ())
    with pytest.raises(ValueError, match="one station"):
        Picture(stations=(Station("Requested", Mark.DONE),), branches=(branch,))


def test_a_promise_without_an_owner_is_refused() -> None:
    with pytest.raises(ValueError, match="no owner"):
        PromiseMark("Tell the patient", "", NOW, Urgency.DUE)


def test_nothing_in_the_templates_is_inline() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(
            r"<style|\sstyle=|\son(click|change|submit|load)=|<script(?![^>]*\bsrc=)", path.read_text(encoding="utf-8")
        )
    }
    assert found == set()


def test_every_icon_in_the_templates_exists() -> None:
    icons = (ROOT / "static/vendor/bootstrap-icons/bootstrap-icons.min.css").read_text(encoding="utf-8")
    used = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'class="bi bi-([a-z0-9-]+)[" ]', path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if f".bi-{name}::before" not in icons} == set()
    assert "keyboard" in used


def vendor_check(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)


def test_the_vendored_files_are_those_of_the_manifest() -> None:
    done = vendor_check(ROOT / "scripts" / "vendor.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_or_foreign_vendored_file_is_noticed(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "vendor.py"
    script.parent.mkdir()
    script.write_bytes((ROOT / "scripts" / "vendor.py").read_bytes())
    vendor = tmp_path / "static" / "vendor"
    (vendor / "htmx").mkdir(parents=True)
    (vendor / "VENDORED.toml").write_text(
        '[[package]]\nname = "htmx"\n[package.sha256]\n"htmx.min.js" = "00"\n"gone.js" = "00"\n', encoding="utf-8"
    )
    (vendor / "htmx" / "htmx.min.js").write_text("changed", encoding="utf-8")
    (vendor / "htmx" / "foreign.js").write_text("foreign", encoding="utf-8")
    done = vendor_check(script)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "htmx/gone.js: listed, but not there",
        "htmx/foreign.js: there, but not listed",
        "htmx/htmx.min.js: changed",
    ]


@pytest.mark.parametrize("setting", ["DEBUG", "DEMO"])
@pytest.mark.django_db
def test_the_gallery_is_shown_to_developers(setting: str, settings: Any, rf: RequestFactory) -> None:
    settings.DEBUG, settings.DEMO = setting == "DEBUG", setting == "DEMO"
    response = show_gallery(rf.get("/components/"))
    assert response.status_code == 200
    assert "Review result: cells" in response.content.decode()


def test_the_gallery_does_not_exist_where_patients_are(settings: Any, rf: RequestFactory) -> None:
    settings.DEBUG = settings.DEMO = False
    with pytest.raises(Http404):
        show_gallery(rf.get("/components/"))
