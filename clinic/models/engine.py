"""What the follow-up engine says of itself."""

from __future__ import annotations

from datetime import timedelta

from django.db import models


class Heartbeat(models.Model):
    """Written by the worker at the end of each completed pass, in wall-clock time."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class PeriodicRun(models.Model):
    """A daily job claims its slot here first: two beats, one run."""

    name = models.CharField(max_length=60)
    slot = models.CharField(max_length=40)
    started_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["name", "slot"], name="one_run_per_slot"),)

    def __str__(self) -> str:
        return f"{self.name} {self.slot}"


class DemoClock(models.Model):
    """The one stored offset of the demonstration's clock (row 1)."""

    offset = models.DurationField(default=timedelta(0))

    def __str__(self) -> str:
        return str(self.offset)
