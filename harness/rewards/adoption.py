"""Tool adoption: how often agents use the tools that fit, whether the calls work, and whether they are well-formed.

The words:

- A tool *fits* a case when the case expects a call of it (``expected.tool_calls``), or when a function of the team's
  says so. Where the case expects nothing of the tools, whether one fits is unknown; where it expects no call at all,
  none fits.
- *adoption*: of the runs in which the tool fits, the share in which it was called. Where it fits no run, adoption is
  undefined: None, never 0.
- *success*: of the calls that came back, the share that came back without an error. *format*: of all calls, the share
  that is well-formed (:mod:`harness.rewards.tools_form`). Both over calls, with the case (or its cluster) as the unit
  that is independent.
- *uncalled for*: runs in which no tool fits and one was called all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.case import Case
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.rewards.tools_form import form_error
from harness.stats.estimate import Estimate
from harness.stats.rates import rate

Fits = Callable[[Case], Collection[str] | None]
"""The tools that fit a case; None: unknown."""
ANY = "(any that fits)"


def expected_tools(case: Case) -> frozenset[str] | None:
    """The tools the case expects; empty where no call is right, None where it expects nothing of them."""
    calls = case.expected.tool_calls
    return None if calls is None else frozenset(call.name for call in calls)


@dataclass(frozen=True, kw_only=True)
class AdoptionRow:
    """One tool of one agent; the tool :data:`ANY` is about runs, whichever fitting tool was called."""

    agent: str
    tool: str
    adoption: Estimate
    success: Estimate
    format: Estimate
    fitting: int
    """Runs in which the tool fits."""
    calls: int
    uncalled_for: Estimate
    """Of the runs in which it does not fit, the share in which it was called."""


@dataclass
class _Count:
    adopted: list[tuple[float, str]] = field(default_factory=list)
    worked: list[tuple[float, str]] = field(default_factory=list)
    formed: list[tuple[float, str]] = field(default_factory=list)
    astray: list[tuple[float, str]] = field(default_factory=list)
    calls: int = 0

    def row(self, agent: str, tool: str, level: float) -> AdoptionRow:
        return AdoptionRow(
            agent=agent,
            tool=tool,
            adoption=_rate(self.adopted, level, "fits no run: undefined"),
            success=_rate(self.worked, level, "no call came back"),
            format=_rate(self.formed, level, "no calls"),
            fitting=len(self.adopted),
            calls=self.calls,
            uncalled_for=_rate(self.astray, level, "fits every run"),
        )


def adoption_rates(
    runs: Iterable[tuple[str, Trajectory, Case]], *, fits: Fits = expected_tools, level: float = 0.95
) -> tuple[AdoptionRow, ...]:
    """Rates by agent and tool over (agent, trajectory, case); runs that broke off are left out.

    Rows are sorted by agent and tool, :data:`ANY` first. Runs of cases with the same ``cluster`` count as one group.
    """
    counts: dict[tuple[str, str], _Count] = {}
    for agent, trajectory, case in runs:
        if trajectory.error is not None:
            continue
        group = case.cluster if case.cluster is not None else case.id
        fitting = fits(case)
        called = {call.name for call in trajectory.tool_calls}
        total = counts.setdefault((agent, ANY), _Count())
        if fitting is not None:
            if fitting:
                total.adopted.append((float(not called.isdisjoint(fitting)), group))
            else:
                total.astray.append((float(bool(called)), group))
            for tool in sorted({*fitting, *called, *_offered(case)}):
                count = counts.setdefault((agent, tool), _Count())
                (count.adopted if tool in fitting else count.astray).append((float(tool in called), group))
        for call in trajectory.tool_calls:
            well_formed = float(form_error(call, case.tools) is None)
            for count in (total, counts.setdefault((agent, call.name), _Count())):
                count.calls += 1
                count.formed.append((well_formed, group))
                if call.result is not None:
                    count.worked.append((float(call.error is None), group))
    ordered = sorted(counts, key=lambda key: (key[0], key[1] != ANY, key[1]))
    return tuple(counts[key].row(*key, level) for key in ordered)


@dataclass(frozen=True, kw_only=True)
class ToolAdoption:
    """1 when a fitting tool was called, 0 when one fits and none was; not measured where no tool fits."""

    fits: Fits = expected_tools
    limit: bool = True
    """False: measure only, so that nothing fails."""
    name: str = "tool_adoption"
    version: str = "1"

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Judge one run; the evidence holds the counts by tool that a report adds up."""
        more: dict[str, Any] = {"version": self.version, "area": "tools"}
        if trajectory.error is not None:
            why = f"the run broke off: {trajectory.error.message[:300]}"
            return Score.not_measured(self.name, why, kind=trajectory.error.kind, **more)
        if not trajectory.messages:
            return Score.not_measured(self.name, "the run has no messages: it never ran", kind="agent", **more)
        fitting = self.fits(case)
        more["evidence"] = {"tools": self._tools(trajectory, case, fitting)}
        if not fitting:
            why = "whether a tool fits is unknown" if fitting is None else "no tool fits: adoption is undefined"
            return Score.not_measured(self.name, why, expected_nothing=True, **more)
        called = {call.name for call in trajectory.tool_calls}
        used = sorted(called & set(fitting))
        shown = ", ".join(sorted(map(str, fitting))[:8])
        instead = ", ".join(used[:8] or [shorten(name, 60) for name in sorted(called)[:8]]) or "no tool"
        more["passed"] = bool(used) if self.limit else None
        return Score.of(self.name, float(bool(used)), f"called {instead}; fitting: {shown}", **more)

    @staticmethod
    def _tools(
        trajectory: Trajectory, case: Case, fitting: Collection[str] | None
    ) -> dict[str, Mapping[str, int | None]]:
        calls: dict[str, list[tuple[bool, bool | None]]] = {tool: [] for tool in sorted(fitting or ())[:50]}
        for call in trajectory.tool_calls:
            name = shorten(call.name, 80)
            if name in calls or len(calls) < 50:
                worked = None if call.result is None else call.error is None
                calls.setdefault(name, []).append((form_error(call, case.tools) is None, worked))
        return {
            name: {
                "fits": None if fitting is None else int(name in fitting),
                "calls": len(made),
                "well_formed": sum(formed for formed, _ in made),
                "came_back": sum(worked is not None for _, worked in made),
                "worked": sum(bool(worked) for _, worked in made),
            }
            for name, made in calls.items()
        }


def _offered(case: Case) -> frozenset[str]:
    found = []
    for tool in case.tools:
        inner = tool.get("function")
        name = (inner if isinstance(inner, Mapping) else tool).get("name")
        if isinstance(name, str) and name:
            found.append(name)
    return frozenset(found)


def _rate(values: list[tuple[float, str]], level: float, nothing: str) -> Estimate:
    if not values:
        return Estimate(value=None, level=level, note=nothing)
    # Runs are gathered by their group first: a group of many calls must not look like many independent ones.
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(group, len(numbers)) for _, group in values]
    plain = [value for value, _ in values]
    return rate(plain, None if len(numbers) == len(plain) else groups, level=level)
