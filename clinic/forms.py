"""How every form of the product is drawn.

``templates/bootstrap5/errors.html`` puts the error summary, with a link to each field, above the fields. Django says
``aria-invalid`` and ``aria-describedby`` (help text and error); crispy-forms gives the ids they name.
"""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper


class ClinicFormHelper(FormHelper):  # type: ignore[misc]  # crispy-forms has no types
    """Fields only: the template writes ``<form method="post" novalidate>`` and the buttons.

    ``novalidate`` because the server's messages rule: they are complete, translated, linked from the summary, and the
    same with and without a script.
    """

    def __init__(self, form: Any = None) -> None:
        super().__init__(form)
        self.form_tag = False
        self.attrs = {"novalidate": ""}
        self.form_show_errors = True
        self.error_text_inline = False
        self.help_text_inline = False


class ClinicFormMixin:
    """Put it before ``forms.Form`` or ``forms.ModelForm``: ``{% crispy form %}`` then draws it as every other form."""

    @property
    def helper(self) -> ClinicFormHelper:
        """A fresh helper: crispy-forms writes into it while drawing."""
        return ClinicFormHelper(self)
