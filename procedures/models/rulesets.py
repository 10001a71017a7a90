"""The safety rules, as published and immutable versions of their two data files."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from procedures.domain import load_ruleset
from procedures.domain.ruleset import RuleSet


class RuleSetVersion(models.Model):
    """Medicines and thresholds as they were published together. The newest is in force for every open case."""

    number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64, unique=True)
    data = models.JSONField()
    published_at = models.DateTimeField()

    class Meta:
        verbose_name = _("rule set version")
        ordering = ("-number",)
        triggers = (pgtrigger.Protect(name="ruleset_version_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Rule set v{self.number}"

    @property
    def parsed(self) -> RuleSet:
        """The rules as frozen dataclasses; parsed once per digest and process. ``data`` may be deferred."""
        found = _PARSED.get(self.digest)
        if found is None:
            found = _PARSED[self.digest] = load_ruleset.parse(self.data)
        return found


_PARSED: dict[str, RuleSet] = {}


def parsed_of(digest: str) -> RuleSet:
    """The rules with this digest: no query once the process has parsed them."""
    return _PARSED.get(digest) or RuleSetVersion.objects.get(digest=digest).parsed
