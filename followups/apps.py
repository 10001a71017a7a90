from __future__ import annotations

from django.apps import AppConfig


class FollowupsConfig(AppConfig):
    name = "followups"
    verbose_name = "Follow-ups"

    def ready(self) -> None:
        from followups import checks, guards, receivers  # noqa: F401  (checks, what must be handed over, the receiver)
        from followups.context import count_with_the_frame

        count_with_the_frame()
