"""Everything that can be extended, on one page. A class fits by having the method; it need not import this package.

Each contract says when it is called, with what, what may come back, and what happens when it raises.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from harness.core.blocks import SectionPage
from harness.core.case import Case
from harness.core.comparison import Comparison
from harness.core.decision import Decision, Event
from harness.core.exchange import Reply
from harness.core.record import Run, Trial
from harness.core.score import Score
from harness.core.trajectory import Message, Trajectory
from harness.core.verdict import Verdict

if TYPE_CHECKING:
    from harness.core.scorecard import Scorecard


@runtime_checkable
class Agent(Protocol):
    """The system under test.

    Called once per trial, many trials at a time on one event loop; keep no state between calls. Returns what happened.
    What it raises becomes the trial's error: a ``Broken`` error by its own kind, anything else as kind ``agent``.
    """

    @property
    def name(self) -> str:
        """How it is called in reports; a plain attribute will do."""
        ...

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Work on ``case.input`` (and ``case.turns``) and say what happened."""
        ...


@runtime_checkable
class Model(Protocol):
    """A chat model, for tool loops and judges.

    Called with OpenAI-style messages and tool schemas; ``options`` are sampling parameters of the OpenAI chat API.
    Returns the reply whose body is an OpenAI chat completion. Raises ProviderBroken.
    """

    @property
    def name(self) -> str:
        """How it is called in reports; a plain attribute will do."""
        ...

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> Reply:
        """One completion."""
        ...


@runtime_checkable
class Evaluator(Protocol):
    """A metric on one trajectory.

    Called once per trial after the agent ended, also when the agent broke (``trajectory.error`` is set then).
    Pure: the same trajectory and case give the same score. May be a coroutine function. Where it cannot judge it
    returns ``Score.not_measured(name, why)``; what it raises becomes a not-measured score of kind ``harness``.
    """

    @property
    def name(self) -> str:
        """How it is called in reports; a plain attribute will do."""
        ...

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score | Awaitable[Score]:
        """Judge, with the arithmetic in ``Score.reason``."""
        ...


@runtime_checkable
class Reward(Protocol):
    """A reward function.

    Called once per trajectory (:func:`harness.rewards.measured` is the one caller): finite numbers only; None means
    "not to be counted"; whatever it raises becomes the error of its :class:`~harness.core.reward.RewardValue`, never
    0.0. May be a coroutine function. Leaves the trajectory and the case as they are.
    """

    @property
    def name(self) -> str:
        """How it is called in reports; a plain attribute will do."""
        ...

    def reward(self, trajectory: Trajectory, case: Case) -> float | Awaitable[float | None] | None:
        """The reward of one trajectory."""
        ...


@runtime_checkable
class Guardrail(Protocol):
    """A guard. Called with every event that passes it; what it raises is a block, counted apart from a detection."""

    @property
    def name(self) -> str:
        """How it is called in reports; a plain attribute will do."""
        ...

    def check(self, event: Event) -> Decision | Awaitable[Decision]:
        """Allow, redact, block or escalate."""
        ...


@runtime_checkable
class GateRule(Protocol):
    """A rule of the release gate. Called once with the scorecard, and the comparison where there is a baseline.

    A pure function of what it is given. Without data it answers inconclusive. What it raises is inconclusive.
    """

    @property
    def name(self) -> str:
        """How it is called in reports; a plain attribute will do."""
        ...

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """Pass, fail or inconclusive, with the arithmetic."""
        ...


@runtime_checkable
class Section(Protocol):
    """A section of the report. Returns None when it has nothing to say about this run."""

    @property
    def id(self) -> str:
        """Fragment of the page, stable."""
        ...

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """Data in the known shapes; no markup."""
        ...


@runtime_checkable
class Store(Protocol):
    """Somewhere records go, one at a time, as they finish."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Keep one record; durable against the end of this process once it returns."""
        ...
