"""What could not be read, or was read though it is written otherwise, in sentences; by code."""

from __future__ import annotations

from procedures.domain.report import Place, Unread

WORDS = {
    # problems: a question for a person
    "birth_date_unreadable": "The date of birth cannot be read.",
    "continued": "The message says that it goes on in another one.",
    "damaged_characters": "Characters were lost before or while this was read.",
    "document_empty": "The embedded document is empty.",
    "document_unreadable": "The embedded document cannot be decoded.",
    "fields_shifted": "The fields of this observation stand too late; the value was looked for where it seems to be.",
    "may_be_cut": "The message ends in the middle of this segment: its value may be cut off.",
    "no_code": "The observation has no code and no name.",
    "no_results": "There is no order and no observation in it.",
    "other_message": "This is not a message with results.",
    "second_message": "A second message begins here; it is not read as part of the first.",
    "several_patients": "The message speaks of several patients.",
    "unreadable": "This segment cannot be read.",
    # remarks: read all the same
    "charset_claimed_wrongly": "The bytes are not in the character set that the message names.",
    "charset_guessed": "No character set is named; it was taken by the bytes.",
    "charset_unknown": "The character set that the message names is not known.",
    "field_broken_into_lines": "A text was broken into lines; they were put together again.",
    "more_documents": "There is more than one document in this observation; the first is shown.",
    "no_order": "Observations without an order before them.",
    "not_a_number": "The type says that it is a number, but it is not.",
    "nul_bytes": "There are NUL bytes in the message; they were left out.",
    "status_late": "The status stands one field late.",
    "status_of_order": "No status of its own; that of the order is taken.",
    "time_doubtful": "This hour is skipped or repeated by the clocks: it may be an hour off.",
    "time_unreadable": "A time cannot be read.",
}


def unread(code: str, place: Place | None = None) -> Unread:
    return Unread(place=place, code=code, words=WORDS[code])
