from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.settings import BY_NAME, OPTIONS, Settings, resolve


def load(root: Path, table: str = "", **more: Any) -> Settings:
    (root / "pyproject.toml").write_text(f'[project]\nname = "x"\n\n[tool.harness]\n{table}\n')
    return Settings.load(root, **more)


def test_every_option_is_a_field_and_has_its_default(tmp_path: Path) -> None:
    assert {item.name for item in fields(Settings)} == {*BY_NAME, "origins"}
    found = Settings.load(tmp_path)
    assert found == load(tmp_path)
    assert (found.mode, found.concurrency, found.seed, found.redact) == ("replay", "auto", 0, "secrets")
    assert found.runs == tmp_path / "reports" / "runs"
    assert found.origins == {}
    for option in OPTIONS:
        assert option.help.endswith(".")
        assert option.flag_name == "--harness-" + option.name.replace("_", "-")


def test_command_line_beats_environment_beats_marker_beats_table_beats_default() -> None:
    cli, environ, marker, table = {"trials": "4"}, {"HARNESS_TRIALS": "3"}, {"trials": 2}, {"trials": 1}
    assert resolve("trials", cli, environ, marker, table) == 4
    assert resolve("trials", {}, environ, marker, table) == 3
    assert resolve("trials", {}, {}, marker, table) == 2
    assert resolve("trials", {}, {}, {}, table) == 1
    assert resolve("trials", {}, {}, {}, {}) is None
    assert resolve("mode", {}, {}, {}, {}) == "replay"
    with pytest.raises(UsageError, match="no option 'trails'; did you mean 'trials'"):
        resolve("trails", {}, {}, {}, {})


def test_a_marker_outranks_the_table_and_yields_to_the_command_line(tmp_path: Path) -> None:
    assert load(tmp_path, "trials = 3").with_marker("trials", 5) == 5
    assert load(tmp_path, "trials = 3").with_marker("trials", None) == 3
    assert load(tmp_path, cli={"trials": "2"}).with_marker("trials", 5) == 2
    assert load(tmp_path, environ={"HARNESS_TRIALS": "2"}).with_marker("trials", 5) == 2
    with pytest.raises(UsageError, match="test_refunds: trials must be a whole number of at least 1, got 0"):
        load(tmp_path).with_marker("trials", 0, "test_refunds")


def test_a_whole_table_is_read_with_exact_money_and_its_lines(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
agent = "shop.agent:answer"
budget_usd = 0.1
deadline_s = 30
concurrency = 64
limits."api.openai.com" = { in_flight = 8, requests_per_minute = 500 }

[tool.harness.prices]
"gpt-4o-mini" = { input = 0.15, output = 0.60, cached = 0.075 }
""",
    )
    assert found.budget_usd == Decimal("0.1")
    assert found.deadline_s == 30.0
    assert found.limits == {"api.openai.com": {"in_flight": 8, "requests_per_minute": 500}}
    assert found.prices["gpt-4o-mini"]["cached"] == Decimal("0.075")
    path = tmp_path / "pyproject.toml"
    assert found.origins["agent"] == f"{path}:6"
    assert found.origins["limits"] == f"{path}:10"
    assert found.origins["prices"] == f"{path}:12"


def test_the_release_rules_are_used_where_they_exist(tmp_path: Path) -> None:
    assert load(tmp_path).rules is None
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "release.toml").touch()
    assert load(tmp_path).rules == tmp_path / "reports" / "release.toml"
    assert load(tmp_path, 'rules = "nightly.toml"').rules == tmp_path / "nightly.toml"


def test_paths_of_the_table_belong_to_the_project_those_of_the_command_line_to_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(tmp_path, 'runs = "r"').runs == tmp_path / "r"
    assert load(tmp_path, cli={"runs": "r"}).runs == tmp_path / "elsewhere" / "r"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('agnet = "x"', ":5: unknown key 'agnet' in [tool.harness]; did you mean 'agent'?"),
        ("zzz = 1", ":5: unknown key 'zzz' in [tool.harness]; known: agent, guards, mode,"),
        (
            '\ntrials = "3"',
            ":6: trials must be a whole number of at least 1, got the text '3'; write it without quotes",
        ),
        ("trials = 0", ":5: trials must be a whole number of at least 1, got 0"),
        ("trials = true", ":5: trials must be a whole number of at least 1, got True"),
        ("seed = 1.5", ":5: seed must be a whole number of at least 0, got 1.5"),
        ("seed = 1e999999", ":5: seed must be a whole number of at least 0"),
        ("agent = 3", ":5: agent must be a text, got 3"),
        ('agent = " "', ":5: agent must be a text, got ' '"),
        ('mode = "Liv"', ":5: mode must be one of replay, record, live, got 'Liv'; did you mean 'live'?"),
        ("concurrency = 1001", ":5: concurrency must be 'auto' or a whole number from 1 to 1000, got 1001"),
        ("deadline_s = 0", ":5: deadline_s must be a number of seconds above 0, got 0"),
        ("deadline_s = nan", ":5: deadline_s must be a number of seconds above 0"),
        ("budget_usd = -0.01", ":5: budget_usd must be an amount in US dollars of at least 0, got -0.01"),
        ('resume = "x"', ":5: resume concerns one run and cannot stand in [tool.harness]; use --harness-resume"),
        ("prices = 3", ":5: prices must be a table"),
        ("prices = {m = 3}", ":5: prices must be a table"),
        ("prices = {m = {input = 1}}", ":5: prices has no 'output' price for 'm'"),
        ("prices = {m = {input = 1, output = -1}}", ":5: prices must be at least 0, got 'm': output = -1"),
        ("prices = {m = {inputs = 1}}", ":5: prices has an unknown key 'inputs' for 'm'; did you mean 'input'?"),
        ("limits = {api.openai.com = {in_flight = 1}}", "quote a name that has dots"),
        ("limits = {x = {in_flight = 0}}", ":5: limits must be whole numbers of at least 1, got 'x': in_flight = 0"),
        ("[tool.harness.pricse]", ":5: unknown key 'pricse' in [tool.harness]; did you mean 'prices'?"),
        ("x = [", "pyproject.toml: not TOML: "),
    ],
)
def test_a_mistake_in_the_table_is_named_with_file_line_and_what_would_fit(
    tmp_path: Path, table: str, message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        load(tmp_path, table)
    assert str(caught.value).startswith(str(tmp_path / "pyproject.toml"))


def test_a_table_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nharness = 3\n")
    with pytest.raises(UsageError, match="must be a table"):
        Settings.load(tmp_path)


def test_a_key_of_another_table_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\nmode = "x"\n[tool.harness]\nseed = 1\nmode = "x"\n')
    with pytest.raises(UsageError, match=r"pyproject.toml:5: mode"):
        Settings.load(tmp_path)


@pytest.mark.parametrize(
    ("cli", "environ", "message"),
    [
        ({"concurrency": "many"}, {}, "--harness-concurrency: concurrency must be 'auto' or a whole number"),
        ({}, {"HARNESS_BUDGET_USD": "ten"}, "HARNESS_BUDGET_USD: budget_usd must be an amount in US dollars"),
        ({}, {"HARNESS_ESTIMATE": "perhaps"}, "HARNESS_ESTIMATE: estimate must be true or false, got 'perhaps'"),
        ({"trials": "9" * 5000}, {}, "--harness-trials: trials must be a whole number"),
    ],
)
def test_a_mistake_outside_the_table_names_the_flag_or_variable(
    tmp_path: Path, cli: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        load(tmp_path, cli=cli, environ=environ)


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "seed = 3", environ={"HARNESS_SEED": ""}).seed == 3


@given(st.sampled_from([option for option in OPTIONS if option.flag]), st.text(max_size=12))
def test_any_text_is_either_a_value_or_a_usage_error(option: Any, text: str) -> None:
    try:
        value = option.convert(text, "here")
    except UsageError:
        return
    assert option.convert(str(value), "here") == value
