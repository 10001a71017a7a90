"""People who use the product, and the roles they hold."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models.columns import without
from clinic.roles import CLINICAL, STAFF, Role


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, username: str, password: str | None = None, *, full_name: str, roles: list[Role], email: str = ""
    ) -> User:
        """A new active user. Raises ValueError without a name or a role."""
        if not username or not full_name or not roles:
            raise ValueError("username, full_name and at least one role are needed")
        user = self.model(
            username=username.lower(),
            full_name=full_name,
            roles=sorted(str(r) for r in roles),
            email=self.normalize_email(email),
        )
        user.set_password(password)
        user.save(force_insert=True)
        return user

    def holding(self, role: Role) -> models.QuerySet[User]:
        """Active users who hold ``role``."""
        return self.filter(is_active=True, roles__contains=[str(role)])


class User(AbstractBaseUser):
    """A person with their own log-in; nobody shares one."""

    username = models.CharField(
        _("user name"),
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9._-]+$", _("Use small letters, digits, dot, dash and underline."))],
    )
    full_name = models.CharField(_("full name"), max_length=120)
    credentials = models.CharField(_("credentials"), max_length=40, blank=True, help_text=_("MD, RN, …"))
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    roles = ArrayField(models.CharField(max_length=20), verbose_name=_("roles"))
    is_active = models.BooleanField(_("active"), default=True)
    #: An administrator has set it, so two people know it: it must be changed before anything else.
    password_temporary = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("user")
        ordering = ("full_name",)
        constraints = (
            # `choices` do not constrain: a role nobody knows would own promises that nobody sees.
            models.CheckConstraint(
                condition=models.Q(roles__contained_by=[str(r) for r in Role]), name="user_roles_known"
            ),
            models.CheckConstraint(condition=~models.Q(roles=[]), name="user_has_a_role"),
        )
        indexes = (GinIndex(fields=["roles"], name="user_roles"),)  # ladder: who holds this role
        # What a person has done stays under their name: access is ended, the person is never deleted.
        triggers = (pgtrigger.Protect(name="user_never_deleted", operation=pgtrigger.Delete),)

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return f"{self.full_name}, {self.credentials}" if self.credentials else self.full_name

    @property
    def role_set(self) -> frozenset[Role]:
        return frozenset(Role(r) for r in self.roles)

    def has(self, *roles: Role) -> bool:
        return bool(self.role_set.intersection(roles))

    @property
    def is_clinical(self) -> bool:
        return bool(self.role_set & CLINICAL)

    @property
    def is_clinic_staff(self) -> bool:
        return bool(self.role_set & STAFF)


def names_alone(*paths: str) -> tuple[str, ...]:
    """What to ``defer`` where nothing but the display name is shown of the people that these paths lead to."""
    return tuple(name for path in paths for name in without(f"{path}__", User, {"full_name", "credentials"}))
