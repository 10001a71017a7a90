"""Why something waits, in words; by code."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "nobody_named": _("The message names no patient."),
    "no_number": _("No patient number that counts here: it is missing, empty, or given by somebody we do not know."),
    "unknown_number": _("Nobody here bears this patient number."),
    "several_patients": _("The patient numbers belong to two people."),
    "only_the_number": _("The number is known, but neither birth date nor name confirms it."),
    "birth_date_differs": _("The number is known, but the birth date is another."),
    "name_differs": _("The number is known, but the name is another and no birth date is said."),
    "another_patients_specimen": _("The tube or the order is another patient's than the patient number says."),
    "numbers_disagree": _("Tube and order are of two cases."),
    "case_in_error": _("The case was entered in error."),
    "no_case": _("No case of this patient with this fluid near this time."),
    "no_time": _("No time of collection, tube or order that would say which case."),
    "several_cases": _("Two cases of this patient are near this time."),
    "no_code": _("The test has no code."),
    "unknown_code": _("We do not know what this laboratory means by the code."),
    "several_tests": _("Two tests of this case have this code."),
    "codes_disagree": _("The LOINC and the laboratory's own code mean two tests."),
    "code_of_another_fluid": _("The code is of another fluid than the specimen."),
    "fluid_differs": _("The specimen is another fluid than the test is for."),
    "unknown_laboratory": _("We do not know which laboratory sent it."),
    "unknown_standing": _("The laboratory does not say whether it is preliminary or final."),
    "not_production": _("The laboratory marks the message as one for training or testing."),
    "unreadable_part": _("Part of it cannot be read."),
    "nothing_inside": _("There is no value in it."),
    "several_values": _("The same value comes twice, with different numbers."),
    "failed": _("It could not be entered, for a fault of this program."),
    "undone": _("Somebody took a wrong attachment back."),
}


def words(reasons: Iterable[str]) -> list[str]:
    """In the order given, each once."""
    return [str(WORDS.get(reason, reason)) for reason in dict.fromkeys(reasons)]
