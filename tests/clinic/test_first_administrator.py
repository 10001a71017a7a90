from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic.models import AuditEntry, User
from clinic.roles import Role

pytestmark = pytest.mark.django_db


def test_the_first_administrator_gets_a_password_to_change(capsys: Any) -> None:
    call_command("first_administrator", "olga", "--name", "Olga Root")
    user = User.objects.get(username="olga")
    assert user.roles == [Role.ADMINISTRATOR]
    assert user.password_temporary
    password = capsys.readouterr().out.split(" with ")[1].split()[0]
    assert user.check_password(password)
    entry = AuditEntry.objects.get(action="user.created")
    assert (entry.actor_name, entry.subject_id) == ("first_administrator", user.pk)


def test_there_is_only_one_first_administrator() -> None:
    call_command("first_administrator", "olga", "--name", "Olga Root")
    with pytest.raises(CommandError, match="administrator already"):
        call_command("first_administrator", "otto", "--name", "Otto Root")
    assert User.objects.count() == 1
