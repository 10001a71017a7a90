"""One kind of procedure, as published and immutable versions of its data file."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from procedures.domain import load
from procedures.domain.protocol import Protocol as ProtocolData


class Protocol(models.Model):
    """A kind of procedure; its content is in its versions."""

    code = models.SlugField(max_length=60, unique=True)
    label = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("protocol")
        ordering = ("label",)

    def __str__(self) -> str:
        return self.label


class ProtocolVersion(models.Model):
    """A published protocol file. Cases pin the version they were requested under."""

    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    data = models.JSONField()
    published_at = models.DateTimeField()

    class Meta:
        verbose_name = _("protocol version")
        ordering = ("protocol_id", "-number")
        constraints = (
            models.UniqueConstraint(fields=["protocol", "number"], name="protocol_version_number"),
            models.UniqueConstraint(fields=["protocol", "digest"], name="protocol_version_digest"),
        )
        triggers = (
            pgtrigger.Protect(name="protocol_version_immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.protocol_id} v{self.number}"

    @cached_property
    def parsed(self) -> ProtocolData:
        """The data as frozen dataclasses; parsed once per digest and process.

        Lists may defer ``data``: it is large, and is read only by the first who asks for this digest.
        """
        return _PARSED.get(self.digest) or parsed(self.digest, self.data)


_PARSED: dict[str, ProtocolData] = {}


def known(digest: str) -> ProtocolData | None:
    """What this process has read already: content of this digest was found valid."""
    return _PARSED.get(digest)


def parsed(digest: str, data: dict[str, Any]) -> ProtocolData:
    found = _PARSED.get(digest)
    if found is None:
        found = _PARSED[digest] = load.parse(data, name="published version")
    return found
