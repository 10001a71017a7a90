"""What each published message says, as it was read by eye; and the same fields by another parser."""

from __future__ import annotations

from datetime import UTC, date, datetime

import hl7
import pytest

from procedures.domain.report import Identifier, Standing
from procedures.interfaces.hl7.framing import split
from procedures.interfaces.hl7.reading import read
from procedures.interfaces.hl7.segments import segments
from tests.interfaces.hl7.messages import NAMES, ZONE, codes, observations, reports, sample


@pytest.mark.parametrize("name", NAMES)
def test_a_published_message_is_read_without_a_broken_part(name: str) -> None:
    for found in reports(sample(name)):
        assert found.groups
        assert not {"unreadable", "damaged_characters", "no_code", "second_message"} & set(codes(found))


@pytest.mark.parametrize("name", NAMES)
def test_every_segment_and_field_is_where_another_parser_finds_it(name: str) -> None:
    for piece in split(sample(name)):
        if not piece.is_message:
            continue
        text = piece.raw.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r").strip("\r") + "\r"
        other = hl7.parse(text)
        ours = segments(piece.raw)
        assert [place.segment for place, _ in ours] == [str(segment[0]) for segment in other]
        assert [line for _, line in ours] == [str(segment) for segment in other]
        rows = [segment for segment in other if str(segment[0]) == "OBX"]
        read_rows = observations(read(piece.raw, zone=ZONE).groups)
        assert len(rows) == len(read_rows)
        for row, seen in zip(rows, read_rows, strict=True):
            assert str(row[3]).split("^")[0] in (seen.code.loinc, seen.code.local)
            assert seen.value_type == str(row[2])


def test_a_batch_is_two_reports_of_two_people() -> None:
    one, two = reports(sample("batch_message"))
    assert one.patient is not None
    assert two.patient is not None
    assert (one.patient.family_names, two.patient.family_names) == (("Buckridge",), ("Keeling",))
    assert one.patient.birth_date == date(1958, 8, 10)
    assert one.patient.identifiers[0] == Identifier(
        value="2a14112c-ece1-4f82-915c-7b3a8d152eda", authority="Avante at Ormond Beach", kind="PI"
    )
    (group,) = one.groups
    assert (group.filler_number, group.service.loinc) == ("0cba76f5-35e0-4a28-803a-2f31308aae9b", "94558-4")
    assert group.collected_at is not None
    assert group.collected_at.at == datetime(2021, 2, 9, 6, tzinfo=UTC)
    assert group.collected_at.to_the_day  # midnight: nobody knew the hour
    first = group.observations[0]
    assert first.readings[0].coded is not None
    assert (first.readings[0].coded.local, first.readings[0].text) == ("260415000", "Not detected")
    assert (first.flags, first.standing) == (("N",), Standing.FINAL)


def test_the_newborn_s_report_has_fifteen_orders_one_specimen_and_a_document() -> None:
    (found,) = reports(sample("001_TN"))
    assert len(found.groups) == 15
    assert found.processing == "D"
    assert all(group.specimens[0].numbers == ("20222561001",) for group in found.groups)
    assert [group.specimens[0].shared for group in found.groups] == [False] + [True] * 14
    assert found.groups[0].specimens[0].reject_reasons == ()  # "Acceptable" is no reason
    (document,) = [seen.document for seen in observations(found.groups) if seen.document]
    assert document.media_type == "application/octet-stream"
    assert document.content.startswith(b"<html>")
    birth_weight = observations(found.groups)[59]
    assert (birth_weight.readings[0].number, birth_weight.unit) == ("3205", "g")
    assert birth_weight.standing is Standing.PENDING  # O: a detail of the order, no result
    assert [str(place) for place in found.other_segments] == ["NK1[1]"]


def test_the_californian_report_is_utf_8_without_saying_so_and_its_text_has_lines() -> None:
    (found,) = reports(sample("003_CA"))
    assert found.charset == "utf_8"
    assert found.patient is not None
    assert (found.patient.given_names, found.patient.birth_date) == (("GIRL A MOMFOUR",), None)
    assert found.patient.identifiers[0].authority == "NPI"
    narrative = observations(found.groups)[5]
    assert narrative.readings[0].text.startswith(
        "ACTION REQUIRED\n\nNBS Testing Lab - COMMUNITY REG MEDICAL CENTER LAB ~M"
    )
    service = found.groups[0].service
    assert (service.loinc, service.loinc_assumed, service.local) == ("54089-8", True, "54089-8")
    assert found.groups[0].ordered_by == "MILLEN, MARLENE"


def test_the_hospital_s_code_comes_first_and_loinc_second() -> None:
    (found,) = reports(sample("FLFHospital"))
    assert found.patient is not None
    assert [(number.value, number.authority) for number in found.patient.identifiers] == [
        ("2000005", "MRN"), ("186905", "SEN"), ("19-330-136", "EMPI"), ("2001408726", "Visit Number"),
    ]  # fmt: skip
    (group,) = found.groups
    assert (group.placer_number, group.filler_number) == ("", "2107662558")
    assert (group.service.loinc, group.service.local, group.service.local_system) == ("94500-6", "SARSCOV2", "LAB_IN")
    assert group.specimens[0].fluid_text == "Swab"
    assert group.parent_number == "21076-OID-8644"
    (seen,) = group.observations
    assert (seen.code.local, seen.readings[0].text, seen.standing) == ("SARS2", "NEGATIVE", Standing.FINAL)
    assert len(seen.notes) == 1
    assert seen.notes[0].startswith("Negative results do not preclude")
    assert "\n\nThis test has been authorized" in seen.notes[0]


def test_a_blood_count_is_part_pending_part_preliminary_under_a_final_order() -> None:
    (found,) = reports(sample("LAB-ORU-1"))
    assert found.version == "2.5"
    one, two = found.groups
    assert (one.place.number, one.filler_number, one.standing) == (1, "82503246", Standing.FINAL)
    assert [seen.standing for seen in one.observations] == [
        Standing.PENDING, Standing.PRELIMINARY, Standing.PENDING, Standing.PRELIMINARY, Standing.FINAL,
    ]  # fmt: skip
    assert one.observations[0].readings == ()
    assert (one.observations[1].readings[0].number, one.observations[1].unit) == ("4.06", "tera.l-1")
    assert one.observations[1].observed_at is not None
    assert one.observations[1].observed_at.at == datetime(2014, 10, 5, 23, 27, tzinfo=UTC)
    assert one.specimens[0].fluid_text == "BLD"
    assert two.specimens[0].numbers == ("SpecimenID",)
    assert not two.specimens[0].shared


def test_a_value_of_the_wrong_patient_is_there_and_said_to_be_wrong() -> None:
    (found,) = reports(sample("sample_SR"))
    (seen,) = observations(found.groups)
    assert (seen.standing, seen.standing_written, seen.readings[0].text) == (Standing.WRONG, "W", "Detected")
    assert found.groups[0].standing is Standing.CORRECTED
    assert len(seen.notes) == 5  # the empty first row is none


def test_corrected_results_say_so_with_their_note() -> None:
    (found,) = reports(sample("sample_VI"))
    seen = observations(found.groups)
    assert [one.standing for one in seen] == [Standing.CORRECTED] * 4 + [Standing.FINAL] * 4
    assert seen[0].notes == ("Corrected Result: INCORRECT_RESULT",)
    assert seen[0].code.also_called == ("COVID-19",)


def test_three_orders_share_a_specimen_that_each_names() -> None:
    (found,) = reports(sample("elims"))
    assert len(found.notes) == 6
    assert [group.specimens[0].numbers for group in found.groups][:3] == [("sphlspid", "3015894676")] * 3
    assert found.groups[0].specimens[0].reject_reasons == ()  # room temperature is no fault
    assert found.groups[1].notes == ("test comment  two lines test",)
    age = found.groups[0].observations[1]
    assert (age.value_type, age.readings[0].number, age.readings[0].text, age.unit) == ("SN", "23", "23", "a")
    assert found.groups[0].observations[0].readings[0].text == "2023-01-13"


def test_a_stool_culture_and_a_blood_lead_stand_in_one_message_with_a_specimen_each() -> None:
    (found,) = reports(sample("realm-cj"))
    culture, lead = found.groups
    assert culture.filler_number == lead.filler_number == "9700123"
    assert culture.specimens[0].fluid_text == "Stool specimen"
    assert lead.specimens[0].fluid_text == "Capillary blood specimen / Blood capillary"
    assert (culture.observations[0].standing, culture.standing) == (Standing.PRELIMINARY, Standing.FINAL)
    assert culture.observations[0].readings[0].text == "Campylobacter jejuni"
    assert culture.ordered_by == "Admit, Alan (1234)"
    assert culture.collected_at is not None
    assert culture.collected_at.zone_assumed
    assert culture.collected_at.at == datetime(2008, 7, 29, 19, tzinfo=UTC)
    assert found.sent_at is not None
    assert found.sent_at.at == datetime(2008, 8, 19, 1, 30, 2, tzinfo=UTC)


def test_a_value_two_fields_late_is_found_and_is_a_question() -> None:
    (found,) = reports(sample("realm-hep"))
    (group,) = found.groups
    late = group.observations[0]
    assert (late.readings[0].comparator, late.readings[0].number) == (">", "11.0")
    assert (late.standing, late.flags) == (Standing.FINAL, ("H", "POS"))
    assert [problem.code for problem in late.problems] == ["fields_shifted"]
    assert [seen.readings[0].text for seen in group.observations[1:]] == ["29", "food handler"]
    assert not any(seen.problems for seen in group.observations[1:])
    assert group.problems == late.problems
    assert found.patient is not None
    assert [number.kind for number in found.patient.identifiers] == ["MR", "SS"]


def test_a_corrected_lead_has_its_specimen_under_an_unnumbered_segment() -> None:
    (found,) = reports(sample("ORU_R01"))
    (seen,) = observations(found.groups)
    assert (seen.standing, seen.readings[0].number, seen.unit, seen.flags) == (
        Standing.CORRECTED,
        "25",
        "ug/dl",
        ("H",),
    )
    assert seen.reference_range == "<10 ug/dl"
    assert found.groups[0].specimens[0].fluid_codes == ("122554006", "BLDC")


@pytest.mark.parametrize(
    ("name", "text", "number", "separator", "second"),
    [
        ("OBX-to-Observation-sn-as-range", "1-3", "1", "-", "3"),
        ("OBX-to-Observation-sn-as-ratio", "1:3", "1", ":", "3"),
        ("OBX-to-Observation-tm", "22:31:00", "", "", ""),
        ("OBX-to-Observation-ft", "Some formatted value", "", "", ""),
    ],
)
def test_small_values_are_read_and_stay_a_question_where_the_message_breaks_off(
    name: str, text: str, number: str, separator: str, second: str
) -> None:
    (found,) = reports(sample(name))
    (seen,) = observations(found.groups)
    (reading,) = seen.readings
    assert (reading.text, reading.number, reading.separator, reading.second) == (text, number, separator, second)
    assert found.patient is None
    assert (seen.standing, codes(found)) == (Standing.UNKNOWN, ["may_be_cut"])


def test_an_absent_value_that_cannot_be_had_is_cancelled() -> None:
    (found,) = reports(sample("OBX-to-Observation-data-absent"))
    (seen,) = observations(found.groups)
    assert (seen.value_type, seen.readings, seen.standing) == ("", (), Standing.CANCELLED)


def test_a_cut_document_is_nothing_that_a_browser_would_open() -> None:
    (found,) = reports(sample("OBX-to-Observation-ed"))
    (seen,) = observations(found.groups)
    assert seen.document is not None
    assert (seen.document.media_type, seen.document.content, seen.document.truncated) == (
        "application/octet-stream", bytes(6), True,
    )  # fmt: skip
