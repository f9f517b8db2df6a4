"""Prices: the team's table, then LiteLLM's map, then an error; exact decimals throughout."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.core.usage import Usage
from harness.runs.prices import PriceTable, PriceUnknown


def test_a_price_of_the_bundled_map_is_exact() -> None:
    price = PriceTable().require("gpt-4o-mini").base
    assert (price.input_per_million, price.output_per_million) == (Decimal("0.15"), Decimal("0.6"))
    assert price.cost_usd(Usage(input_tokens=1, output_tokens=1)) == Decimal("0.00000075")


def test_the_provider_prefix_may_be_there_or_not() -> None:
    table = PriceTable()
    assert table.find("openai/gpt-4o-mini") == table.find("gpt-4o-mini") is not None


def test_the_teams_own_table_comes_before_the_map() -> None:
    table = PriceTable.load({"gpt-4o-mini": {"input": 1, "output": "2.5", "cached": 0.1, "max_output": 99}})
    found = table.require("openai/gpt-4o-mini")
    assert found.base.output_per_million == Decimal("2.5")
    assert found.base.cached_per_million == Decimal("0.1")
    assert found.max_output_tokens == 99


def test_the_most_specific_pattern_wins_and_an_exact_name_beats_it() -> None:
    rates = {"desk-*": 1, "desk-large-*": 2, "desk-large-3": 3, "*": 9}
    table = PriceTable.load({name: {"input": rate, "output": 0} for name, rate in rates.items()})
    found = [table.require(name).base.input_per_million for name in ("desk-s", "desk-large-1", "desk-large-3", "other")]
    assert found == [1, 2, 3, 9]


def test_an_unknown_model_has_no_price_and_the_error_says_what_to_write() -> None:
    table = PriceTable.load({"desk-large": {"input": 1, "output": 1}})
    assert table.find("desk-largo") is None
    with pytest.raises(PriceUnknown, match=r"known for 'desk-large'.*\"desk-largo\" = \{input = 1.00"):
        table.require("desk-largo")


def test_a_long_prompt_is_priced_by_its_tier() -> None:
    price = PriceTable().require("gemini/gemini-2.5-pro")
    assert price.at(200_000).input_per_million == Decimal("1.25")
    assert price.at(200_001).input_per_million == Decimal("2.5")


def test_a_local_servers_model_is_not_priced_by_the_map_even_when_it_borrows_a_name() -> None:
    assert PriceTable().find("gpt-4o-mini", bundled=False) is None


def test_an_entry_of_the_map_that_is_not_priced_by_tokens_is_unknown_and_not_free() -> None:
    assert PriceTable().find("whisper-1") is None
    assert PriceTable().find("sample_spec") is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"input": 1}, "'output' is missing"),
        ({"input": -1, "output": 1}, "at least 0"),
        ({"input": "NaN", "output": 1}, "input must be a number"),
        ({"input": True, "output": 1}, "got True"),
        ({"input": 1, "output": 1, "per_call": 2}, "unknown key 'per_call'"),
        ({"input": 1, "output": 1, "max_output": 0}, "max_output"),
        (3, "must be a table"),
    ],
)
def test_a_wrong_entry_is_a_usage_error_that_names_it(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        PriceTable.load({"m": given})
    assert '[tool.harness.prices] "m"' in str(caught.value)


def test_the_manifest_gets_the_prices_that_were_used_as_plain_numbers() -> None:
    table = PriceTable.load({"a": {"input": 10, "output": "0.5"}, "b": {"input": 1, "output": 1}})
    table.find("a")
    table.find("nobody")
    assert table.to_json() == {"a": {"input": "10", "output": "0.5"}}


def test_reading_the_map_does_not_import_litellm() -> None:
    code = (
        "import sys; from harness.runs.prices import PriceTable; assert PriceTable().find('gpt-4o-mini');"
        "assert not any(name.split('.')[0] == 'litellm' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
