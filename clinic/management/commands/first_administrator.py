"""``manage.py first_administrator``: the one person who cannot be added in a browser."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import users
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.models import User
from clinic.roles import Role


class Command(BaseCommand):
    help = "Add the first administrator, who adds everybody else, and print a one-time password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="full name, as it appears in the audit")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.holding(Role.ADMINISTRATOR).exists():
            raise CommandError("There is an administrator already, who can add others.")
        actor = Actor(None, "first_administrator", frozenset({Role.ADMINISTRATOR}), via="command")
        try:
            user, password = users.create(
                actor=actor,
                username=options["username"],
                full_name=options["name"],
                email=options["email"],
                roles=[Role.ADMINISTRATOR],
            )
        except Conflict as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{user.username} may log in with {password} and must then choose a password.")
