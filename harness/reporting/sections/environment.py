"""Environment: what the run was made of, enough to repeat it and to say whether two runs may be compared."""

from __future__ import annotations

import json

from harness.core.blocks import Block, Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Manifest, Run


class Environment:
    """The manifest as tables."""

    id = "environment"

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage:
        """Always has something to say."""
        manifest = run.manifest
        blocks: list[Block] = [_pairs("Run", _identity(manifest))]
        if manifest.planned:
            blocks.append(_planned(manifest))
        for title, values in (
            ("Versions", manifest.versions),
            ("Machine", manifest.machine),
            ("Prices", manifest.prices),
        ):
            if values:
                blocks.append(_pairs(title, {str(key): _text(value) for key, value in values.items()}))
        return SectionPage(id=self.id, title="Environment", blocks=tuple(blocks))


def _identity(manifest: Manifest) -> dict[str, str]:
    return {
        "run": manifest.run_id,
        "agent": manifest.agent,
        "mode": manifest.mode,
        "commit": manifest.commit + (" with changes that are not committed" if manifest.dirty else ""),
        "started": manifest.created_at,
        "finished": manifest.finished_at or "cut off",
        "seed": str(manifest.seed),
        "models": ", ".join(manifest.models),
        "command": " ".join(("pytest", *manifest.command)),
        "harness": manifest.harness_version,
    }


def _pairs(title: str, values: dict[str, str]) -> Table:
    rows = tuple((Cell(text=key, tone="muted"), Cell(text=value)) for key, value in values.items() if value)
    return Table(columns=(title, ""), rows=rows)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _planned(manifest: Manifest) -> Table:
    rows = []
    for suite in manifest.planned:
        kind = "observed" if suite.observe else "statistical" if suite.statistical else "every case must pass"
        rows.append(
            (
                Cell(text=f"{suite.suite} [{suite.arm}]" if suite.arm else suite.suite),
                Cell(text=str(suite.cases), sort=suite.cases),
                Cell(text=str(suite.trials), sort=suite.trials),
                Cell(text=kind),
                Cell(text=f"{suite.dataset} {suite.dataset_hash}".strip()),
            )
        )
    columns = ("Suite", "Cases", "Trials each", "Judged", "Dataset and its hash")
    return Table(columns=columns, rows=tuple(rows), caption="What was planned", numeric=(1, 2))
