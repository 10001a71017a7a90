"""Three questions for a machine: is the process alive, may it take requests, does the engine keep up.

A late engine must not take the pages down: only ``/healthz/engine`` says so, and nothing restarts because of it.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from clinic import health


@require_safe
@login_not_required
def alive(request: HttpRequest) -> JsonResponse:
    """200 while this process answers at all; asks nobody else."""
    return JsonResponse({"alive": True})


@require_safe
@login_not_required
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every migration, else 503."""
    problems = health.database_problems()
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


@require_safe
@login_not_required
def engine(request: HttpRequest) -> JsonResponse:
    """200 while the engine keeps up and the broker answers, else 503; with the figures either way."""
    state = health.engine_state()
    return JsonResponse(state, status=503 if state["problems"] else 200)
