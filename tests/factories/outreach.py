"""A patient who may be written to, and a provider of texts that listens on this computer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from clinic.actor import Actor
from procedures.models import Patient
from procedures.services import consents
from tests import make

NUMBER = "+12025550177"
EMAIL = "w.quackenbush@example.test"


def patient(*channels: str, **extra: Any) -> Patient:
    """Who has agreed to these channels (``sms``, ``email``), knowing that they are not encrypted."""
    row = make.patient(phone=extra.pop("phone", NUMBER), email=extra.pop("email", EMAIL), **extra)
    for channel in channels:
        consents.record(actor=Actor.system("tests"), patient=row, channel=channel, given=True, warned=True)
    row.refresh_from_db()
    return row


@dataclass
class Provider:
    """``answers``: what the next requests get, as (status, body, headers); then 201. ``None``: the connection is cut
    after everything was read, ``"hang"``: nothing is answered.
    """

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def form(self, place: int = -1) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.requests[place]["body"]).items()}


@contextmanager
def provider(*answers: Any) -> Iterator[Provider]:
    """A stand-in for a provider, on a port of this computer."""
    found = Provider(answers=list(answers))
    let_go = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
            answer = found.answers.pop(0) if found.answers else (201, {"sid": f"SM{len(found.requests):032d}"}, {})
            if answer is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if answer == "hang":
                let_go.wait(30)
                self.close_connection = True
                return
            status, content, headers = answer
            raw = json.dumps(content).encode() if not isinstance(content, bytes) else content
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
