"""``@pytest.mark.golden(...)``: what a test declares about its cases, trials and criterion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from harness.core.case import Case
from harness.core.errors import UsageError

HELP = (
    "golden(source, *, evaluators=None, trials=None, pass_rate=None, tags=(), where=None, area='', observe=False, "
    "deadline_s=None, agent=None, faults=None): run the test once per golden case. source is a dataset's name, a path, "
    "a Dataset, a list of cases, or 'recorded:FILE'. Fixtures: case, trajectory, agent, evaluate, trial."
)


@dataclass(frozen=True, kw_only=True)
class Golden:
    """The parsed marker. Every field but ``source`` has the meaning and default given here."""

    source: Any
    """Name of a dataset, a path, a Dataset, cases, a frame, or ``recorded:FILE``."""
    evaluators: tuple[Any, ...] | None = None
    """None: whatever each case expects. An empty list: only the test's body judges."""
    trials: int | None = None
    """Attempts at each case; None: ``--harness-trials``, else 1 (recorded runs: as many as were recorded)."""
    pass_rate: float | None = None
    """Share of cases that has to pass, in (0, 1]. Makes the suite statistical: the gate decides, not one red case."""
    tags: tuple[str, ...] = ()
    """Only cases that have one of these tags."""
    without: tuple[str, ...] = ()
    """Leave out cases that have one of these tags."""
    where: Callable[[Case], bool] | None = None
    """Only cases for which this is true."""
    area: str = ""
    """Heading of the scorecard; empty: the name of the folder under the suites folder."""
    observe: bool = False
    """Measured and shown, never gating."""
    deadline_s: float | None = None
    """Seconds one trial may take; None: ``--harness-deadline-s``."""
    faults: tuple[str, ...] | None = None
    """Operators whose faults the suite says it notices (``--harness-sensitivity``); None: all of them."""
    compare: str = ""
    """A parametrized name whose values are arms: every value against the first, on the same cases and seeds."""
    agent: Any = None
    """An agent or its spec for this test only, instead of ``--harness-agent``."""

    @property
    def statistical(self) -> bool:
        """Whether a rate decides, by this declaration alone."""
        return self.pass_rate is not None or self.observe

    def wants(self, case: Case) -> bool:
        """Whether the declaration selects a case."""
        if self.tags and not set(self.tags) & set(case.tags):
            return False
        if self.without and set(self.without) & set(case.tags):
            return False
        return self.where is None or bool(self.where(case))


_KNOWN = tuple(item.name for item in fields(Golden) if item.name != "source")


def parse(args: tuple[Any, ...], kwargs: Mapping[str, Any], *, where: str) -> Golden:
    """The marker as a :class:`Golden`.

    :param where: the test it stands on, for messages.
    :raises UsageError: naming the argument, its value and what is accepted.
    """
    import difflib

    given = dict(kwargs)
    if len(args) > 1 or (args and "source" in given) or (not args and "source" not in given):
        raise UsageError(f"{where}: golden(...) takes exactly one source (a dataset's name or path, first argument)")
    source = args[0] if args else given.pop("source")
    for name in given:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_KNOWN)}"
            raise UsageError(f"{where}: golden(...) has no argument {name!r}; {hint}")
    for name in ("tags", "without"):
        if name in given:
            value = given[name]
            given[name] = (value,) if isinstance(value, str) else tuple(value)
    if given.get("evaluators") is not None:
        value = given["evaluators"]
        given["evaluators"] = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        for evaluator in given["evaluators"]:
            if not callable(getattr(evaluator, "evaluate", None)) or isinstance(evaluator, type):
                made = f"{evaluator.__name__}()" if isinstance(evaluator, type) else "an object with evaluate()"
                raise UsageError(f"{where}: evaluators=... has {evaluator!r}, which cannot evaluate; give {made}")
    trials = given.get("trials")
    if trials is not None and (not isinstance(trials, int) or isinstance(trials, bool) or trials < 1):
        raise UsageError(f"{where}: trials must be a whole number of at least 1, got {trials!r}")
    rate = given.get("pass_rate")
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate <= 1):
        raise UsageError(f"{where}: pass_rate must be a share above 0 and at most 1, got {rate!r}")
    deadline = given.get("deadline_s")
    if deadline is not None and (not isinstance(deadline, (int, float)) or deadline <= 0):
        raise UsageError(f"{where}: deadline_s must be a number of seconds above 0, got {deadline!r}")
    if given.get("observe") and rate is not None:
        raise UsageError(f"{where}: observe=True never gates, so pass_rate={rate!r} would be ignored; drop one of them")
    if given.get("where") is not None and not callable(given["where"]):
        raise UsageError(f"{where}: where must be a function of a case, got {given['where']!r}")
    if given.get("faults") is not None:
        from harness.sensitivity import check_names

        value = given["faults"]
        given["faults"] = (value,) if isinstance(value, str) else tuple(value)
        check_names(given["faults"], where)
    if not isinstance(given.get("compare", ""), str):
        raise UsageError(f"{where}: compare must be the name of a parameter, got {given['compare']!r}")
    return Golden(source=source, **given)
