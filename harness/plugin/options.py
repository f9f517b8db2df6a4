"""Flags from the one table of options, and settings from the flags."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.settings import Settings

PREFIX = "harness_"


def add_flags(parser: pytest.Parser) -> None:
    """``--harness-*`` for every option that may be given on the command line."""
    from harness.settings import OPTIONS

    group = parser.getgroup("harness", "evaluation of LLM agents (golden cases, gates, scorecard)")
    for option in OPTIONS:
        if not option.flag:
            continue
        if option.kind == "switch":
            group.addoption(option.flag_name, dest=PREFIX + option.name, action="store_true", help=option.help)
        else:
            shown = option.metavar or ("|".join(option.choices) if option.choices else None)
            group.addoption(option.flag_name, dest=PREFIX + option.name, metavar=shown, default=None, help=option.help)


def given_flags(config: pytest.Config) -> dict[str, Any]:
    """The flags that were given, by option name."""
    from harness.settings import OPTIONS

    values = {}
    for option in OPTIONS:
        value = config.getoption(PREFIX + option.name, None)
        if option.flag and value is not None and value is not False:
            values[option.name] = value
    return values


def check_flags(config: pytest.Config) -> None:
    """Refuse a flag that cannot be meant before anything is collected.

    Only flags that were given are looked at, so that a session without any pays nothing.

    :raises pytest.UsageError: names the flag, the value and what would fit.
    """
    if given_flags(config):
        load_settings(config)


def load_settings(config: pytest.Config) -> Settings:
    """Command line over environment over ``[tool.harness]`` over defaults.

    :raises pytest.UsageError: a value does not fit.
    """
    from harness.core.errors import UsageError
    from harness.settings import Settings

    try:
        return Settings.load(config.rootpath, cli=given_flags(config), environ=os.environ)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
