"""A clinic in the week of Monday 16 November 2026, and a clock that only the story moves."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.models import User
from tests import make
from tests.factories.people import Cast
from tests.flows.story import Story, moment


@pytest.fixture
def story(cast: Cast, time_machine: Any) -> Story:
    """The standing cast, two rooms, opening hours, Monday eight o'clock."""
    time_machine.move_to(moment(0, "08:00"), tick=False)
    make.opening_hours()
    rooms = {"clinic": make.room("Procedure room 1"), "radiology": make.room("Radiology", location="radiology")}
    for person in User.objects.all():
        person.email = f"{person.username}@clinic.test"
        person.save(update_fields=["email"])
    return Story(cast=cast, rooms=rooms, travel=lambda when: time_machine.move_to(when, tick=False))
