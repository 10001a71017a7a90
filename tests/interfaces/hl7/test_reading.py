"""What belongs to what: notes, orders, specimens, people, times; and that nothing is lost silently."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from procedures.domain.report import Identifier, Moment, Standing
from procedures.interfaces.hl7 import observation
from procedures.interfaces.hl7.moments import Moments
from procedures.interfaces.hl7.segments import Segment, segments
from tests.factories.hl7 import (
    ASCITES,
    CSF,
    Obx,
    Order,
    Patient,
    ascites_oru,
    csf_cell_count,
    csf_culture,
    csf_glucose,
    csf_gram,
    csf_oru,
    obx,
)
from tests.interfaces.hl7.messages import MSH, ZONE, codes, observations, read, reports

OBR = "OBR|1|P1|F1|X^Service^L|||20261123083000||||||||||||||||||F"


# --- derived messages: spinal fluid and ascites --------------------------------------------------


def test_a_spinal_fluid_report_is_read_whole() -> None:
    (found,) = reports(csf_oru().raw())
    assert found.problems == ()
    assert found.remarks == ()
    assert found.patient is not None
    assert found.patient.identifiers == (Identifier(value="00012345", authority="EXAMPLE HOSPITAL", kind="MR"),)
    assert (found.patient.family_names, found.patient.given_names) == (("Moreau",), ("Ada",))
    assert (found.patient.birth_date, found.patient.sex) == (date(1961, 3, 4), "F")
    assert [(seen.code.loinc, seen.readings[0].number, seen.unit) for seen in observations(found.groups)] == [
        ("806-0", "3", "/uL"), ("26454-9", "12", "/uL"), ("26512-4", "2", "%"), ("2342-4", "62", "mg/dL"),
        ("2880-3", "38", "mg/dL"),
    ]  # fmt: skip
    specimen = found.groups[0].specimens[0]
    assert (specimen.numbers, specimen.fluid_codes) == (("S1001",), ("258450006", "CSF"))
    assert specimen.fluid_text == "Cerebrospinal fluid sample / Cerebral spinal fluid"
    assert specimen.collected_at is not None
    assert specimen.collected_at.at == datetime(2026, 11, 23, 13, 30, tzinfo=UTC)


def test_an_ascites_report_is_read_whole() -> None:
    (found,) = reports(ascites_oru().raw(end="\n"))
    assert found.problems == ()
    assert [(seen.code.loinc, seen.readings[0].number) for seen in observations(found.groups)] == [
        ("51926-4", "180"), ("26520-7", "20"), ("26457-2", "900"), ("1749-1", "1.1"), ("2883-7", "1.4"),
    ]  # fmt: skip
    assert {group.specimens[0].fluid_codes for group in found.groups} == {("309201001", "PRT")}


def test_a_result_in_twenty_eight_rows_of_notes_stays_with_its_observation() -> None:
    rows = [f"row {number}" for number in range(28)]
    order = Order(
        service="X^Y^L",
        observations=[Obx(code="X^Y^L", type="ST", value="SEE COMMENTS", notes=rows), obx("806-0", "W", "3")],
    )
    (found,) = reports(csf_oru(order).raw())
    assert [seen.notes for seen in observations(found.groups)] == [tuple(rows), ()]


def test_critical_words_in_a_note_at_the_very_end_are_in_the_last_group() -> None:
    (found,) = reports(
        csf_oru(csf_gram("Gram negative diplococci"), trailing=["CRITICAL, called to and read back"]).raw()
    )
    assert found.groups[-1].notes == ("CRITICAL, called to and read back",)
    (found,) = reports(csf_oru(csf_culture(specimen=""), trailing=["CRITICAL"]).raw())
    assert observations(found.groups)[-1].notes == ("CRITICAL",)


def test_markup_in_a_message_is_text() -> None:
    order = csf_gram("<i>Neisseria</i> <script>alert(1)</script>", note=["<b>see</b> &lt;i&gt;"])
    (found,) = reports(csf_oru(order, patient=Patient(family="<img src=x onerror=alert(1)>")).raw())
    (seen,) = observations(found.groups)
    assert seen.readings[0].text == "<i>Neisseria</i> <script>alert(1)</script>"
    assert seen.notes == ("<b>see</b> &lt;i&gt;",)
    assert found.patient is not None
    assert found.patient.family_names == ("<img src=x onerror=alert(1)>",)


# --- notes ---------------------------------------------------------------------------------------


def test_each_note_belongs_to_what_stood_before_it() -> None:
    found = read(
        "NTE|1||of the message", "PID|1||12^^^H^MR", "NTE|1||of the patient", "ORC|RE|P1|F1", "NTE|1||of the ORC", OBR,
        "NTE|1||of the order", "TQ1|1", "NTE|2||of the order too", "OBX|1|ST|A^A^L||x||||||F", "NTE|1||of A",
        "ZXX|1|note", "NTE|2||of A too", "OBX|2|ST|B^B^L||y||||||F", "SPM|1|S1", "NTE|1||of the specimen",
    )  # fmt: skip
    (group,) = found.groups
    assert found.notes == ("of the message", "of the patient")
    assert group.notes == ("of the ORC", "of the order", "of the order too", "of the specimen")
    assert [seen.notes for seen in group.observations] == [("of A", "of A too"), ()]
    assert [str(place) for place in found.other_segments] == ["TQ1[1]", "ZXX[1]"]


@pytest.mark.parametrize(
    ("row", "text"),
    [("NTE|1||a~b", "a\nb"), ("NTE|1|the whole comment", "the whole comment"), ("NTE|1|L||the whole comment",
     "the whole comment"),
     ("NTE|1|L||RE^Remark^HL70364", ""), ("NTE|1|L", ""), ("NTE", ""), ("NTE|1||\\.br\\ x \\.br\\", "x")],
)  # fmt: skip
def test_the_text_of_a_note_is_found(row: str, text: str) -> None:
    (group,) = read(OBR, row).groups
    assert group.notes == ((text,) if text else ())


# --- orders and specimens ------------------------------------------------------------------------


def order(number: int, filler: str, collected: str = "20261123083000", source: str = "") -> str:
    return f"OBR|{number}|P{number}|{filler}|X{number}^Service^L|||{collected}||||||||{source}||||||||||F"


def spm(number: str, fluid: str = "CSF") -> str:
    return f"SPM|1|{number}||{fluid}"


def specimens(*lines: str, head: str = MSH) -> list[list[tuple[str, bool]]]:
    found = read("PID|1||1^^^H", *lines, head=head)
    return [
        [(one.numbers[0] if one.numbers else one.fluid_text, one.shared) for one in group.specimens]
        for group in found.groups
    ]


OBX = "OBX|1|NM|806-0^W^LN||5|/uL|||||F"
OUL = MSH.replace("ORU^R01", "OUL^R22")


def test_each_order_has_the_specimen_under_it() -> None:
    assert specimens(order(1, "F1"), OBX, spm("S1"), order(2, "F2"), OBX, spm("S2")) == [
        [("S1", False)],
        [("S2", False)],
    ]


def test_one_specimen_under_the_last_of_four_orders_is_that_of_all() -> None:
    lines = [line for number in (1, 2, 3, 4) for line in (order(number, f"F{number}"), OBX)]
    assert specimens(*lines, spm("S1")) == [[("S1", True)]] * 3 + [[("S1", False)]]


def test_one_specimen_is_not_lent_to_an_order_of_another_time_or_with_a_source_of_its_own() -> None:
    found = specimens(
        order(1, "F1"), OBX, spm("S1"), order(2, "F2", "20261123120000"), OBX, order(3, "F3", source="SER&Serum"), OBX
    )
    assert found == [[("S1", False)], [], [("Serum", False)]]


def test_of_two_specimens_none_is_lent_except_by_the_filler_number() -> None:
    found = specimens(
        order(1, "F1"), OBX, spm("S1"), order(2, "F2"), OBX, spm("S2"), order(3, "F3"), OBX, order(4, "F2"), OBX
    )
    assert found == [[("S1", False)], [("S2", False)], [], [("S2", True)]]


def test_a_message_that_begins_with_specimens_gives_each_to_the_orders_after_it() -> None:
    found = specimens(
        spm("S1"), order(1, "F1"), "ORC|RE|P1|F1", OBX, order(2, "F2"), "ORC|CA|P2|F2", OBX, spm("S2"), order(3,
        "F3"), OBX,
        head=OUL,
    )  # fmt: skip
    assert found == [[("S1", False)], [("S1", False)], [("S2", False)]]


def test_several_specimens_of_one_order_are_all_kept() -> None:
    assert specimens(order(1, "F1"), OBX, spm("S1"), spm("S2")) == [[("S1", False), ("S2", False)]]
    assert specimens(spm("S1"), spm("S2"), order(1, "F1"), OBX, head=OUL) == [[("S1", False), ("S2", False)]]


def test_a_specimen_without_any_order_is_still_seen() -> None:
    found = read("PID|1||1^^^H", order(1, "F1"), OBX, head=OUL)
    assert len(found.groups) == 1
    found = read("PID|1||1^^^H", spm("S1"), head=OUL)
    assert [group.specimens[0].numbers for group in found.groups] == [("S1",)]


def test_an_orc_before_or_after_its_order_is_the_order_s() -> None:
    before = read("ORC|RE|P1|F1", order(1, "F1"), OBX, "ORC|CA|P2|F2", order(2, "F2"), OBX)
    after = read(order(1, "F1"), "ORC|RE|P1|F1", OBX, order(2, "F2"), "ORC|CA|P2|F2", OBX)
    without_numbers = read(order(1, "F1"), "ORC|RE", OBX, order(2, "F2"), "ORC|CA", OBX)
    for found in (before, after, without_numbers):
        assert [(group.order_control, len(group.observations)) for group in found.groups] == [("RE", 1), ("CA", 1)]


def test_an_orc_alone_is_a_group_of_its_own() -> None:
    found = read("PID|1||1^^^H", "ORC|CA|P9|F9", "ORC|RE|P1|F1", order(1, "F1"), OBX)
    assert [(group.placer_number, group.order_control, len(group.observations)) for group in found.groups] == [
        ("P9", "CA", 0), ("P1", "RE", 1),
    ]  # fmt: skip
    assert found.groups[0].standing is Standing.UNKNOWN


def test_numbers_of_an_order_come_from_its_orc_when_it_has_none() -> None:
    (group,) = read("ORC|RE|P7^EHR|F7^LAB^1.2^ISO", "OBR|1|||X^Y^L|||||||||||||||||||||F", OBX).groups
    assert (group.placer_number, group.filler_number) == ("P7", "F7")


def test_observations_without_an_order_are_kept() -> None:
    found = read("PID|1||1^^^H", OBX, OBX)
    (group,) = found.groups
    assert (str(group.place), len(group.observations), group.service.text) == ("OBX[1]", 2, "")
    assert [remark.code for remark in found.remarks] == ["no_order"]


@pytest.mark.parametrize(
    ("source", "text", "kinds", "site"),
    [
        ("CSF", "CSF", ("CSF",), ""),
        ("CSF&Cerebrospinal fluid&HL70070", "Cerebrospinal fluid", ("CSF",), ""),
        ("CSF^^Spinal fluid, tube 3^LUMBAR&Lumbar spine", "Spinal fluid, tube 3", ("CSF",), "LUMBAR Lumbar spine"),
        ("PRT^Peritoneal fluid^L", "Peritoneal fluid", ("PRT",), ""),
        ("^^Ascites", "Ascites", (), ""),
    ],
)
def test_the_source_of_older_versions_names_the_fluid(
    source: str, text: str, kinds: tuple[str, ...], site: str
) -> None:
    (group,) = read(order(1, "F1", source=source), OBX).groups
    (specimen,) = group.specimens
    assert (specimen.fluid_text, specimen.fluid_codes, specimen.source_text) == (text, kinds, site)
    assert specimen.collected_at == group.collected_at


def test_a_specimen_that_does_not_say_what_it_is_beside_a_source_that_does() -> None:
    (group,) = read(order(1, "F1", source="CSF&Cerebrospinal fluid"), OBX, "SPM|1|S1").groups
    assert [(one.numbers, one.fluid_text) for one in group.specimens] == [(("S1",), "Cerebrospinal fluid")]


def test_numbers_of_a_specimen_are_all_its_numbers() -> None:
    (group,) = read(
        order(1, "F1"), OBX, "SPM|1|P1&EHR^A1&LAB~A2||CSF" + "|" * 26 + "ACC1^^^LAB~ACC2|OTHER1", "SAC|||CONT1"
    ).groups
    assert group.specimens[0].numbers == ("P1", "A1", "A2", "ACC1", "ACC2", "OTHER1", "CONT1")


@pytest.mark.parametrize(
    ("reject", "condition", "reasons"),
    [
        ("QS", "", ("quantity not sufficient",)),
        ("QS^Quantity not sufficient^HL70490", "", ("Quantity not sufficient",)),
        ("RH~RC", "", ("haemolysed", "clotted")),
        ("", "HEM", ("haemolysed",)),
        ("", "HEM^Hemolyzed^HL70493~COOL", ("Hemolyzed",)),
        ("ZZ", "", ("ZZ",)),
        ("LA12432-3^Acceptable^LN", "ROOM", ()),
        ("", "277677008^Room temperature medium^SCT", ()),
        ("", "", ()),
    ],
)
def test_what_is_wrong_with_a_specimen_is_said_in_words_and_what_is_right_is_not(
    reject: str, condition: str, reasons: tuple[str, ...]
) -> None:
    (found,) = reports(csf_oru(csf_glucose(reject=reject, condition=condition)).raw())
    assert found.groups[0].specimens[0].reject_reasons == reasons


# --- people --------------------------------------------------------------------------------------


def patient(*fields: str) -> object:
    return read("PID|" + "|".join(fields), OBR, OBX).patient


def test_leading_zeros_authorities_and_kinds_are_kept() -> None:
    found = read('PID|1||000123^^^HOSP&1.2.3&ISO^MR~000123^^^&9.9&ISO^PI~5^^^^MR~""~^^^X^MR', OBR).patient
    assert found is not None
    assert found.identifiers == (
        Identifier(value="000123", authority="HOSP", kind="MR", authority_id="1.2.3"),
        Identifier(value="000123", authority="9.9", kind="PI", authority_id="9.9"),
        Identifier(value="5", authority="", kind="MR"),
    )


def test_several_names_double_surnames_and_newborns_are_all_kept() -> None:
    found = read("PID|1||1^^^H||García-López&&&de&Soto^Ana María^B~Soto^Ana||19610304||Old&Alias^Anna", OBR).patient
    assert found is not None
    assert (
        found.family_names == ("García-López", "de Soto", "Soto", "Old", "Alias")
        or "García-López" in found.family_names
    )
    assert {"García-López", "Soto", "de Soto", "Old"} <= set(found.family_names)
    assert found.given_names == ("Ana María", "Ana", "Anna")
    newborn = read("PID|1||1^^^H||BB SARAH^||20261120", OBR).patient
    assert newborn is not None
    assert (newborn.family_names, newborn.given_names) == (("BB SARAH",), ())


@pytest.mark.parametrize(
    ("born", "day", "problem"),
    [("19610304", date(1961, 3, 4), []), ("196103041530-0500", date(1961, 3, 4), []),
     ("1961-03-04", date(1961, 3, 4), []),
     ("", None, []), ("00000000", None, []), ("1961", None, ["birth_date_unreadable"]),
     ("19611304", None, ["birth_date_unreadable"]), ("04/03/1961", None, ["birth_date_unreadable"]),
     ("17000101", None, ["birth_date_unreadable"])],
)  # fmt: skip
def test_a_date_of_birth_is_a_day_or_not_known(born: str, day: date | None, problem: list[str]) -> None:
    found = read(f"PID|1||1^^^H||A^B||{born}", OBR, OBX)
    assert found.patient is not None
    assert (found.patient.birth_date, codes(found)) == (day, problem)


def test_a_patient_segment_that_names_nobody_is_nobody() -> None:
    assert read("PID|1", OBR, OBX).patient is None
    assert read(OBR, OBX).patient is None


def test_two_patients_in_one_message_are_never_one() -> None:
    found = read("PID|1||1^^^H||A^B", order(1, "F1"), OBX, "PID|2||2^^^H||C^D", order(2, "F2"), OBX)
    assert found.patient is None
    assert codes(found) == ["several_patients"]
    assert [group.patient.family_names if group.patient else () for group in found.groups] == [("A",), ("C",)]


def test_a_second_patient_segment_without_a_name_is_another_patient_too() -> None:
    found = read("PID|1||1^^^H||A^B", order(1, "F1"), OBX, "PID|2", order(2, "F2"), OBX)
    assert (found.patient, codes(found)) == (None, ["several_patients"])
    assert [group.patient is None for group in found.groups] == [False, True]


def test_the_same_patient_said_twice_is_one() -> None:
    found = read("PID|1||1^^^H||A^B", order(1, "F1"), OBX, "PID|1||1^^^H||A^B", order(2, "F2"), OBX)
    assert found.patient is not None
    assert (len(found.groups), codes(found)) == (2, [])


# --- times ---------------------------------------------------------------------------------------


def moment(written: str, zone: str = ZONE, sent: str = "") -> Moment:
    found = Moments(zone, sent).read(written)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "at", "assumed", "to_the_day"),
    [
        ("20261123083000", datetime(2026, 11, 23, 13, 30, tzinfo=UTC), True, False),
        ("202611230830", datetime(2026, 11, 23, 13, 30, tzinfo=UTC), True, False),
        ("2026112308", datetime(2026, 11, 23, 13, tzinfo=UTC), True, False),
        ("20261123083000.1234", datetime(2026, 11, 23, 13, 30, tzinfo=UTC), True, False),
        ("20261123083000-0400", datetime(2026, 11, 23, 12, 30, tzinfo=UTC), False, False),
        ("20261123083000+05:30", datetime(2026, 11, 23, 3, 0, tzinfo=UTC), False, False),
        ("2026-11-23T08:30:00Z", datetime(2026, 11, 23, 8, 30, tzinfo=UTC), False, False),
        ("2026-11-23 08:30", datetime(2026, 11, 23, 13, 30, tzinfo=UTC), True, False),
        ("20261123", datetime(2026, 11, 23, 5, tzinfo=UTC), True, True),
        ("202611230000", datetime(2026, 11, 23, 5, tzinfo=UTC), True, True),
        ("20260704120000", datetime(2026, 7, 4, 16, tzinfo=UTC), True, False),
        ("20261123083060", datetime(2026, 11, 23, 13, 30, 59, tzinfo=UTC), True, False),
    ],
)
def test_a_time_is_aware_with_the_sender_s_zone_where_none_is_said(
    written: str, at: datetime, assumed: bool, to_the_day: bool
) -> None:
    found = moment(written)
    assert (found.at, found.zone_assumed, found.to_the_day) == (at, assumed, to_the_day)


@pytest.mark.parametrize(
    "written",
    ["0000", "00000000", "2026", "202613", "20261131", "202611232500", "2026112308300", "11/23/2026", "soon",
     "20261123083000-9900",
     "99991231235959", "00010101000000", "-20261123", "20261123083000+", "²0261123"],
)  # fmt: skip
def test_a_time_that_cannot_be_read_is_kept_as_it_was_written(written: str) -> None:
    assert moment(written) == Moment(written=written, at=None, zone_assumed=moment(written).zone_assumed)


def test_the_hour_that_clocks_skip_or_repeat_is_read_and_doubtful() -> None:
    skipped, repeated = moment("20260308023000"), moment("20261101013000")
    assert (skipped.at, skipped.doubtful) == (datetime(2026, 3, 8, 7, 30, tzinfo=UTC), True)
    assert (repeated.at, repeated.doubtful) == (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), True)
    assert not moment("20261101013000-0500").doubtful


def test_without_a_zone_of_the_sender_that_of_the_header_serves() -> None:
    assert moment("20261123083000", zone="", sent="20261123101500-0600").at == datetime(
        2026, 11, 23, 14, 30, tzinfo=UTC
    )
    assert moment("20261123083000", zone="", sent="20261123101500").at is None
    assert moment("20261123083000", zone="Not/AZone").at is None


def test_a_specimen_drawn_over_a_while_was_drawn_when_that_began() -> None:
    (group,) = read(
        order(1, "F1"), OBX, "SPM|1|S1||CSF|||||||||||||20261123083000^20261123084500|20261123090000"
    ).groups
    assert group.specimens[0].collected_at is not None
    assert group.specimens[0].collected_at.at == datetime(2026, 11, 23, 13, 30, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_remarked_and_one_that_was_not_known_is_not() -> None:
    found = read("OBR|1|P|F|X^Y^L|||11/23/2026|||||||0000||||||||soon|||F", OBX)
    assert [remark.code for remark in found.remarks] == ["time_unreadable", "time_unreadable"]
    assert found.problems == ()


# --- nothing is lost silently --------------------------------------------------------------------


def test_segments_that_are_not_understood_are_listed_with_their_place() -> None:
    found = read("ZXX|1|a", "PID|1||1^^^H", "ZXX|2|b", OBR, OBX, "QQQ|1")
    assert [(str(place), place.line) for place in found.other_segments] == [("ZXX[1]", 2), ("ZXX[2]", 4), ("QQQ[1]", 7)]


def test_the_page_of_a_message_shows_every_line() -> None:
    raw = csf_oru(patient=Patient(family="Žižek")).raw(end="\n") + b"ZXX|1|\x00odd\n"
    lines = segments(raw)
    assert [place.line for place, _ in lines] == list(range(1, len(lines) + 1))
    assert "Žižek^Ada" in lines[1][1]
    assert (str(lines[-1][0]), lines[-1][1]) == ("ZXX[1]", "ZXX|1|odd")


def test_the_page_of_what_is_no_message_shows_its_lines() -> None:
    assert [(place.segment, line) for place, line in segments(b"<html>\r\nGr\xfc\xdfe\x00")] == [
        ("", "<html>"),
        ("", "Grüße"),
    ]
    assert segments(b"") == []


def test_a_text_that_was_broken_into_lines_is_put_together() -> None:
    found = read("OBR|1|P|F|X^Y^L", "OBX|1|TX|A^A^L||first line\nsecond line\n\nNEG\nthe end|mg||||||F", "NTE|1||a\nb")
    (seen,) = observations(found.groups)
    assert seen.readings[0].text == "first line\nsecond line\nNEG\nthe end"
    assert seen.unit == "mg"
    assert seen.notes == ("a\nb",)
    assert [remark.code for remark in found.remarks] == ["status_late", "field_broken_into_lines"]


def test_small_letters_and_indented_lines_are_segments() -> None:
    found = read("pid|1||1^^^H", "  OBR|1|P|F|X^Y^L", "  obx|1|NM|806-0^W^LN||5||||||F", "OBX")
    assert [seen.place.segment for seen in observations(found.groups)] == ["OBX", "OBX"]
    assert codes(found) == ["no_code"]


def test_an_observation_without_a_code_is_a_question_and_the_others_are_read() -> None:
    found = read("PID|1||1^^^H", OBR, "OBX|1|NM|||5||||||F", OBX)
    (group,) = found.groups
    assert [problem.code for problem in group.problems] == ["no_code"]
    assert [bool(seen.problems) for seen in group.observations] == [True, False]
    assert str(group.problems[0].place) == "OBX[1]"


def test_a_second_header_ends_the_message() -> None:
    found = read("PID|1||1^^^H", OBR, OBX, MSH, "PID|1||2^^^H", OBR, OBX)
    assert codes(found) == ["second_message"]
    assert len(found.groups) == 1
    assert found.patient is not None
    assert found.patient.identifiers[0].value == "1"
    assert [str(place) for place in found.other_segments] == ["PID[2]", "OBR[2]", "OBX[2]"]


@pytest.mark.parametrize("kind", ["ADT^A08", "ORM^O01", "OML^O21", "ACK", "MDM^T02", "SIU^S12"])
def test_another_kind_of_message_enters_nothing(kind: str) -> None:
    found = read("PID|1||1^^^H", OBR, OBX, head=MSH.replace("ORU^R01", kind))
    assert codes(found) == ["other_message"]
    assert [problem.code for problem in found.groups[0].problems] == ["other_message"]
    assert [problem.code for problem in found.groups[0].observations[0].problems] == ["other_message"]


@pytest.mark.parametrize("kind", ["ORU^R01", "ORU^R30", "ORU", "OUL^R22", "ORL^O22", "ORF^R04", "ORU_R01", ""])
def test_every_kind_of_message_with_results_is_one(kind: str) -> None:
    assert codes(read("PID|1||1^^^H", OBR, OBX, head=MSH.replace("ORU^R01", kind))) == []


def test_a_header_alone_says_that_there_is_nothing() -> None:
    assert codes(read()) == ["no_results"]
    assert codes(read("PID|1||1^^^H")) == ["no_results"]


def test_a_message_that_goes_on_in_another_says_so() -> None:
    assert codes(read(OBR, OBX, "DSC|123|F")) == ["continued"]


def test_a_message_cut_off_inside_a_value_is_a_question() -> None:
    whole = csf_oru(csf_cell_count(white="1280")).raw()
    cut = whole[: whole.index(b"1280") + 2]
    (found,) = reports(cut)
    (seen,) = observations(found.groups)
    assert seen.readings[0].number == "12"
    assert (seen.standing, codes(found)) == (Standing.UNKNOWN, ["may_be_cut"])


def test_a_message_that_ends_without_a_line_end_but_whole_is_no_question() -> None:
    assert codes(reports(csf_oru(csf_cell_count(specimen="")).raw().rstrip(b"\r"))[0]) == []


def test_the_marks_of_a_message_are_its_own() -> None:
    usual = csf_oru().raw().decode()
    other = usual.translate(str.maketrans({"|": "$", "^": "=", "~": "*", "\\": "!", "&": "@"})).encode()
    (one,), (two,) = reports(usual.encode()), reports(other)
    assert one == two


@pytest.mark.parametrize("marks", ["^~\\&#", "^~\\\\&", "^\N{SMALL TILDE}\\&"])
def test_variants_of_msh_2_read_the_same(marks: str) -> None:
    patient = Patient(numbers=(("1", "A", "MR"), ("2", "B", "PI")))
    one, two = reports(csf_oru(patient=patient).raw())[0], reports(csf_oru(patient=patient, marks=marks).raw())[0]
    assert (one.patient, one.groups) == (two.patient, two.groups)
    tilde = csf_oru(patient=patient, marks=marks).raw().replace(b"~2^", "\N{SMALL TILDE}2^".encode())
    if "\N{SMALL TILDE}" in marks:
        assert reports(tilde)[0].patient == one.patient


def test_ascites_of_an_old_version_has_its_source_in_the_order() -> None:
    old = Order(
        service="CC^Body fluid cell count^L", source="PRT&Peritoneal fluid&HL70070", fluid=ASCITES,
        observations=[Obx(code="BFWBC^WBC, fluid^L", value="480", unit="/mm3", status="F")],
    )  # fmt: skip
    (found,) = reports(ascites_oru(old, version="2.3", charset="").raw())
    assert found.groups[0].specimens[0].fluid_text == "Peritoneal fluid"
    assert CSF != ASCITES


def test_a_failure_of_our_own_at_one_observation_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = observation.observation

    def failing(segment: Segment, *given: object, **named: object) -> object:
        if segment.number == 2:
            raise ValueError
        return plain(segment, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(observation, "observation", failing)
    found = read("PID|1||1^^^H", OBR, OBX, OBX, "NTE|1||of the broken one", OBX)
    (group,) = found.groups
    assert [[problem.code for problem in seen.problems] for seen in group.observations] == [[], ["unreadable"], []]
    assert group.observations[1].notes == ("of the broken one",)
    assert group.observations[1].standing is Standing.UNKNOWN
    assert [str(problem.place) for problem in group.problems] == ["OBX[2]"]
