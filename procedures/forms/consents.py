"""What a patient agrees to, as it is written down. What may be stored is decided in ``services.consents``."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.models.consents import ConsentChannel, ConsentHow

#: What a person of the staff can have seen or heard.
HOW = [(str(how), how.label) for how in (ConsentHow.SPOKEN, ConsentHow.SIGNED)]
AGREES = (("yes", _("Agrees to messages")), ("no", _("Wants none (any more)")))


class ConsentForm(ClinicFormMixin, forms.Form):
    """One channel at a time: given for the number or address that stands in the chart."""

    channel = forms.ChoiceField(label=_("Way"), choices=ConsentChannel.choices, widget=forms.RadioSelect)
    given = forms.ChoiceField(label=_("The patient"), choices=AGREES, widget=forms.RadioSelect)
    warned = forms.BooleanField(
        label=_("The patient was told that such messages are not encrypted, and wants them"),
        required=False,
        help_text=_("They say only that there is a message, where, and the phone number."),
    )
    how = forms.ChoiceField(label=_("How we know"), choices=HOW, widget=forms.RadioSelect, initial=ConsentHow.SPOKEN)
    note = forms.CharField(label=_("Note"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
