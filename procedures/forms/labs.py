"""Forms for orders and tubes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.domain.lab_content import Container
from procedures.domain.protocol import Protocol
from procedures.models.labs import LossCode, SpecimenLoss
from procedures.selectors.labs import SpecimenRow, TestRow
from procedures.services.lab_rows import REASON_LENGTH
from procedures.services.labs import AccessionTaken, Tube

MOST_TUBES = 12
MOST_ML = 30000


def moment_field(label: Any, **extra: Any) -> forms.DateTimeField:
    """A required date and time of the clinic's zone."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget, **extra)


class ReasonForm(ClinicFormMixin, forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=REASON_LENGTH)


class RecollectForm(ClinicFormMixin, forms.Form):
    """A rejected or lost test: again, given up, or examined all the same."""

    decision = forms.ChoiceField(label=_("What shall be done?"), widget=forms.RadioSelect)
    reason = forms.CharField(label=_("Because"), max_length=100)

    def __init__(self, *args: Any, rejected: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            ("recollect", _("Collect again (the patient is told)")),
            ("cancel", _("Cancel the test and accept the loss (the patient is told)")),
        ]
        if rejected:
            words = _(
                "The laboratory examines it all the same: accept the risk; what is wrong stands beside the result"
            )
            choices.append(("accept", words))
        self.fields["decision"].choices = choices  # type: ignore[attr-defined]


class AddTestForm(ClinicFormMixin, forms.Form):
    """One more test, or a whole panel."""

    what = forms.ChoiceField(label=_("Test or panel"))

    def __init__(self, *args: Any, protocol: Protocol, ordered: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tests = [(f"test:{t.code}", t.label) for t in protocol.tests if t.code not in ordered]
        panels = [(f"panel:{p.code}", p.label) for p in protocol.panels]
        self.fields["what"].choices = [  # type: ignore[attr-defined]
            ("", gettext("Choose")),
            (gettext("Tests"), tests),
            (gettext("Panels (what is ordered already stays)"), panels),
        ]


class LossForm(ClinicFormMixin, forms.Form):
    loss = forms.ChoiceField(label=_("What happened?"), choices=SpecimenLoss.choices, widget=forms.RadioSelect)
    code = forms.ChoiceField(label=_("Why?"), choices=LossCode.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("In words"),
        max_length=REASON_LENGTH - 60,
        required=False,
        help_text=_("What the laboratory said. Needed for *something else*."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("code") == LossCode.OTHER and not cleaned.get("reason"):
            self.add_error("reason", _("Say why."))
        return cleaned


class _TubesForm(ClinicFormMixin, forms.Form):
    """Several tubes at once, all ticked to begin with."""

    specimens = forms.TypedMultipleChoiceField(label=_("Tubes"), coerce=int, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, rows: Sequence[SpecimenRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["specimens"].choices = [(row.specimen.pk, tube_words(row)) for row in rows]  # type: ignore[attr-defined]


class HandOverForm(_TubesForm):
    to = forms.CharField(label=_("Handed to"), max_length=120, help_text=_("Courier, porter, tube system"))
    at = moment_field(_("When"))


class ReceiveForm(_TubesForm):
    confirmed_by = forms.CharField(
        label=_("Confirmed by"), max_length=120, help_text=_("Name and department of who answered in the laboratory")
    )
    counted = forms.IntegerField(
        label=_("How many of the ticked tubes the laboratory counts"),
        min_value=0,
        max_value=MOST_TUBES * 2,
        required=False,
    )
    at = moment_field(_("Received"))


def tube_words(row: SpecimenRow) -> str:
    """A tube in one line: number, container, laboratory number."""
    number = f"{row.specimen.tube_number} · " if row.specimen.tube_number is not None else ""
    accession = f" · {row.specimen.accession}" if row.specimen.accession else ""
    return f"{number}{row.label}{accession}"


# --- collecting -----------------------------------------------------------------------------


class TubeForm(ClinicFormMixin, forms.Form):
    """One tube of the collection page."""

    take = forms.BooleanField(label=_("Taken"), required=False)
    container = forms.ChoiceField(label=_("Container"), required=False)
    tube_number = forms.IntegerField(label=_("Tube number"), min_value=1, max_value=99, required=False)
    volume_ml = forms.DecimalField(
        label=_("Volume, mL"), min_value=0, max_value=MOST_ML, max_digits=7, decimal_places=1, required=False
    )
    accession = forms.CharField(
        label=_("Laboratory number"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-scan": True}),
        help_text=_("Typed or scanned"),
    )
    label_checked = forms.BooleanField(label=_("Labelled before the patient, two identifiers"), required=False)

    def __init__(self, *args: Any, containers: Sequence[Container], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(c.code, c.label) for c in containers]
        self.fields["container"].choices = [("", gettext("Choose")), *names]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("take") and not cleaned.get("container"):
            self.add_error("container", _("Choose the container, or untick the tube."))
        return cleaned


class CollectForm(ClinicFormMixin, forms.Form):
    """When, which tubes, and which test runs on which tube: laboratories assign tubes differently."""

    collected_at = moment_field(_("Collected"))
    rows = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=MOST_TUBES)

    def __init__(
        self,
        *args: Any,
        protocol: Protocol,
        tests: Sequence[TestRow],
        suggested: Sequence[Container],
        later: frozenset[str] = frozenset(),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.tests, self.suggested, self.protocol = list(tests), list(suggested), protocol
        self.tubes = [self._tube(index) for index in range(self._count())]
        places = {container.code: str(index) for index, container in enumerate(suggested)}
        choices = [("", gettext("not collected now"))]
        choices += [(str(index), gettext("tube row %(n)s") % {"n": index + 1}) for index in range(len(self.tubes))]
        for row in self.tests:
            initial = "" if row.test.code in later else places.get(row.test.container, "")
            field = forms.ChoiceField(label=row.test.label, choices=choices, required=False, initial=initial)
            self.fields[f"test_{row.test.pk}"] = field
        self.initial.setdefault("rows", len(self.tubes))

    def _count(self) -> int:
        if not self.is_bound:
            return min(len(self.suggested) + 1, MOST_TUBES)
        try:
            return max(1, min(int(self.data.get("rows", "")), MOST_TUBES))
        except ValueError:
            return len(self.suggested) + 1

    def _tube(self, index: int) -> TubeForm:
        initial: dict[str, Any] = {}
        if index < len(self.suggested):
            container = self.suggested[index]
            initial = {"take": True, "container": container.code, "tube_number": container.tube_number}
        data = self.data if self.is_bound else None
        return TubeForm(data, prefix=f"tube{index}", containers=self.protocol.containers, initial=initial)

    @property
    def test_fields(self) -> list[forms.BoundField]:
        return [self[f"test_{row.test.pk}"] for row in self.tests]

    def is_valid(self) -> bool:
        tubes = [tube.is_valid() for tube in self.tubes]
        return super().is_valid() and all(tubes)

    @property
    def has_errors(self) -> bool:
        return bool(self.errors) or any(tube.errors for tube in self.tubes)

    def taken(self) -> list[tuple[int, Tube]]:
        """The ticked rows, with the tests that were put into them."""
        found = []
        for index, tube in enumerate(self.tubes):
            data = tube.cleaned_data
            if data["take"]:
                tests = (r.test.pk for r in self.tests if self.cleaned_data[f"test_{r.test.pk}"] == str(index))
                found.append((index, _tube(data, tuple(tests))))
        return found

    def add_taken_accession(self, error: AccessionTaken, taken: Sequence[tuple[int, Tube]]) -> None:
        """The sentence stands beside the tube that carries the number."""
        index = taken[error.row][0]
        self.tubes[index].add_error("accession", gettext(error.message) % error.params)

    def collected(self) -> datetime:
        at: datetime = self.cleaned_data["collected_at"]
        return at


def _tube(data: dict[str, Any], tests: tuple[int, ...]) -> Tube:
    return Tube(
        container=data["container"],
        tests=tests,
        tube_number=data["tube_number"],
        volume_ml=data["volume_ml"],
        accession=data["accession"],
        label_checked=data["label_checked"],
    )
