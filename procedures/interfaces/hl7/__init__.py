"""HL7 v2: bytes into messages (``framing``), their headers (``header``), and what they say (``reading``).

Reading is pure: bytes and settings in, :mod:`procedures.domain.report` out; no rows, no clock. It raises nothing for
any bytes but :class:`~procedures.interfaces.hl7.header.NotAMessage`, and every step is linear in their number.

What comes by a line (``mllp``, ``listener``, ``storer``, ``service``) or in a file (``files``) is cut into messages and
judged by their headers (``intake``), kept, and only then answered (``acknowledgement``). It is read afterwards
(``waiting``, ``processing``).

The package ``hl7`` is not what reads here. It wants one line end, one header and a perfect MSH-2, makes a container
for every component of every segment (a message of a million observations does not fit into memory), and knows neither
character sets nor value types. It is the yardstick instead: the tests compare every field of the published messages
with what it finds once they were put in order for it, ``bench/hl7_reading.py`` compares the time.
"""
