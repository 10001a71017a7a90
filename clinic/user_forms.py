"""Forms about people. What they may change is decided in ``clinic.users``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import User
from clinic.roles import Role

ROLE_LABELS = {
    Role.SCHEDULER: _("Scheduler: books and moves procedures"),
    Role.NURSE: _("Nurse: checklists, specimens, calls to patients"),
    Role.PHYSICIAN: _("Physician: procedures, results, decisions"),
    Role.DIRECTOR: _("Director: answers for open items, rooms, hours and audit"),
    Role.ADMINISTRATOR: _("Administrator: users; sees no charts"),
}


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's details and roles, as an administrator sees them."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(str(role), label) for role, label in ROLE_LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role.")},
    )

    class Meta:
        model = User
        fields = ("full_name", "credentials", "email", "phone")

    @classmethod
    def of(cls, user: User, data: Any = None) -> UserForm:
        """Filled from a user, without touching that object: the service compares old with new."""
        names = ("full_name", "credentials", "email", "phone", "roles")
        return cls(data, initial={name: getattr(user, name) for name in names})

    def clean_roles(self) -> list[Role]:
        return [Role(value) for value in self.cleaned_data["roles"]]


class NewUserForm(UserForm):
    """The same for a new person, with the user name that stays theirs."""

    class Meta(UserForm.Meta):
        fields = ("username", "full_name", "credentials", "email", "phone")  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("Small letters, digits, dot, dash, underline. It stays for good.")
        self.fields["username"].widget.attrs["autocapitalize"] = "none"
        self.fields["username"].error_messages["unique"] = _("This user name is taken.")


class OwnDetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """How I can be reached."""

    class Meta:
        model = User
        fields = ("email", "phone")

    @classmethod
    def of(cls, user: User, data: Any = None) -> OwnDetailsForm:
        return cls(data, initial={"email": user.email, "phone": user.phone})
