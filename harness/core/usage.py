"""Tokens and money: what a call consumed and what it cost, counted exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one or more model calls, as reported by the provider. Never estimated without saying so."""

    input_tokens: int = 0
    """Prompt tokens, cached ones included."""
    output_tokens: int = 0
    """Completion tokens, thinking ones included."""
    thinking_tokens: int = 0
    """The part of ``output_tokens`` spent on reasoning."""
    cached_tokens: int = 0
    """The part of ``input_tokens`` read from the provider's cache."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            thinking_tokens=self.thinking_tokens + other.thinking_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )

    @property
    def total_tokens(self) -> int:
        """Input plus output."""
        return self.input_tokens + self.output_tokens

    @classmethod
    def from_openai(cls, data: Mapping[str, Any]) -> Usage:
        """Usage from an OpenAI-style ``usage`` object (``prompt_tokens``, ``completion_tokens``, details)."""
        prompt = data.get("prompt_tokens_details") or {}
        completion = data.get("completion_tokens_details") or {}
        return cls(
            input_tokens=int(data.get("prompt_tokens") or 0),
            output_tokens=int(data.get("completion_tokens") or 0),
            thinking_tokens=int(completion.get("reasoning_tokens") or 0),
            cached_tokens=int(prompt.get("cached_tokens") or 0),
        )

    def to_json(self) -> dict[str, int]:
        """Plain mapping for the journal; zero fields are left out."""
        full = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "thinking_tokens": self.thinking_tokens,
            "cached_tokens": self.cached_tokens,
        }
        return {key: value for key, value in full.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Usage:
        """The inverse of :meth:`to_json`."""
        return cls(
            input_tokens=int(data.get("input_tokens", 0)),
            output_tokens=int(data.get("output_tokens", 0)),
            thinking_tokens=int(data.get("thinking_tokens", 0)),
            cached_tokens=int(data.get("cached_tokens", 0)),
        )


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a model costs, in US dollars per million tokens."""

    input_per_million: Decimal
    """Uncached prompt tokens."""
    output_per_million: Decimal
    """Completion tokens, thinking included."""
    cached_per_million: Decimal | None = None
    """Prompt tokens read from the cache; None means the same as ``input_per_million``."""

    def __post_init__(self) -> None:
        for name in ("input_per_million", "output_per_million", "cached_per_million"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, Decimal) or value < 0 or not value.is_finite()):
                raise UsageError(f"a price must be a finite Decimal of at least 0, got {name}={value!r}")

    def cost_usd(self, usage: Usage) -> Decimal:
        """Exact cost of ``usage`` in US dollars."""
        cached_rate = self.input_per_million if self.cached_per_million is None else self.cached_per_million
        fresh = usage.input_tokens - usage.cached_tokens
        micro = fresh * self.input_per_million + usage.cached_tokens * cached_rate
        micro += usage.output_tokens * self.output_per_million
        return micro / Decimal(1_000_000)
