"""Plugins of the test suite, named in pyproject.toml."""
