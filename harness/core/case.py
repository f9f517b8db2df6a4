"""Case, Expectation, Dataset: what a golden example is, and the hash that tells when it has changed.

The words:

- *case*: one example; its ``id`` never changes meaning, its ``content_hash`` changes when anything that an agent
  sees or an evaluator expects changes (tags, severity and metadata do not count).
- *expectation*: what must be true of the trajectory. Every field is optional; an evaluator whose field is absent
  answers "not measured: nothing expected".
- *cluster*: cases that share a cause (one document, one template) and so are not independent; default: the case itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from harness.core.errors import UsageError

Severity = Literal["normal", "must_pass"]
ToolOrder = Literal["strict", "unordered", "subset", "superset"]


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, no NaN. The base of every hash in this package."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)


def content_hash(value: Any) -> str:
    """First 16 hexadecimal digits of the SHA-256 of :func:`canonical_json`."""
    text = canonical_json(value).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class ExpectedCall:
    """A tool call that should happen."""

    name: str
    arguments: Mapping[str, Any] | None = None
    """Exact expected arguments; None means any arguments will do."""
    accepted: Mapping[str, Sequence[Any]] | None = None
    """Accepted values per argument, BFCL style: any listed value is right, an empty string means "may be left out"."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must be true of a trajectory. Absent (None or empty) fields expect nothing."""

    answer: str | None = None
    """The final answer equals this, after stated normalisation."""
    answers: tuple[str, ...] = ()
    """Any one of these answers is right."""
    contains: tuple[str, ...] = ()
    """The final answer contains each of these (case-insensitive)."""
    not_contains: tuple[str, ...] = ()
    """Nothing the agent says, in any turn, contains one of these (case-insensitive)."""
    pattern: str | None = None
    """The final answer matches this regular expression somewhere."""
    json_schema: Mapping[str, Any] | None = None
    """The final answer is JSON valid under this JSON Schema."""
    number: float | None = None
    """A number the final answer must give."""
    tolerance: float = 0.0
    """Absolute tolerance of ``number``."""
    tool_calls: tuple[ExpectedCall, ...] | None = None
    """The tool calls that should happen; an empty tuple means that no call is right, None expects nothing."""
    tool_order: ToolOrder = "unordered"
    """How actual calls are matched with ``tool_calls``."""
    forbidden_tools: tuple[str, ...] = ()
    """Tools that must not be called."""
    state: Any = None
    """Expected end state of the agent's world (a mapping), or the ``content_hash`` of it as a text."""
    max_steps: int | None = None
    """At most this many model calls."""
    max_cost_usd: float | None = None
    """At most this much money for the trial."""
    max_latency_s: float | None = None
    """At most this many seconds for the trial."""
    custom: Mapping[str, Any] = field(default_factory=dict)
    """Whatever the team's own evaluators expect."""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping with the fields that differ from their default; also what is hashed."""
        out: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "tool_calls" and value is not None:
                out["tool_calls"] = [
                    {k: v for k, v in vars(call).items() if v is not None and not (k == "arguments" and v is None)}
                    for call in value
                ]
            elif value is None or value == () or (item.name == "custom" and not value):
                continue
            elif not (item.name in _DEFAULTS and value == _DEFAULTS[item.name]):
                # An empty mapping is an expectation like any other: an empty end state, a schema that takes all.
                out[item.name] = list(value) if isinstance(value, tuple) else value
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expectation:
        """The inverse of :meth:`to_json`. Unknown keys are refused (typing mistakes must not expect nothing)."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise UsageError(
                f"unknown expectation {unknown[0]!r}; known: {', '.join(sorted(known))} (own ones go in 'custom')"
            )
        values = dict(data)
        for name in ("answers", "contains", "not_contains", "forbidden_tools"):
            if name in values:
                given = values[name]
                values[name] = (given,) if isinstance(given, str) else tuple(given)
        if values.get("tool_calls") is not None:
            calls = []
            for call in values["tool_calls"]:
                extra = sorted(set(call) - {"name", "arguments", "accepted"})
                if extra or "name" not in call:
                    raise UsageError(f"an expected tool call has name, arguments or accepted; got {dict(call)!r}")
                calls.append(ExpectedCall(**call))
            values["tool_calls"] = tuple(calls)
        return cls(**values)


_DEFAULTS: dict[str, Any] = {"tolerance": 0.0, "tool_order": "unordered"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One golden example."""

    id: str
    """Unique in its dataset, stable for ever; part of the pytest node id."""
    input: Any
    """What the agent is given first: a text, a list of chat messages, or any JSON the agent understands."""
    turns: tuple[str, ...] = ()
    """What the scripted user says next, one text after each of the agent's answers."""
    expected: Expectation = field(default_factory=Expectation)
    """What must be true afterwards."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Tool schemas offered with this case (OpenAI function format), where the agent takes them from the case."""
    tags: tuple[str, ...] = ()
    """For slicing; not part of the content hash."""
    cluster: str | None = None
    """Cases with the same cluster are not independent; None means a cluster of its own."""
    severity: Severity = "normal"
    """``must_pass`` cases fail the gate at the first failed trial."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Anything else, e.g. ``source`` and ``labelled_by``; not part of the content hash."""

    @cached_property
    def content_hash(self) -> str:
        """Changes when what the agent sees or what is expected changes."""
        seen = {"input": self.input, "turns": self.turns, "expected": self.expected.to_json(), "tools": self.tools}
        return content_hash(seen)

    @property
    def text(self) -> str:
        """The first user message as text: the input itself, or the last user message of a message list."""
        if isinstance(self.input, str):
            return self.input
        if isinstance(self.input, (list, tuple)):
            for message in reversed(self.input):
                if isinstance(message, Mapping) and message.get("role") == "user":
                    return str(message.get("content") or "")
        return canonical_json(self.input)

    def to_json(self) -> dict[str, Any]:
        """One row of ``cases.jsonl``; absent fields are left out."""
        out: dict[str, Any] = {"id": self.id, "input": self.input}
        if self.turns:
            out["turns"] = list(self.turns)
        expected = self.expected.to_json()
        if expected:
            out["expected"] = expected
        if self.tools:
            out["tools"] = [dict(tool) for tool in self.tools]
        if self.tags:
            out["tags"] = list(self.tags)
        if self.cluster is not None:
            out["cluster"] = self.cluster
        if self.severity != "normal":
            out["severity"] = self.severity
        if self.metadata:
            out["metadata"] = dict(self.metadata)
        return out


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Cases with their card and a hash over all of them."""

    name: str
    cases: tuple[Case, ...]
    card: str = ""
    """The text of ``card.md``: who labelled it, how, licence, version."""
    path: str = ""
    """Where it was read from, relative to the project; empty when made in memory."""

    @cached_property
    def content_hash(self) -> str:
        """Over ids and content hashes, independent of the order of the rows."""
        return content_hash(sorted((case.id, case.content_hash) for case in self.cases))

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)
