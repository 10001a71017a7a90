"""Small things that every page test says."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from clinic.roles import Role
from procedures.models import Procedure
from tests import make


def as_role(role: Role) -> Client:
    """A browser in which somebody of this role has logged in."""
    client = Client()
    client.force_login(make.user(role))
    return client


def url(name: str, case: Procedure) -> str:
    """The address of a case's page in ``procedures``."""
    return reverse(f"procedures:{name}", args=[case.code])


def fresh(case: Procedure) -> Procedure:
    """The case as the database has it now."""
    return Procedure.objects.get(pk=case.pk)
