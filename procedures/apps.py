from __future__ import annotations

from django.apps import AppConfig


class ProceduresConfig(AppConfig):
    name = "procedures"
    verbose_name = "Procedures"

    def ready(self) -> None:
        from procedures import checks  # noqa: F401  (the protocol files and their translations)
