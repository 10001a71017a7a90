"""Values by their types, statuses, codes, documents."""

from __future__ import annotations

import base64

import pytest

from procedures.domain.report import Standing
from procedures.interfaces.hl7 import codes, numbers
from tests.interfaces.hl7.messages import one, read, value

S = Standing


@pytest.mark.parametrize(
    ("kind", "field", "text", "comparator", "number"),
    [
        ("NM", "312", "312", "", "312"),
        ("NM", " 0.250 ", "0.250", "", "0.250"),
        ("NM", "<5", "<5", "<", "5"),
        ("NM", "> 100", ">100", ">", "100"),
        ("NM", "≥250", ">=250", ">=", "250"),
        ("NM", "\\T\\#8805;250", ">=250", ">=", "250"),
        ("NM", "&lt;5", "<5", "<", "5"),
        ("NM", "=<5", "<=5", "<=", "5"),
        ("NM", "-3", "-3", "", "-3"),
        ("NM", "1.2E3", "1.2E3", "", "1.2E3"),
        ("NM", "0,25", "0.25", "", "0.25"),
        ("NM", "1,280", "1,280", "", ""),  # a thousand or a decimal: nobody knows
        ("NM", "TNTC", "TNTC", "", ""),
        ("NM", "5-10", "5-10", "", ""),
        ("NM", "007", "007", "", "007"),
        ("ST", "<5", "<5", "<", "5"),
        ("ST", "312", "312", "", "312"),
        ("ST", "+1", "+1", "", ""),
        ("ST", "1:128", "1:128", "", ""),
        ("ST", "SEE COMMENTS", "SEE COMMENTS", "", ""),
        ("ST", "a \\T\\ b <i>x</i>", "a & b <i>x</i>", "", ""),
        ("FT", "one\\.br\\two", "one\ntwo", "", ""),
        ("TX", "no parts^here", "no parts^here", "", ""),
        ("", "12", "12", "", "12"),
        ("", "words", "words", "", ""),
        ("SN", ">^100", ">100", ">", "100"),
        ("SN", "^23", "23", "", "23"),
        ("SN", "≤^5", "<=5", "<=", "5"),
        ("SN", "<5", "<5", "<", "5"),
        ("SN", "-^5", "-5", "", ""),  # minus five, or a range without an end
        ("SN", "~^5", "5", "", "5"),
        ("SN", "^many", "many", "", ""),
        ("CQ", "5^mL", "5", "", "5"),
        ("DT", "20230113", "2023-01-13", "", ""),
        ("TM", "2231", "22:31", "", ""),
        ("TS", "202301131405-0500^M", "2023-01-13 14:05 -0500", "", ""),
        ("DTM", "soon", "soon", "", ""),
        ("CX", "12^^^LAB&1.2.3&ISO^MR", "12 LAB MR", "", ""),
        ("XTN", "^^PH^^^901^4445566", "PH 901 4445566", "", ""),
        ("EI", "12^LAB^1.2.3^ISO", "12 LAB 1.2.3 ISO", "", ""),
        ("RP", "http://lab/1.pdf^LAB^AP^PDF", "http://lab/1.pdf LAB AP PDF", "", ""),
        ("ZZ", "a^b", "a b", "", ""),
    ],
)
def test_a_value_is_shown_as_it_is_meant_and_is_a_number_only_when_it_certainly_is_one(
    kind: str, field: str, text: str, comparator: str, number: str
) -> None:
    reading = value(kind, field).readings[0]
    assert (reading.text, reading.comparator, reading.number) == (text, comparator, number)


@pytest.mark.parametrize(
    ("field", "number", "separator", "second", "text"),
    [("^1^:^128", "1", ":", "128", "1:128"), ("^1^-^3", "1", "-", "3", "1-3"), ("<^1^:^10", "1", ":", "10", "<1:10"),
     ("^2^+", "2", "+", "", "2+")],
)  # fmt: skip
def test_a_ratio_keeps_both_its_numbers(field: str, number: str, separator: str, second: str, text: str) -> None:
    reading = value("SN", field).readings[0]
    assert (reading.number, reading.separator, reading.second, reading.text) == (number, separator, second, text)


@pytest.mark.parametrize("field", ["", '""', "~", " "])
@pytest.mark.parametrize("kind", ["NM", "ST", "SN", "CWE", "ED", ""])
def test_an_empty_value_has_no_readings(kind: str, field: str) -> None:
    seen = value(kind, field, status="C")
    assert (seen.readings, seen.document, seen.standing, seen.problems) == ((), None, S.CORRECTED, ())


def test_a_repeated_value_has_a_reading_each() -> None:
    assert [reading.text for reading in value("CWE", "A^Alpha^L~B^Beta^L").readings] == ["Alpha", "Beta"]


@pytest.mark.parametrize(
    ("field", "text", "loinc", "local"),
    [
        ("66543000^Campylobacter jejuni^SCT", "Campylobacter jejuni", "", "66543000"),
        ("LA12428-1^In range^LN^WNL^Within limits^99X", "In range", "LA12428-1", "WNL"),
        ("^^^NEG^Negative^L", "Negative", "", "NEG"),
        ("NEG", "NEG", "", "NEG"),
        ("260385009^^SCT^^^^^^No growth", "No growth", "", "260385009"),
        ("664-3", "664-3", "", "664-3"),  # an answer that looks like LOINC is none
    ],
)
def test_a_coded_value_has_its_words_and_its_code(field: str, text: str, loinc: str, local: str) -> None:
    reading = value("CWE", field).readings[0]
    assert reading.coded is not None
    assert (reading.text, reading.coded.loinc, reading.coded.local) == (text, loinc, local)


def test_words_without_a_code_are_words() -> None:
    reading = value("CWE", "^Staphylococcus epidermidis").readings[0]
    assert (reading.text, reading.coded) == ("Staphylococcus epidermidis", None)


@pytest.mark.parametrize(
    ("field", "loinc", "local", "system", "assumed"),
    [
        ("806-0^WBC^LN", "806-0", "", "", False),
        ("CSF_WBC^CSF WBC^L", "", "CSF_WBC", "L", False),
        ("CSF_WBC^..^L^806-0^WBC^LN", "806-0", "CSF_WBC", "L", False),
        ("806-0^WBC^LN^CSF_WBC^..^L", "806-0", "CSF_WBC", "L", False),
        ("X^^99LAB^806-0^^LOINC", "806-0", "X", "99LAB", False),
        ("806-0^WBC^2.16.840.1.113883.6.1", "806-0", "", "", False),
        ("806-0^WBC", "806-0", "806-0", "", True),
        ("806-1^WBC", "", "806-1", "", False),  # the check digit is wrong
        ("12345^WBC^LN", "", "12345", "LN", False),  # no LOINC code has this shape
        ("806-0^WBC^L", "", "806-0", "L", False),  # its own system says that it is not LOINC
        ("^White cells", "", "", "", False),
    ],
)
def test_loinc_is_found_where_it_stands_and_only_there(
    field: str, loinc: str, local: str, system: str, assumed: bool
) -> None:
    code = one(f"OBX|1|NM|{field}||5").code
    assert (code.loinc, code.local, code.local_system, code.loinc_assumed) == (loinc, local, system, assumed)


@pytest.mark.parametrize("code", ["806-0", "26454-9", "2342-4", "34563-7", "100755-8"])
def test_real_codes_have_their_check_digit(code: str) -> None:
    assert codes.is_valid(code)
    assert not codes.is_valid(f"{code[:-1]}{(int(code[-1]) + 1) % 10}")


@pytest.mark.parametrize(
    ("unit", "read_as"),
    [("mg/dL", "mg/dL"), ("ug/dL^microgram^UCUM", "ug/dL"), ("10^3/uL", "10^3/uL"), ("x10^9/L^^UCUM", "x10^9/L"),
     ("^cells per microlitre", "cells per microlitre"), ("10*3/uL", "10*3/uL"), ("{cells}/uL", "{cells}/uL"), ("%",
     "%"),
     ("mg&dL", "mg/dL"), ("", "")],
)  # fmt: skip
def test_a_unit_is_put_together_again(unit: str, read_as: str) -> None:
    assert one(f"OBX|1|NM|806-0^W^LN||5|{unit}|||||F").unit == read_as


# --- standing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "with_value", "without"),
    [
        ("P", S.PRELIMINARY, S.PRELIMINARY), ("F", S.FINAL, S.FINAL), ("C", S.CORRECTED, S.CORRECTED),
        ("W", S.WRONG, S.WRONG), ("X", S.CANCELLED, S.CANCELLED), ("D", S.DELETED, S.DELETED),
        ("I", S.PENDING, S.PENDING),
        ("O", S.PENDING, S.PENDING), ("R", S.PRELIMINARY, S.PENDING), ("S", S.PRELIMINARY, S.PENDING),
        ("U", S.FINAL, S.FINAL),
        ("N", S.UNKNOWN, S.CANCELLED), ("A", S.AMENDED, S.AMENDED), ("B", S.AMENDED, S.AMENDED),
        ("V", S.FINAL, S.FINAL),
        ("f", S.FINAL, S.FINAL), ("F^Final^HL70085", S.FINAL, S.FINAL),
        ("Q", S.UNKNOWN, S.UNKNOWN), ("FINAL", S.UNKNOWN, S.UNKNOWN), ("1", S.UNKNOWN, S.UNKNOWN),
    ],
)  # fmt: skip
def test_a_status_means_what_its_table_says_and_nothing_else_is_final(
    letter: str, with_value: Standing, without: Standing
) -> None:
    assert value("NM", "5", status=letter).standing is with_value
    assert value("NM", "", status=letter).standing is without


@pytest.mark.parametrize(
    ("order", "lent"),
    [("F", S.FINAL), ("P", S.PRELIMINARY), ("C", S.CORRECTED), ("A", S.PRELIMINARY), ("X", S.UNKNOWN), ("I", S.UNKNOWN),
     ("", S.UNKNOWN), ("Q", S.UNKNOWN)],
)  # fmt: skip
def test_an_observation_without_a_status_has_its_order_s_where_that_is_clear(order: str, lent: Standing) -> None:
    found = read(f"OBR|1|||X^Y^L|||||||||||||||||||||{order}", "OBX|1|NM|806-0^W^LN||5|/uL")
    seen = found.groups[0].observations[0]
    assert (seen.standing, seen.standing_written) == (lent, "")


def test_a_status_one_field_late_counts_and_is_remarked() -> None:
    found = read("OBR|1|||X^Y^L|||||||||||||||||||||P", "OBX|1|NM|806-0^W^LN||5|/uL||||||F")
    assert found.groups[0].observations[0].standing is S.FINAL
    assert [remark.code for remark in found.remarks] == ["status_late"]
    assert not found.problems


def test_a_date_where_a_late_status_might_be_is_no_status() -> None:
    found = read("OBR|1|||X^Y^L|||||||||||||||||||||", "OBX|1|NM|806-0^W^LN||5|/uL||||||20230101")
    assert found.groups[0].observations[0].standing is S.UNKNOWN


def test_a_number_one_field_late_with_its_status_is_found_and_asked_about() -> None:
    seen = one("OBX|1|NM|806-0^W^LN|||312|/uL||H|||F")
    assert (seen.readings[0].number, seen.unit, seen.standing) == ("312", "/uL", S.FINAL)
    assert [problem.code for problem in seen.problems] == ["fields_shifted"]


def test_a_unit_is_never_taken_for_a_late_value() -> None:
    seen = one("OBX|1|NM|806-0^W^LN|||/uL|||||||F")
    assert (seen.readings, seen.unit) == ((), "/uL")


# --- documents -----------------------------------------------------------------------------------

PDF = b"%PDF-1.4\n" + b"x" * 200 + b"\n%%EOF\n"


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("content", "kind", "media"),
    [
        (PDF, "^AP^PDF^Base64^", "application/pdf"),
        (PDF, "^TEXT^html^Base64^", "application/pdf"),  # by what it is
        (b"<html><script>alert(1)</script></html>", "^AP^PDF^Base64^", "application/octet-stream"),
        (b"<html></html>", "^TEXT^plain^Base64^", "application/octet-stream"),
        (b"<svg onload='x'/>", "^IM^svg^Base64^", "application/octet-stream"),
        (b"\x89PNG\r\n\x1a\n...IEND", "^IM^PNG^Base64^", "image/png"),
        (b"\xff\xd8\xff\xe0...\xff\xd9", "^IM^JPEG^Base64^", "image/jpeg"),
        (b"{\\rtf1 words}", "^AP^RTF^Base64^", "application/rtf"),
        (b"Gram stain: none seen", "^TEXT^plain^Base64^", "text/plain"),
        (b"Gram stain: none seen", "^AP^octet-stream^Base64^", "application/octet-stream"),
        (b"MZ\x90\x00", "^TEXT^plain^Base64^", "application/octet-stream"),
        (b"GIF89a", "^IM^GIF^Base64^", "application/octet-stream"),
    ],
)
def test_a_document_is_what_its_bytes_are_and_never_opens_by_itself(content: bytes, kind: str, media: str) -> None:
    document = value("ED", f"LAB{kind}{coded(content)}").document
    assert document is not None
    assert (document.media_type, document.content, document.truncated) == (media, content, False)


def test_a_document_is_decoded_from_hex_and_from_plain_text_too() -> None:
    assert value("ED", f"LAB^AP^PDF^Hex^{PDF.hex()}").document.content == PDF  # type: ignore[union-attr]
    plain = value("ED", "LAB^TEXT^plain^A^one\\.br\\two \\T\\ three").document
    assert plain is not None
    assert (plain.content, plain.media_type) == (b"one\ntwo & three", "text/plain")


def test_line_breaks_inside_a_document_are_no_part_of_it() -> None:
    text = coded(PDF)
    broken = f"{text[:40]}\\X0d0a\\{text[40:80]}\\.br\\{text[80:]}"
    assert value("ED", f"LAB^AP^PDF^Base64^{broken}").document.content == PDF  # type: ignore[union-attr]


@pytest.mark.parametrize("cut", [1, 2, 3, 30, 101])
def test_a_document_that_ends_early_says_so(cut: int) -> None:
    document = value("ED", f"LAB^AP^PDF^Base64^{coded(PDF)[:-cut]}").document
    assert document is not None
    assert document.truncated
    assert PDF.startswith(document.content)


def test_a_document_that_cannot_be_decoded_is_a_question() -> None:
    assert [p.code for p in value("ED", "LAB^AP^PDF^Base64^").problems] == ["document_empty"]
    assert [p.code for p in value("ED", "LAB^AP^PDF^Base64^!!!!").problems] == ["document_unreadable"]
    assert [p.code for p in value("ED", "what^is^this").problems] == ["document_unreadable"]


def test_a_pdf_in_a_text_is_a_document() -> None:
    assert value("TX", coded(PDF)).document.media_type == "application/pdf"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["1" * 81, "9" * 500_000, "<" * 200_000, "1." * 100_000, "1e999", "١٢"])
def test_a_number_made_to_be_slow_or_strange_is_a_text(text: str) -> None:
    assert numbers.number(text) is None
