"""The readiness report as blocks: one line per component, then every check that did not pass, then all checks."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.blocks import Block, Cell, Prose, SectionPage, Table, Tone
from harness.quality.readiness import Check, Readiness, worst

TONES: dict[str, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
WORDS = {"pass": "ready", "fail": "not ready", "inconclusive": "inconclusive"}


def quality_page(found: Sequence[Readiness], *, folded: bool = False) -> SectionPage:
    """The page.

    :param folded: leave out the tables of every component, for a terminal: what is open is said anyway.
    """
    answer = worst(item.answer for item in found)
    count = sum(item.answer == "pass" for item in found)
    head = f"{count} of {len(found)} components ready: {answer.upper()}"
    blocks: list[Block] = [Prose(text=head, tone=TONES[answer]), _overview(found)]
    open_checks = [(item, check) for item in found for check in item.checks if check.answer != "pass"]
    if open_checks:
        blocks.append(_table(open_checks, "What stands in the way"))
    if not folded:
        for item in found:
            spec = item.spec
            blocks.append(Prose(text=f"{spec.id}: {spec.title}. When it breaks: {', '.join(spec.blast_radius)}. "
                                     f"Always: {'; '.join(spec.invariants)}."))  # fmt: skip
            blocks.append(_table([(item, check) for check in item.checks], f"{spec.id}: every check"))
    return SectionPage(id="quality", title="Readiness by component", blocks=tuple(blocks))


def _overview(found: Sequence[Readiness]) -> Table:
    rows = []
    for item in found:
        parts = [_kind(item, kind) for kind in ("branches", "mutants")]
        tests = [check for check in item.checks if check.kind in ("criterion", "contract")]
        passed = sum(check.answer == "pass" for check in tests)
        clean = [check for check in item.checks if check.kind in ("types", "lint")]
        rows.append((
            Cell(text=item.spec.id), Cell(text=str(item.spec.risk_tier)),
            *[_share(check) for check in parts],
            Cell(text=worst(check.answer for check in clean), tone=TONES[worst(check.answer for check in clean)]),
            Cell(text=f"{passed} of {len(tests)}", tone=TONES[worst(check.answer for check in tests)]),
            Cell(text=WORDS[item.answer], tone=TONES[item.answer]),
        ))  # fmt: skip
    columns = ("component", "tier", "branches", "mutants", "types, lint", "criteria", "")
    return Table(columns=columns, rows=tuple(rows), numeric=(1, 2, 3, 5))


def _kind(item: Readiness, kind: str) -> Check:
    return next(check for check in item.checks if check.kind == kind)


def _share(check: Check) -> Cell:
    if check.value is None:
        return Cell(text="not measured", tone="warn")
    # Rounded down, so that 89.96 % is never shown as the 90 % it is not.
    return Cell(text=f"{int(check.value * 1000) / 10:.1f} %", tone=TONES[check.answer], sort=check.value)


def _table(checks: Sequence[tuple[Readiness, Check]], caption: str) -> Table:
    rows = tuple(
        (
            Cell(text=item.spec.id),
            Cell(text=check.answer, tone=TONES[check.answer]),
            Cell(text=check.name),
            Cell(text=check.found),
            Cell(text=check.asked),
            Cell(text=check.needs),
        )
        for item, check in checks
    )
    return Table(columns=("component", "", "check", "found", "asked", "what to do"), rows=rows, caption=caption)
