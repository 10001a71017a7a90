"""The tokens of the style sheets hold their contrast in both themes, by computation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

TEXT = 4.5
EDGE = 3.0

GROUNDS = ("paper", "surface", "sunken", "hover")
TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-soft", "accent", "accent-strong") for ground in GROUNDS),
    *((tone, ground) for tone in ("critical", "overdue", "due", "waiting", "done") for ground in GROUNDS),
    *((tone, f"{tone}-wash") for tone in ("critical", "overdue", "due", "waiting", "done")),
    *((ink, f"{tone}-wash") for ink in ("ink", "ink-soft") for tone in ("critical", "overdue", "due", "waiting")),
    *((ink, "accent-wash") for ink in ("ink", "ink-soft", "accent", "critical", "overdue", "due", "waiting", "done")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-critical", "critical"),
    *((ink, ground) for ink in ("bar-ink", "bar-ink-soft") for ground in ("bar", "bar-hover")),
]
EDGE_PAIRS = [
    *((edge, ground) for edge in ("line-strong", "focus", "accent") for ground in ("paper", "surface", "sunken")),
    ("bar-focus", "bar"),
    ("bar-mark", "bar"),
]


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme; dark overrides light."""
    source = (Path(settings.BASE_DIR) / "static" / "app" / "tokens.css").read_text(encoding="utf-8")
    light, dark = source.split("@media (prefers-color-scheme: dark)")
    dark = dark.split("@media")[0]
    found = dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", light))
    return found | dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", dark)) if theme == "dark" else found


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT_PAIRS, TEXT), (EDGE_PAIRS, EDGE)], ids=["text", "edges"])
def test_every_pair_is_legible(theme: str, pairs: list[tuple[str, str]], least: float) -> None:
    colours = tokens(theme)
    weak = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < least} == {}


def test_the_themes_differ() -> None:
    assert tokens("light")["surface"] != tokens("dark")["surface"]
