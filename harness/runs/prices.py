"""PriceTable: what a model costs. The team's own table first, then the map that LiteLLM ships.

LiteLLM's map is read as a file, on first need; the library is not imported. Prices are parsed as decimals, so that
0.15 dollars per million tokens is that and nothing else. Tiers for long prompts (``..._above_200k_tokens``) apply to
the whole call, as the providers bill them; surcharges for writing to a cache, audio and images are not counted.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.errors import Broken, ErrorKind, UsageError
from harness.core.usage import Price

_KEYS = ("input", "output", "cached", "max_output")
_MILLION = Decimal(1_000_000)
_TIER = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


class PriceUnknown(Broken):
    """A money cap is set and nobody knows what the next call costs; it was not made."""

    kind: ErrorKind = "harness"
    reason = "unknown_price"


@dataclass(frozen=True, kw_only=True)
class ModelPrice:
    """The price of a model, with its tiers for long prompts."""

    base: Price
    tiers: tuple[tuple[int, Price], ...] = ()
    """(more input tokens than this, price), ascending."""
    max_output_tokens: int | None = None
    """What the model can answer at most, for reserving; None: not known."""

    def at(self, input_tokens: int) -> Price:
        """The price of a call with that many prompt tokens."""
        price = self.base
        for above, tier in self.tiers:
            if input_tokens > above:
                price = tier
        return price


class PriceTable:
    """Prices by model name.

    A name is looked up in the team's table as it is, then by pattern (``desk-*``; the longest wins), then both again
    without its provider prefix (``openai/gpt-4o-mini`` as ``gpt-4o-mini``), then the same names in LiteLLM's map.
    """

    def __init__(self, table: Mapping[str, ModelPrice] | None = None, *, bundled: bool = True) -> None:
        self._exact = {name: price for name, price in (table or {}).items() if not name.endswith("*")}
        patterns = [(name[:-1], price) for name, price in (table or {}).items() if name.endswith("*")]
        self._patterns = sorted(patterns, key=lambda item: -len(item[0]))
        self._bundled = bundled
        self._found: dict[tuple[str, bool], ModelPrice | None] = {}

    @classmethod
    def load(cls, table: Mapping[str, Any] | None = None, *, bundled: bool = True) -> PriceTable:
        """From ``[tool.harness.prices]``: ``"gpt-4o-mini" = {input = 0.15, output = 0.60, cached = 0.075}``.

        Numbers are US dollars per million tokens; ``cached`` and ``max_output`` (tokens) may be left out.

        :param bundled: whether to fall back to LiteLLM's map.
        :raises UsageError: for an unknown key or a price that is not a finite number of at least 0.
        """
        return cls({str(name): _declared(str(name), given) for name, given in (table or {}).items()}, bundled=bundled)

    def find(self, model: str, *, bundled: bool = True) -> ModelPrice | None:
        """The price of a model; None when nobody stated one (never zero for unknown).

        :param bundled: False looks in the team's table only (a local server is nobody's price list).
        """
        key = (model, bundled)
        if key not in self._found:
            self._found[key] = self._look_up(model, bundled=bundled)
        return self._found[key]

    def require(self, model: str) -> ModelPrice:
        """The price of a model.

        :raises PriceUnknown: with the line to add to the project's table.
        """
        found = self.find(model)
        if found is None:
            raise PriceUnknown(self.unknown(model))
        return found

    def unknown(self, model: str) -> str:
        """What to tell a user whose model has no price."""
        names = [*self._exact, *(f"{start}*" for start, _ in self._patterns)]
        near = difflib.get_close_matches(model, names, n=3) if names else []
        if not near and self._bundled:
            near = difflib.get_close_matches(model.rpartition("/")[2], list(_bundled_map()), n=3, cutoff=0.75)
        hint = f" Prices are known for {', '.join(map(repr, near))}." if near else ""
        return (
            f"the price of model {model!r} is not known, and a money cap cannot hold without it.{hint} "
            f"State it in US dollars per million tokens, in pyproject.toml: [tool.harness.prices] "
            f'"{model}" = {{input = 1.00, output = 4.00}}'
        )

    def to_json(self) -> dict[str, Any]:
        """The prices that were looked up so far, for the manifest: model to dollars per million tokens as text."""
        out: dict[str, Any] = {}
        for (model, _), price in sorted(self._found.items()):
            if price is not None:
                rates = {"input": price.base.input_per_million, "output": price.base.output_per_million}
                if price.base.cached_per_million is not None:
                    rates["cached"] = price.base.cached_per_million
                out[model] = {key: f"{rate.normalize():f}" for key, rate in rates.items()}
        return out

    def _look_up(self, model: str, *, bundled: bool) -> ModelPrice | None:
        names = [model]
        while "/" in names[-1]:
            names.append(names[-1].partition("/")[2])
        for name in names:
            if name in self._exact:
                return self._exact[name]
            for start, price in self._patterns:
                if name.startswith(start):
                    return price
        if bundled and self._bundled:
            for name in names:
                entry = _bundled_map().get(name)
                price_found = None if entry is None else _from_litellm(entry)
                if price_found is not None:
                    return price_found
        return None


def _declared(name: str, given: Any) -> ModelPrice:
    place = f'[tool.harness.prices] "{name}"'
    if "*" in name[:-1]:
        raise UsageError(f'{place}: a "*" may only stand at the end, as in "desk-*"')
    if not isinstance(given, Mapping):
        raise UsageError(f"{place} must be a table like {{input = 0.15, output = 0.60}}, got {given!r}")
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        raise UsageError(f"{place}: unknown key {unknown[0]!r}; known: {', '.join(_KEYS)}")
    missing = [key for key in ("input", "output") if key not in given]
    if missing:
        raise UsageError(f"{place}: {missing[0]!r} is missing (US dollars per million tokens; 0 where it is free)")
    rates = {key: _decimal(place, key, given[key]) for key in ("input", "output", "cached") if key in given}
    limit = given.get("max_output")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise UsageError(f"{place}: max_output must be a whole number of tokens of at least 1, got {limit!r}")
    price = Price(
        input_per_million=rates["input"], output_per_million=rates["output"], cached_per_million=rates.get("cached")
    )
    return ModelPrice(base=price, max_output_tokens=limit)


def _decimal(place: str, key: str, given: Any) -> Decimal:
    try:
        value = None if isinstance(given, bool) else Decimal(str(given))
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or value < 0:
        raise UsageError(f"{place}: {key} must be a number of at least 0 (dollars per million tokens), got {given!r}")
    return value


def _from_litellm(entry: Mapping[str, Any]) -> ModelPrice | None:
    def price(suffix: str) -> Price | None:
        asked, answered = (entry.get(f"{kind}_cost_per_token{suffix}") for kind in ("input", "output"))
        if not (
            isinstance(asked, (int, Decimal)) and isinstance(answered, (int, Decimal)) and min(asked, answered) >= 0
        ):
            return None
        cached = entry.get(f"cache_read_input_token_cost{suffix}", entry.get("cache_read_input_token_cost"))
        return Price(
            input_per_million=Decimal(asked) * _MILLION,
            output_per_million=Decimal(answered) * _MILLION,
            cached_per_million=Decimal(cached) * _MILLION if isinstance(cached, (int, Decimal)) else None,
        )

    base = price("")
    if base is None:
        return None
    tiers = []
    for key in entry:
        match = _TIER.fullmatch(key)
        tier = price(f"_above_{match[1]}k_tokens") if match else None
        if match and tier is not None:
            tiers.append((int(match[1]) * 1000, tier))
    limit = entry.get("max_output_tokens")
    return ModelPrice(base=base, tiers=tuple(sorted(tiers, key=lambda item: item[0])), max_output_tokens=_tokens(limit))


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


@cache
def _bundled_map() -> Mapping[str, Mapping[str, Any]]:
    """LiteLLM's map as it lies in the installed package; empty when LiteLLM is not installed."""
    import importlib.util

    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).with_name("model_prices_and_context_window_backup.json")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    loaded = json.loads(text, parse_float=Decimal)
    loaded.pop("sample_spec", None)
    return {name: entry for name, entry in loaded.items() if isinstance(entry, dict)}
