"""The form for a laboratory's files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin

MOST_FILES = 20


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """A list of files; each must hold something."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        single = super().clean
        return [single(one, initial) for one in data or ()]


class UploadForm(ClinicFormMixin, forms.Form):
    """Files, or text that was copied out of one."""

    given = FilesField(
        label=_("Files"),
        required=False,
        help_text=_("HL7 v2 messages as the laboratory wrote them; one or many in a file."),
    )
    text = forms.CharField(
        label=_("Or the text of messages"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Begins with MSH. Copy whole messages: a line that is missing is not noticed."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        files: list[UploadedFile[Any]] = data.get("given") or []
        if not self.errors and not files and not data.get("text", "").strip():
            self.add_error("given", _now("Choose a file, or paste the text of messages."))
        if len(files) > MOST_FILES:
            self.add_error("given", _now("Not more than %(most)s files at a time.") % {"most": MOST_FILES})
        size = sum(file.size or 0 for file in files) + len(data.get("text", "").encode())
        if size > settings.INBOUND_MAX_BYTES:
            words = _now("Together this is %(size)s, and %(most)s is the limit. Give it in several parts.")
            most = filesizeformat(settings.INBOUND_MAX_BYTES)
            self.add_error("given", words % {"size": filesizeformat(size), "most": most})
        return data

    def raws(self) -> list[bytes]:
        """What was given, byte for byte; text as UTF-8."""
        found = [file.read() for file in self.cleaned_data["given"]]
        text = self.cleaned_data["text"]
        return [*found, text.encode()] if text.strip() else found
