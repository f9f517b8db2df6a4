"""Settings: every option of a session with its value and where it came from, and the rule that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import UsageError
from harness.settings.option import ALERT_KEYS, Option, nearest
from harness.settings.options import BY_NAME, OPTIONS
from harness.settings.table import read_table

__all__ = ["BY_NAME", "OPTIONS", "Option", "Settings", "read_table", "resolve"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every option's value for one session, and where it came from. Made by :meth:`load`."""

    agent: str | None = None
    reward: str | None = None
    guards: str | None = None
    """``NAME=SPEC,...``: see the fixture ``guards_under_test``."""
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
    judges: Path = Path("reports/judges")
    judge_cache: Path | None = Path("reports/runs/judge-cache.sqlite")
    """A file named ``off``: no cache."""
    resume: str | None = None
    replay: Path | None = None
    until_decided: bool = False
    sensitivity: bool = False
    sensitivity_of: str | None = None
    estimate: bool = False
    prices: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Per model: ``input``, ``output``, perhaps ``cached``, US dollars per million tokens."""
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Per provider: any of ``requests_per_minute``, ``tokens_per_minute``, ``in_flight``."""
    alerts: Mapping[str, float | str] = field(default_factory=dict)
    """Of ``drop``, ``errors``, ``cost`` (percent) and ``webhook`` what the environment or the table says."""
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
        for name in ("prices", "limits", "alerts"):
            values[name] = values[name] or {}
        values["alerts"] = {**values["alerts"], **_alerts_said_by(environ or {})}
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


def _alerts_said_by(environ: Mapping[str, str]) -> dict[str, float | str]:
    """``HARNESS_ALERTS_DROP`` and its like, key by key over the table's."""
    option = BY_NAME["alerts"]
    found: dict[str, float | str] = {}
    for key in ALERT_KEYS:
        variable = f"{option.variable}_{key.upper()}"
        text = environ.get(variable)
        if text:
            found[key] = option.convert({key: text if key == "webhook" else _number_in(text)}, variable)[key]
    return found


def _number_in(text: str) -> Any:
    """The number that a text of the environment is; the text itself where it is none, for the message."""
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return text


def _option(name: str) -> Option:
    if name not in BY_NAME:
        raise UsageError(f"there is no option {name!r}{nearest(name, list(BY_NAME))}")
    return BY_NAME[name]
