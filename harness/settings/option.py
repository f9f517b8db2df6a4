"""One option, and how a text or a TOML value becomes its value: exact money, whole numbers, known words.

A value that does not fit is a UsageError that says where it stands, what it is and what would fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import UsageError

Kind = Literal[
    "text", "path", "integer", "seconds", "dollars", "choice", "concurrency", "switch", "prices", "limits", "alerts"
]
PRICE_KEYS = ("input", "output", "cached", "max_output")
"""US dollars per million tokens; ``max_output`` is the model's longest reply in tokens, for reserving money."""
LIMIT_KEYS = ("requests_per_minute", "tokens_per_minute", "in_flight")
ALERT_KEYS = ("drop", "errors", "cost", "webhook")
"""Percent: a pass rate below, trials not measured, a cost above; and the address that is told."""
MAX_CONCURRENCY = 1000
MAX_NUMBER = 2**53
"""No option means anything above this, and a number such as 1e999999 must not stop the program."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be set."""

    name: str
    """Key of the table; ``--harness-<name>`` with dashes; ``HARNESS_<NAME>``."""
    kind: Kind
    help: str
    """One sentence for ``--help`` and the docs."""
    default: Any = None
    metavar: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    flag: bool = True
    """Whether there is a command-line flag (tables have none)."""
    table: bool = True
    """Whether ``[tool.harness]`` may set it (what concerns one run only may not stand there)."""

    @property
    def flag_name(self) -> str:
        """``--harness-budget-usd``."""
        return "--harness-" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """``HARNESS_BUDGET_USD``."""
        return "HARNESS_" + self.name.upper()

    @property
    def wants(self) -> str:
        """What a value must be, in words: ``must be a text``."""
        return _want(self)

    def convert(self, value: Any, where: str) -> Any:
        """``value`` as the option's type; texts are read, other values must already fit.

        :param where: the place the value stands, for the message.
        :raises UsageError: it does not fit; the message says what would.
        """
        try:
            return _CONVERT[self.kind](self, value)
        except _Wrong as error:
            raise UsageError(f"{where}: {self.name} {error}") from None


def nearest(given: str, known: list[str]) -> str:
    """The end of a message about a name that is not known: the nearest one, or all of them."""
    import difflib

    close = difflib.get_close_matches(given.lower().replace("-", "_"), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


class _Wrong(Exception):
    pass


def _want(option: Option) -> str:
    return {
        "text": "must be a text",
        "path": "must be a path",
        "integer": f"must be a whole number of at least {option.minimum}",
        "seconds": "must be a number of seconds above 0",
        "dollars": "must be an amount in US dollars of at least 0",
        "choice": f"must be one of {', '.join(option.choices)}",
        "concurrency": f"must be 'auto' or a whole number from 1 to {MAX_CONCURRENCY}",
        "switch": "must be true or false",
        "prices": 'must be a table: "model" = {input = 0.15, output = 0.60}, US dollars per million tokens',
        "limits": f'must be a table: "provider" = {{in_flight = 8}}; keys: {", ".join(LIMIT_KEYS)}',
        "alerts": "must be a table: drop = 20, errors = 5, cost = 10 (percent), webhook = an http(s) address",
    }[option.kind]


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else repr(value)[:200]


def _number(option: Option, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _Wrong(f"{option.wants}, got {_shown(value)}") from None
    if not number.is_finite():
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    if number > MAX_NUMBER or number < -MAX_NUMBER:
        raise _Wrong(f"{option.wants} and at most {MAX_NUMBER}, got {_shown(value)}")
    return number


def _text(option: Option, value: Any) -> str:
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    return str(value)


def _integer(option: Option, value: Any) -> int:
    number = _number(option, value)
    if number != int(number) or number < (option.minimum or 0):
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    return int(number)


def _seconds(option: Option, value: Any) -> float:
    number = _number(option, value)
    if number <= 0:
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    return float(number)


def _dollars(option: Option, value: Any) -> Decimal:
    number = _number(option, value)
    if number < 0:
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    return number


def _choice(option: Option, value: Any) -> str:
    if value in option.choices:
        return str(value)
    import difflib

    close = difflib.get_close_matches(str(value).lower(), option.choices, n=1)
    raise _Wrong(f"{option.wants}, got {_shown(value)}" + (f"; did you mean {close[0]!r}?" if close else ""))


def _concurrency(option: Option, value: Any) -> int | str:
    if value == "auto":
        return "auto"
    number = _number(option, value)
    if number != int(number) or not 1 <= number <= MAX_CONCURRENCY:
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    return int(number)


def _switch(option: Option, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise _Wrong(f"{option.wants}, got {_shown(value)}")


def _tables(option: Option, value: Any, keys: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    for name, entry in value.items():
        if not isinstance(entry, Mapping):
            hint = "; quote a name that has dots" if "." not in str(name) else ""
            raise _Wrong(f"{option.wants}, got {name} = {entry!r}{hint}")
        for key in entry:
            if key not in keys:
                hint = "; quote a name that has dots" if isinstance(entry[key], Mapping) else ""
                raise _Wrong(f"has an unknown key {key!r} for {name!r}{hint or nearest(key, list(keys))}")
    return dict(value)


def _prices(option: Option, value: Any) -> dict[str, dict[str, Decimal]]:
    out: dict[str, dict[str, Decimal]] = {}
    for model, entry in _tables(option, value, PRICE_KEYS).items():
        out[model] = {key: _number(option, amount) for key, amount in entry.items()}
        if missing := [key for key in PRICE_KEYS[:2] if key not in entry]:
            raise _Wrong(f"has no {missing[0]!r} price for {model!r}; it {option.wants}")
        if negative := [key for key, amount in out[model].items() if amount < 0]:
            raise _Wrong(f"must be at least 0, got {model!r}: {negative[0]} = {entry[negative[0]]}")
    return out


def _limits(option: Option, value: Any) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for provider, entry in _tables(option, value, LIMIT_KEYS).items():
        for key, amount in entry.items():
            if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
                raise _Wrong(f"must be whole numbers of at least 1, got {provider!r}: {key} = {amount!r}")
        out[provider] = dict(entry)
    return out


def _alerts(option: Option, value: Any) -> dict[str, float | str]:
    if not isinstance(value, Mapping):
        raise _Wrong(f"{option.wants}, got {_shown(value)}")
    return {str(key): _alert(option, str(key), entry) for key, entry in value.items()}


def _alert(option: Option, key: str, value: Any) -> float | str:
    """One value of the alerts: a percentage, or an address, which is never printed because it is often a secret."""
    if key not in ALERT_KEYS:
        raise _Wrong(f"has an unknown key {key!r}{nearest(key, list(ALERT_KEYS))}")
    if key == "webhook":
        if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise _Wrong(f"need {key} to be an http:// or https:// address; this one is not")
        return value
    if isinstance(value, str):
        hint = "; write it without quotes" if re.fullmatch(r"[\d.]+", value) else ", such as 10"
        raise _Wrong(f"need {key} as a number of percent, got the text {value!r}{hint}")
    most = 1_000_000 if key == "cost" else 100
    try:
        number = _number(option, value)
    except _Wrong:
        number = Decimal(-1)
    if not 0 <= number <= most:
        raise _Wrong(f"need {key} in percent from 0 to {most:,}, such as 10, got {_shown(value)}")
    return float(number)


_CONVERT: dict[str, Any] = {
    "text": _text,
    "path": lambda option, value: Path(_text(option, value)),
    "integer": _integer,
    "seconds": _seconds,
    "dollars": _dollars,
    "choice": _choice,
    "concurrency": _concurrency,
    "switch": _switch,
    "prices": _prices,
    "limits": _limits,
    "alerts": _alerts,
}
