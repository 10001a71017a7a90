"""Reading of a row what is shown, and no more."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Model


def without(path: str, model: type[Model], kept: Collection[str]) -> list[str]:
    """For ``defer``: every other column of the model that stands at ``path``; its key is always read."""
    return [f"{path}{field.name}" for field in model._meta.concrete_fields if field.name not in {"id", *kept}]
