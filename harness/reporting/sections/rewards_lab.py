"""Rewards: what the lab found out about each reward function: flags, exploit gaps with the best cheat, survivors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.blocks import Block, Cell, Figure, Figures, Prose, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.score import Score
from harness.core.scorecard import Scorecard
from harness.reporting import numbers

METRICS = frozenset({"conformance", "property", "exploit_gap", "mutants_noticed"})
"""Rows of the scorecard that the lab's checks give; without one of them the records are not read for this section."""
MOST_ROWS = 60
LONGEST_TEXT = 400


@dataclass(kw_only=True)
class _Reward:
    """What was found about one reward function."""

    flags: list[tuple[str, str, str]] = field(default_factory=list)
    """(kind, check, reason) of each check that failed."""
    counts: dict[str, list[int]] = field(default_factory=lambda: {"conformance": [0, 0], "properties": [0, 0]})
    """Checks passed and checks made."""
    gaps: list[tuple[str, float, Mapping[str, Any]]] = field(default_factory=list)
    noticed: int = 0
    mutants: int = 0
    survivors: list[Mapping[str, Any]] = field(default_factory=list)


class RewardLab:
    """Built from the evidence that the checks of ``harness.rewards.CheckReward`` leave in their scores."""

    id = "rewards"

    def __init__(self, scorecard: Scorecard) -> None:
        self._there = any(metric in METRICS for _, _, metric in scorecard.samples)

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no reward function was checked."""
        if not self._there:
            return None
        found: dict[str, _Reward] = {}
        for record in run.records:
            for score in record.scores:
                if score.name in METRICS and "lab" in score.evidence:
                    _note(found.setdefault(str(score.evidence.get("reward", "")), _Reward()), score)
        if not found:
            return None
        blocks: list[Block] = []
        for name, reward in found.items():
            blocks += _blocks(name, reward)
        return SectionPage(id=self.id, title="Reward functions", blocks=tuple(blocks))


def _note(reward: _Reward, score: Score) -> None:
    evidence = score.evidence
    kind, check = str(evidence["lab"]), str(evidence.get("check", ""))
    if kind in reward.counts and score.measured:
        reward.counts[kind][0] += int(bool(score.passed))
        reward.counts[kind][1] += 1
        if not score.passed:
            said = score.reason.removeprefix(f"{evidence.get('reward', '')}: ")
            reward.flags.append((kind, check, said))
    elif kind == "exploits" and score.value is not None:
        reward.gaps.append((check, score.value, evidence))
    elif kind == "mutants" and score.value is not None:
        reward.noticed += int(evidence.get("noticed", 0))
        reward.mutants += int(evidence.get("of", 0))
        reward.survivors += [{**item, "operator": check} for item in evidence.get("survivors", ())]


def _blocks(name: str, reward: _Reward) -> list[Block]:
    items: list[Figure] = []
    for kind, label in (("conformance", "Conformance"), ("properties", "Properties")):
        passed, made = reward.counts[kind]
        if made:
            tone = "good" if passed == made else "bad"
            items.append(Figure(label=label, value=f"{passed} of {made}", note="checks kept", tone=tone))  # type: ignore[arg-type]
    if reward.gaps:
        check, gap, evidence = max(reward.gaps, key=lambda row: row[1])
        limit = float(evidence.get("limit", 0.05))
        note = f"share of its range that cheap edits move; {check}" if gap > 0 else "no cheap edit raises it"
        items.append(Figure(label="Exploit gap", value=_gap(gap), note=note, tone="bad" if gap > limit else "good"))
    if reward.mutants:
        note = "broken rewards that these checks notice"
        tone = "good" if reward.noticed == reward.mutants else "warn"
        items.append(
            Figure(label="Mutants noticed", value=f"{reward.noticed} of {reward.mutants}", note=note, tone=tone)  # type: ignore[arg-type]
        )
    blocks: list[Block] = [Prose(text=f"Reward function: {_short(name)}"), Figures(items=tuple(items))]
    if reward.flags:
        blocks.append(_flags(reward))
    if any(gap > 0 for _, gap, _ in reward.gaps):
        blocks.append(_gaps(reward))
    if reward.survivors:
        blocks.append(_survivors(reward))
    if len(blocks) == 2:
        blocks.append(Prose(text="Nothing was flagged, no cheat was found, and no broken reward went unnoticed."))
    return blocks


def _flags(reward: _Reward) -> Table:
    rows = [
        (Cell(text=check.replace("_", " "), tone="bad"), Cell(text=_short(reason)))
        for _, check, reason in reward.flags[:MOST_ROWS]
    ]
    return Table(columns=("Flagged", "What was seen"), rows=tuple(rows), caption="What the reward does not keep")


def _gaps(reward: _Reward) -> Table:
    rows = []
    for check, gap, evidence in sorted(reward.gaps, key=lambda row: -row[1])[:MOST_ROWS]:
        cheat: Any = evidence.get("cheat") or {}
        moved = f"{cheat['before']:g} to {cheat['after']:g}" if cheat else ""
        tone = "bad" if gap > float(evidence.get("limit", 0.05)) else "good" if gap == 0 else "warn"
        rows.append(
            (
                Cell(text=check),
                Cell(text=_gap(gap), sort=gap, tone=tone),  # type: ignore[arg-type]
                Cell(text=_short(" + ".join(map(str, cheat.get("edits", ()))))),
                Cell(text=_short(str(cheat.get("base", "")))),
                Cell(text=moved),
                Cell(text=numbers.count(int(evidence.get("calls", 0))), sort=int(evidence.get("calls", 0))),
            )
        )
    return Table(
        columns=("Edits", "Gap", "Best cheat", "Applied to", "Reward", "Calls"),
        rows=tuple(rows),
        numeric=(1, 5),
        caption="How far cheap edits raise the reward, as a share of its range",
    )


def _survivors(reward: _Reward) -> Table:
    rows = [
        (
            Cell(text=f"{item.get('function', '')}, line {item.get('line', '')}", sort=int(item.get("line", 0))),
            Cell(text=_short(str(item.get("what", "")))),
            Cell(text=_lines(str(item.get("diff", "")), "-")),
            Cell(text=_lines(str(item.get("diff", "")), "+")),
        )
        for item in reward.survivors[:MOST_ROWS]
    ]
    left = len(reward.survivors) - len(rows)
    more = f"; {left} more are in the journal" if left > 0 else ""
    return Table(
        columns=("Where", "Change", "Before", "After"),
        rows=tuple(rows),
        caption=f"Broken rewards that nobody noticed{more}",
    )


def _lines(diff: str, sign: str) -> str:
    """One side of a change."""
    return _short("\n".join(line[1:].strip() for line in diff.splitlines() if line.startswith(sign)))


def _gap(gap: float) -> str:
    return f"{gap:,.0f}" if gap >= 100 else f"{gap:.3g}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " ..."
