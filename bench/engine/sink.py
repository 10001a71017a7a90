"""A mail server that takes everything and keeps nothing: as little work for each mail as SMTP allows.

``python -m bench.engine.sink FILE`` prints its port and appends a line for each mail that it has taken.
"""

from __future__ import annotations

import asyncio

from bench.engine import effects

GREETING, OK, GO, BYE = b"220 sink\r\n", b"250 OK\r\n", b"354 go on\r\n", b"221 bye\r\n"


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GREETING)
    try:
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(GO)
                await _message(reader)
                effects.record(1)
                writer.write(OK)
            elif word == b"QUIT":
                writer.write(BYE)
                break
            else:
                writer.write(OK)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _message(reader: asyncio.StreamReader) -> None:
    while (line := await reader.readline()) != b".\r\n":
        if not line:
            raise ConnectionError


async def main() -> None:
    server = await asyncio.start_server(take, "127.0.0.1", 0)
    print(f"port {server.sockets[0].getsockname()[1]} ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
