"""What a load run leaves: ``load.html``, ``summary.json``, ``requests.csv``, beside its ``requests.jsonl``."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.results.run_folder import write_atomically

if TYPE_CHECKING:
    from harness.runs.load.repeats import LoadResult
    from harness.runs.load.running import LoadRun
    from harness.runs.load.sweep import Sweep

COLUMNS = (
    "number", "due_s", "late_s", "sent_s", "end_s", "ok", "failure", "status", "ttft_s", "ttft_sent_s", "ttfc_s",
    "e2e_s", "tpot_s", "worst_gap_s", "tokens", "token_source", "prompt_tokens", "token_events", "coalesced",
    "finish_reason",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where they lie."""

    html: Path
    json: Path


def write_files(result: LoadResult) -> Paths:
    """Write the report and the exports of a result."""
    from harness.commands.change_html import page_html
    from harness.commands.load_blocks import load_page

    folder = result.folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = Paths(html=folder / "load.html", json=folder / "summary.json")
    write_atomically(paths.json, (json.dumps(result_json(result), indent=1) + "\n").encode())
    for run in result.runs:
        write_atomically(run.folder / "requests.csv", csv_text(run).encode())
    write_atomically(paths.html, page_html(load_page(result)).encode("utf-8", "replace"))
    return paths


def result_json(result: LoadResult) -> dict[str, Any]:
    """Everything but the single requests."""
    return {
        "answer": result.answer,
        "verdicts": [verdict.to_json() for verdict in result.verdicts],
        "url": result.runs[-1].plan.url,
        "runs": [summary.to_json() for summary in result.summaries],
        "folder": str(result.folder),
    }


def csv_text(run: LoadRun) -> str:
    """One row a request; what was not measured is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in run.requests:
        values = [getattr(one, name) for name in COLUMNS]
        writer.writerow([f"{value:.7f}" if isinstance(value, float) else value for value in values])
    return out.getvalue()


def sweep_json(made: Sweep) -> dict[str, Any]:
    """The levels and the knee."""
    levels = [
        {"rate": level.rate, "kept_up": level.kept_up, "why": level.why, **level.summary.to_json()}
        for level in made.levels
    ]
    return {"knee": made.knee, "found": made.found, "levels": levels, "folder": str(made.folder)}


def write_sweep(made: Sweep) -> Path:
    """Write the report of a sweep, and its JSON."""
    from harness.commands.change_html import page_html
    from harness.commands.load_blocks import sweep_page

    made.folder.mkdir(parents=True, exist_ok=True)
    path = made.folder / "load.html"
    write_atomically(made.folder / "summary.json", (json.dumps(sweep_json(made), indent=1) + "\n").encode())
    write_atomically(path, page_html(sweep_page(made)).encode("utf-8", "replace"))
    return path
