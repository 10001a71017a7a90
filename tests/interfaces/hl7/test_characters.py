"""Character sets and escape sequences: bytes into plain text."""

from __future__ import annotations

import pytest

from procedures.interfaces.hl7.charset import decode
from procedures.interfaces.hl7.escapes import unescaped
from procedures.interfaces.hl7.separators import Separators, of
from tests.factories.hl7 import Patient, csf_oru, escaped
from tests.interfaces.hl7.messages import reports, value

WORD = "Müller ≥ Žižek"


@pytest.mark.parametrize(
    ("raw", "claimed", "text", "charset", "remark"),
    [
        (b"plain", [], "plain", "ascii", ""),
        ("Müller".encode(), [], "Müller", "utf_8", ""),
        ("Müller".encode(), ["UNICODE UTF-8"], "Müller", "utf_8", ""),
        ("Müller".encode(), ["8859/1"], "Müller", "utf_8", "charset_claimed_wrongly"),
        ("Müller".encode(), ["ASCII"], "Müller", "utf_8", "charset_claimed_wrongly"),
        ("Müller".encode("latin-1"), ["8859/1"], "Müller", "iso8859_1", ""),
        ("Müller".encode("latin-1"), ["ISO-8859-1"], "Müller", "iso8859_1", ""),
        ("Müller".encode("latin-1"), [], "Müller", "cp1252", "charset_guessed"),
        ("Müller".encode("latin-1"), ["UNICODE UTF-8"], "Müller", "cp1252", "charset_claimed_wrongly"),
        ("Müller".encode("latin-1"), ["ASCII"], "Müller", "cp1252", "charset_claimed_wrongly"),
        ("Müller".encode("latin-1"), ["ASCII", "8859/1"], "Müller", "iso8859_1", ""),
        ("Žižek".encode("iso8859_2"), ["8859/2"], "Žižek", "iso8859_2", ""),
        ("5 €".encode("iso8859_15"), ["8859/15"], "5 €", "iso8859_15", ""),
        ("“5 µL” – ok".encode("cp1252"), ["8859/1"], "“5 µL” – ok", "cp1252", "charset_claimed_wrongly"),
        ("Müller".encode("latin-1"), ["KLINGON"], "Müller", "cp1252", "charset_unknown"),
        ("山田".encode("iso2022_jp"), ["ASCII", "ISO IR87"], "山田", "iso2022_jp_2", ""),
        ("山田".encode("gb18030"), ["GB 18030-2000"], "山田", "gb18030", ""),
        (b"\xef\xbb\xbf" + "Müller".encode(), [], "Müller", "utf_8", ""),
    ],
)  # fmt: skip
def test_bytes_are_read_by_the_claim_and_by_what_they_show(
    raw: bytes, claimed: list[str], text: str, charset: str, remark: str
) -> None:
    found = decode(raw, claimed)
    assert (found.text, found.charset, found.damaged) == (text, charset, False)
    assert remark in [code for code, _ in found.remarks] or not remark
    assert remark or not found.remarks


def test_the_sender_s_own_character_set_counts_when_none_is_named() -> None:
    found = decode("Žižek".encode("iso8859_2"), [], "8859/2")
    assert (found.text, found.remarks) == ("Žižek", ())


def test_lost_characters_are_said_to_be_lost() -> None:
    assert decode("M\N{REPLACEMENT CHARACTER}ller".encode()).damaged
    broken = "Müller, Žižek, Ørsted, Ångström".encode()[:-3] + b"\xc3m"
    assert decode(broken, ["UNICODE UTF-8"]).damaged
    assert decode(broken, ["UNICODE UTF-8"]).text.startswith("Müller, Žižek")


def test_nul_bytes_and_controls_are_no_text() -> None:
    found = decode(b"a\x00b\x07c\x1bd")
    assert found.text == "ab c d"
    assert [code for code, _ in found.remarks] == ["nul_bytes"]


def test_codes_that_turn_the_writing_around_are_made_visible() -> None:
    assert decode("a\u202eb".encode()).text == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("UNICODE UTF-8", "utf-8"), ("", "utf-8"), ("8859/1", "utf-8"), ("8859/2", "iso8859_2"), ("", "utf-16")],
)
def test_a_name_is_the_same_in_every_character_set(charset: str, encoding: str) -> None:
    (found,) = reports(csf_oru(patient=Patient(family="Žižek"), charset=charset).raw(encoding=encoding))
    assert found.patient is not None
    assert found.patient.family_names == ("Žižek",)


def test_a_damaged_value_is_a_question() -> None:
    assert [problem.code for problem in value("ST", "30 \N{REPLACEMENT CHARACTER}g").problems] == ["damaged_characters"]


# --- escapes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\P\\g", "a|b^c&d~e\\f#g"),
        ("one\\.br\\two\\.BR\\three", "one\ntwo\nthree"),
        ("a\\.sp\\b\\.sp2\\c\\.sp+2\\d", "a\nb\n\nc\n\nd"),
        ("\\.in+4\\a\\.ti-2\\b\\.fi\\\\.nf\\c\\.ce\\d\\.sk3\\e", "abc\nd   e"),
        ("\\H\\bold\\N\\ plain", "bold plain"),
        ("a\\X0d0a\\b\\X09\\c", "a\nb\tc"),
        ("caf\\XC3A9\\ and \\XE9\\", "café and é"),
        ("\\X00\\a", "a"),
        ("\\R\\M 57752", "~M 57752"),
        ("\\E\\T\\", "\\T\\"),  # read once: what results is not read again
        ("a\\b c\\T\\d", "a\\b c&d"),
        ("C:\\lab\\x", "C:\\lab\\x"),
        (
            "\\Zxx\\ \\C2842\\ \\M242842\\ \\X0\\ \\X0G\\ \\.zz\\",
            "\\Zxx\\ \\C2842\\ \\M242842\\ \\X0\\ \\X0G\\ \\.zz\\",
        ),
        ("\\", "\\"),
        ("\\\\", "\\\\"),
        ("\\.sp9999\\", "\n" * 40),
        ("\\T\\#8805;250 &micro;L &#xB5;", "≥250 µL µ"),
        ("&lt;script&gt; &amp;lt; &#60;b&#62; \\T\\lt;i", "&lt;script&gt; &amp;lt; &#60;b&#62; &lt;i"),
        ("&#0; &#8238; &#xD800; &#99999999; &bogus; &", "&#0; &#8238; &#xD800; &#99999999; &bogus; &"),
    ],
)
def test_an_escape_becomes_what_it_stands_for_and_everything_else_stays(written: str, text: str) -> None:
    assert unescaped(written, Separators()) == text


def test_escapes_are_those_of_the_message() -> None:
    marks = of("$", "%*!@")
    assert unescaped("a!F!b!S!c!T!d!R!e!E!", marks) == "a$b%c@d*e!"


def test_a_message_whose_backslashes_are_doubled_is_read_as_it_was_meant() -> None:
    marks = of("|", "^~\\\\&")
    assert (marks.subcomponent, marks.doubled) == ("&", True)
    assert unescaped("a\\\\T\\\\b", marks) == "a&b"


def test_what_is_escaped_comes_back() -> None:
    text = "a|b^c&d~e\\f \\.br\\ <i>&lt;</i>\nnext"
    assert unescaped(escaped(text), Separators()) == text


@pytest.mark.parametrize(
    "text", ["\\X" + "0" * 200_000, "\\" * 200_000, "&#" * 200_000, "\\.s" * 100_000, "&a" * 200_000]
)
def test_a_text_made_to_be_slow_is_not(text: str) -> None:
    assert unescaped(text, Separators()) == text
