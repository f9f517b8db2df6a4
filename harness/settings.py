"""Every option in one table, and the one rule for its value: command line, environment, marker, table, default.

The table :data:`OPTIONS` is what the plugin's ``--harness-*`` flags, the variables ``HARNESS_*``, the keys of
``[tool.harness]`` in pyproject.toml and the page of the docs are made from; nothing about an option is said twice.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import UsageError

Kind = Literal["text", "path", "integer", "seconds", "dollars", "choice", "concurrency", "switch", "prices", "limits"]
PRICE_KEYS = ("input", "output", "cached")
LIMIT_KEYS = ("requests_per_minute", "tokens_per_minute", "in_flight")
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

    def convert(self, value: Any, where: str) -> Any:
        """``value`` as the option's type; texts are read, other values must already fit.

        :param where: the place the value stands, for the message.
        :raises UsageError: it does not fit; the message says what would.
        """
        try:
            return _CONVERT[self.kind](self, value)
        except _Wrong as error:
            raise UsageError(f"{where}: {self.name} {error}") from None


OPTIONS: tuple[Option, ...] = (
    Option(
        name="agent",
        kind="text",
        metavar="SPEC",
        help="The agent: module:function, litellm:MODEL, openai:MODEL@URL, an http(s) address, or cmd:COMMAND.",
    ),
    Option(
        name="mode",
        kind="choice",
        choices=("replay", "record", "live"),
        default="replay",
        help="replay: local agents and recordings only; record: live, and keep the replies; live: call providers.",
    ),
    Option(
        name="datasets", kind="path", metavar="DIR", default="golden_datasets", help="Folder of the golden datasets."
    ),
    Option(name="runs", kind="path", metavar="DIR", default="reports/runs", help="Folder that receives the runs."),
    Option(
        name="rules",
        kind="path",
        metavar="FILE",
        help="Rules of the release gate; default: reports/release.toml where it exists.",
    ),
    Option(
        name="baseline",
        kind="text",
        metavar="FILE|RUN",
        help="Accepted run to compare with: a file of reports/baselines, or a run id.",
    ),
    Option(
        name="trials", kind="integer", metavar="N", minimum=1, help="Trials of every case; default: the marker's or 1."
    ),
    Option(
        name="concurrency",
        kind="concurrency",
        metavar="N|auto",
        default="auto",
        help="Trials in flight: a number, or auto (starts at 32 and follows the providers, at most 1000).",
    ),
    Option(name="deadline_s", kind="seconds", metavar="S", help="Seconds a trial may take; default: no limit."),
    Option(name="budget_usd", kind="dollars", metavar="USD", help="Money cap of the run, US dollars; default: none."),
    Option(
        name="seed", kind="integer", metavar="N", default=0, minimum=0, help="Seed that every trial's seed comes from."
    ),
    Option(
        name="redact",
        kind="choice",
        choices=("secrets", "personal", "off"),
        default="secrets",
        help="What the journal keeps out: secrets; personal (secrets and personal data); off.",
    ),
    Option(name="resume", kind="text", metavar="RUN", table=False, help="Continue a run: only what is missing is run."),
    Option(
        name="replay",
        kind="path",
        metavar="FILE",
        table=False,
        help="Recorded trajectories to judge instead of running an agent.",
    ),
    Option(name="estimate", kind="switch", default=False, table=False, help="Price the run without running it."),
    Option(
        name="prices",
        kind="prices",
        flag=False,
        help="Prices per model, US dollars per million tokens: input, output and, optionally, cached.",
    ),
    Option(
        name="limits",
        kind="limits",
        flag=False,
        help="Limits per provider: requests_per_minute, tokens_per_minute, in_flight.",
    ),
)
"""Every option, in the order of the docs."""

BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every option's value for one session, and where it came from. Made by :meth:`load`."""

    agent: str | None = None
    mode: str = "replay"
    datasets: Path = Path("golden_datasets")
    """Absolute, or relative to the current folder when made by hand; :meth:`load` resolves against the root."""
    runs: Path = Path("reports/runs")
    rules: Path | None = None
    baseline: str | None = None
    trials: int | None = None
    """None: nobody said; the marker's or 1."""
    concurrency: int | Literal["auto"] = "auto"
    deadline_s: float | None = None
    budget_usd: Decimal | None = None
    seed: int = 0
    redact: str = "secrets"
    resume: str | None = None
    replay: Path | None = None
    estimate: bool = False
    prices: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Per model: ``input``, ``output``, perhaps ``cached``, US dollars per million tokens."""
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Per provider: any of ``requests_per_minute``, ``tokens_per_minute``, ``in_flight``."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Per option that somebody set: ``--harness-seed``, ``HARNESS_SEED`` or ``pyproject.toml:12``."""

    @classmethod
    def load(
        cls, root: Path, *, cli: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """The settings of a project.

        :param root: folder with pyproject.toml; relative paths of the table and the defaults are relative to it,
            those of the command line and the environment to the current folder.
        :param cli: values of the flags by option name; None and absent mean: not given.
        :param environ: the environment; default: none (pass ``os.environ``).
        :raises UsageError: an unknown key, or a value that does not fit; names file, line and the nearest key.
        """
        table, lines = read_table(root / "pyproject.toml")
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for option in OPTIONS:
            value, origin = _pick(option, cli or {}, environ or {}, {}, table, lines)
            if option.kind == "path" and isinstance(value, Path):
                value = value.absolute() if origin.startswith(("--", "HARNESS_")) else root / value
            values[option.name] = value
            if origin:
                origins[option.name] = origin
        if values["rules"] is None and (root / "reports" / "release.toml").is_file():
            values["rules"] = root / "reports" / "release.toml"
        for name in ("prices", "limits"):
            values[name] = values[name] or {}
        return cls(**values, origins=origins)

    def with_marker(self, name: str, given: Any, where: str = "@pytest.mark.golden") -> Any:
        """The value for one test whose marker says ``given`` (None: says nothing).

        The command line and the environment outrank the marker, the marker outranks the table and the default.
        """
        option = _option(name)
        if given is None or self.origins.get(name, "").startswith(("--", "HARNESS_")):
            return getattr(self, name)
        return option.convert(given, where)


def resolve(
    name: str,
    cli: Mapping[str, Any],
    environ: Mapping[str, str],
    marker: Mapping[str, Any],
    table: Mapping[str, Any],
) -> Any:
    """One option's value: the first of command line, environment, marker, table and default that says something.

    :raises UsageError: the value that decides does not fit, or there is no such option.
    """
    return _pick(_option(name), cli, environ, marker, table, {})[0]


def read_table(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """``[tool.harness]`` of a pyproject.toml, checked, and the place (``pyproject.toml:12``) of every key.

    A missing file or table sets nothing.

    :raises UsageError: the file is not TOML, or a key is unknown or does not fit.
    """
    try:
        text = path.read_text("utf-8")
        tool = tomllib.loads(text, parse_float=Decimal).get("tool", {})
    except (FileNotFoundError, NotADirectoryError):
        return {}, {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    table = tool.get("harness", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{_place(path, text, 'harness')}: harness must be a table: [tool.harness]")
    lines = {key: _place(path, text, key) for key in table}
    for key, value in table.items():
        option = BY_NAME.get(key)
        if option is None:
            known = [item.name for item in OPTIONS if item.table]
            raise UsageError(f"{lines[key]}: unknown key {key!r} in [tool.harness]{_nearest(key, known)}")
        if not option.table:
            raise UsageError(
                f"{lines[key]}: {key} concerns one run and cannot stand in [tool.harness]; use {option.flag_name}"
            )
        if isinstance(value, str) and option.kind in _NOT_TEXT:
            raise UsageError(f"{lines[key]}: {key} {_want(option)}, got the text {value!r}; write it without quotes")
        option.convert(value, lines[key])
    return table, lines


def _pick(
    option: Option,
    cli: Mapping[str, Any],
    environ: Mapping[str, str],
    marker: Mapping[str, Any],
    table: Mapping[str, Any],
    lines: Mapping[str, str],
) -> tuple[Any, str]:
    if option.flag and cli.get(option.name) is not None:
        return option.convert(cli[option.name], option.flag_name), option.flag_name
    if option.flag and environ.get(option.variable):
        return option.convert(environ[option.variable], option.variable), option.variable
    if marker.get(option.name) is not None:
        return option.convert(marker[option.name], "@pytest.mark.golden"), "@pytest.mark.golden"
    if table.get(option.name) is not None:
        where = lines.get(option.name, "[tool.harness]")
        return option.convert(table[option.name], where), where
    return (None if option.default is None else option.convert(option.default, "default")), ""


def _option(name: str) -> Option:
    if name not in BY_NAME:
        raise UsageError(f"there is no option {name!r}{_nearest(name, list(BY_NAME))}")
    return BY_NAME[name]


def _nearest(given: str, known: list[str]) -> str:
    close = difflib.get_close_matches(given.lower().replace("-", "_"), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def _place(path: Path, text: str, key: str) -> str:
    """``pyproject.toml:12`` for a key or subtable of ``[tool.harness]``. tomllib keeps no lines: it is looked for."""
    quoted = rf"""(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')"""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = head[1] == "tool.harness"
            if re.match(rf"tool\s*\.\s*harness\s*\.\s*{quoted}(?:\s*\.|$)", head[1]):
                return f"{path}:{number}"
        elif inside and re.match(rf"\s*{quoted}\s*[.=]", line):
            return f"{path}:{number}"
    return str(path)


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
    }[option.kind]


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else repr(value)[:200]


def _number(option: Option, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _Wrong(f"{_want(option)}, got {_shown(value)}") from None
    if not number.is_finite():
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    if number > MAX_NUMBER or number < -MAX_NUMBER:
        raise _Wrong(f"{_want(option)} and at most {MAX_NUMBER}, got {_shown(value)}")
    return number


def _text(option: Option, value: Any) -> str:
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    return str(value)


def _integer(option: Option, value: Any) -> int:
    number = _number(option, value)
    if number != int(number) or number < (option.minimum or 0):
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    return int(number)


def _seconds(option: Option, value: Any) -> float:
    number = _number(option, value)
    if number <= 0:
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    return float(number)


def _dollars(option: Option, value: Any) -> Decimal:
    number = _number(option, value)
    if number < 0:
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    return number


def _choice(option: Option, value: Any) -> str:
    if value in option.choices:
        return str(value)
    close = difflib.get_close_matches(str(value).lower(), option.choices, n=1)
    raise _Wrong(f"{_want(option)}, got {_shown(value)}" + (f"; did you mean {close[0]!r}?" if close else ""))


def _concurrency(option: Option, value: Any) -> int | str:
    if value == "auto":
        return "auto"
    number = _number(option, value)
    if number != int(number) or not 1 <= number <= MAX_CONCURRENCY:
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    return int(number)


def _switch(option: Option, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise _Wrong(f"{_want(option)}, got {_shown(value)}")


def _tables(option: Option, value: Any, keys: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise _Wrong(f"{_want(option)}, got {_shown(value)}")
    for name, entry in value.items():
        if not isinstance(entry, Mapping):
            hint = "; quote a name that has dots" if "." not in str(name) else ""
            raise _Wrong(f"{_want(option)}, got {name} = {entry!r}{hint}")
        for key in entry:
            if key not in keys:
                hint = "; quote a name that has dots" if isinstance(entry[key], Mapping) else ""
                raise _Wrong(f"has an unknown key {key!r} for {name!r}{hint or _nearest(key, list(keys))}")
    return dict(value)


def _prices(option: Option, value: Any) -> dict[str, dict[str, Decimal]]:
    out: dict[str, dict[str, Decimal]] = {}
    for model, entry in _tables(option, value, PRICE_KEYS).items():
        out[model] = {key: _number(option, amount) for key, amount in entry.items()}
        if missing := [key for key in PRICE_KEYS[:2] if key not in entry]:
            raise _Wrong(f"has no {missing[0]!r} price for {model!r}; it {_want(option)}")
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
}
_NOT_TEXT = {"integer", "seconds", "switch"}
"""Kinds a quoted value in the table would be a slip for; the command line and the environment know only texts."""
