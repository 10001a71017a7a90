"""A DomainError in the reader's language, on a page or beside the field it is about."""

from __future__ import annotations

from django.forms import BaseForm
from django.utils.translation import gettext

from clinic.errors import DomainError


def translated(error: DomainError) -> str:
    """The message with its parameters filled in."""
    text = gettext(error.message)
    return text % error.params if error.params else text


def add_to_form(form: BaseForm, error: DomainError) -> None:
    """Show the error beside its field, or above the form when it names none."""
    field = getattr(error, "field", "")
    form.add_error(field if field in form.fields else None, translated(error))
