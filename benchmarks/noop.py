"""CPU per golden case when the agent does nothing: what the harness itself costs, and whether it stays flat."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.sessions import Session, run_session, write_cases, write_project

SIZES = (1_000, 5_000, 10_000, 20_000)
AT_MOST_US = 200.0
AGENT = """\
async def answer(input):
    return "ok"
"""
BODIES = {
    "plain body": "def test_noop(case, trajectory):\n    assert trajectory.answer\n",
    "async body": "async def test_noop(case, agent):\n    assert (await agent(case)).answer\n",
}
PARAMETRIZED = """\
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_noop(number):
    assert number >= 0
"""
PHASES = {
    "collecting": ("configured", "collected"),
    "planning": ("planned",),
    "running": ("ran",),
    "finishing (journal read, scorecard, gate, reports)": ("finished", "ended"),
}


def golden(count: int, body: str = "plain body") -> Session:
    """One session of ``count`` golden cases."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        mark = 'import pytest\n\n@pytest.mark.golden("bench", agent="noop_agent:answer")\n'
        write_project(folder, {"noop_agent.py": AGENT, "suites/test_noop.py": mark + BODIES[body]})
        write_cases(folder, count)
        return run_session(folder, "suites")


def parametrized(count: int) -> Session:
    """One session of ``count`` items of pytest's own, without the harness."""
    with tempfile.TemporaryDirectory() as made:
        folder = write_project(Path(made), {"test_noop.py": PARAMETRIZED.format(count=count)})
        return run_session(folder, ".", plugins=())


def _least(sessions: list[Session]) -> Session:
    return min(sessions, key=lambda one: one.cpu_s)


def run(scale: float = 1.0) -> Result:
    sizes = [max(50, int(size * scale)) for size in SIZES]
    base = _least([golden(1) for _ in range(5)])
    plain_base = _least([parametrized(1) for _ in range(5)])
    # The smaller a session, the more a neighbour on the machine weighs in its difference to one case.
    sessions = {size: _least([golden(size) for _ in range(max(1, 3 - place))]) for place, size in enumerate(sizes)}
    plain = {size: parametrized(size) for size in (sizes[0], sizes[2])}

    def per_case(session: Session, size: int, beside: Session = base) -> float:
        return (session.cpu_s - beside.cpu_s) / (size - 1) * 1e6

    each = {size: per_case(sessions[size], size) for size in sizes}
    plain_each = {size: per_case(plain[size], size, plain_base) for size in plain}
    figures = [
        Figure(
            what=f"CPU per case, {size:,} cases",
            value=each[size],
            unit="us",
            at_most=AT_MOST_US,
            ratio=each[size] / plain_each[size] if size in plain_each else None,
            versus="a parametrized item of pytest's own" if size in plain_each else "",
        )
        for size in sizes
    ]
    figures.append(
        Figure(
            what=f"the same at {sizes[-1]:,} cases over that at {sizes[0]:,}: flat is 1",
            value=each[sizes[-1]] / each[sizes[0]],
            unit="x",
            at_most=1.15,
        )
    )
    middle = sizes[2]
    for name, phases in PHASES.items():
        spent = sessions[middle].phase(*phases).cpu_s - base.phase(*phases).cpu_s
        figures.append(Figure(what=f"of {middle:,}: {name}", value=spent / (middle - 1) * 1e6, unit="us"))
    inside = sum(sessions[middle].phases[name].cpu_s - base.phases[name].cpu_s for name in base.phases)
    outside = sessions[middle].cpu_s - base.cpu_s - inside
    figures.append(Figure(what=f"of {middle:,}: the end of the process", value=outside / (middle - 1) * 1e6, unit="us"))
    other = per_case(golden(sizes[0], "async body"), sizes[0])
    figures += [
        Figure(what=f"CPU per case, {sizes[0]:,} async bodies that call the agent", value=other, unit="us"),
        *(Figure(what=f"CPU per item of pytest's own, {size:,}", value=plain_each[size], unit="us") for size in plain),
        Figure(
            what="CPU of a session with one golden case",
            value=base.cpu_s,
            unit="s",
            ratio=base.cpu_s / plain_base.cpu_s,
            versus="pytest with one plain item",
        ),
    ]
    return Result(
        name="noop",
        title="CPU per golden case",
        method=(
            "Sessions of golden cases (a dataset of JSON lines, an async agent that returns a constant, a plain body "
            "with one assert), each a process of its own: CPU time of the whole process (all threads, user and system) "
            "minus that of a session with one case, divided by the number of further cases. It covers everything: "
            "loading the dataset, collection, running, the journal, scorecard, gate and all reports."
        ),
        figures=tuple(figures),
        scale=scale,
    )
