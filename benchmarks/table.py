"""Figures as a table on the terminal and as pages under docs/benchmarks; pages are made from figures.json alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from benchmarks.figures import Figure, Result, shown
from benchmarks.machine import described, warn_if_busy
from benchmarks.sessions import ROOT

DOCS = ROOT / "docs" / "benchmarks"
HEAD = ("", "figure", "target", "met", "beside, in the same run")


def rows(figures: tuple[Figure, ...]) -> list[tuple[str, ...]]:
    """One row of text per figure."""
    made = []
    for one in figures:
        met = {True: "yes", False: "no", None: "not measured" if one.target and one.value is None else ""}[one.met]
        beside = f"{shown(one.ratio, 'x')} {one.versus}" if one.ratio is not None else one.versus
        what = f"{one.what} ({one.note})" if one.note else one.what
        made.append((what, one.text, one.target, met, beside))
    return made


def terminal(result: Result) -> str:
    """The result for a person at a terminal."""
    body = [HEAD, *rows(result.figures)]
    widths = [max(len(row[column]) for row in body) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in body]
    more = [f"not compared: {text}" for text in result.not_compared] + [f"{k}: {v}" for k, v in result.facts.items()]
    return "\n".join([result.title, *lines, *more, ""])


def keep(result: Result) -> None:
    """Put a result into figures.json, and write its page and the overview anew."""
    DOCS.mkdir(parents=True, exist_ok=True)
    store = DOCS / "figures.json"
    everything: dict[str, Any] = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    parts = _parts(result, everything.get(result.name, {}).get("parts", {}))
    made = {
        "title": result.title,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": described(),
        "method": result.method,
        "figures": [one for part in parts.values() for one in part] or [one.to_json() for one in result.figures],
        "not_compared": list(result.not_compared),
        "facts": {**result.facts, **({"Noise": busy} if (busy := warn_if_busy()) else {})},
    }
    everything[result.name] = {**made, "parts": parts} if parts else made
    ordered = {name: everything[name] for name in sorted(everything)}
    store.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (DOCS / f"{result.name}.md").write_text(page(result.name, everything[result.name]), encoding="utf-8")
    (DOCS / "README.md").write_text(overview(ordered), encoding="utf-8")


def _parts(result: Result, kept: dict[str, Any]) -> dict[str, Any]:
    """The parts of a benchmark: those just measured, and of the others what is kept."""
    merged = kept | {name: [one.to_json() for one in figures] for name, figures in result.parts.items()}
    return {name: merged[name] for name in result.part_order if name in merged}


def page(name: str, kept: dict[str, Any]) -> str:
    """One benchmark's page."""
    lines = [f"# {kept['title']}", "", kept["method"], "", *_markdown(kept)]
    if kept["not_compared"]:
        lines += ["", "Not compared:", "", *(f"- {text}" for text in kept["not_compared"])]
    facts = "".join(f" {key}: {value}." for key, value in kept["facts"].items())
    lines += ["", f"Measured on {kept['date']}: {kept['machine']}.{facts}"]
    return "\n".join([*lines, f"Again: `python -m benchmarks {name} --write`.", ""])


def overview(everything: dict[str, Any]) -> str:
    """The page that shows every figure with a target."""
    lines = [
        "# Speed of the harness itself",
        "",
        "Written by `python -m benchmarks --write`, never by hand. Ratios compare figures of one run on one machine;",
        "absolute times are of the machine named on each page. Only figures with a target are listed here.",
    ]
    for name, kept in everything.items():
        aimed = [one for one in kept["figures"] if "at_most" in one or "at_least" in one]
        lines += ["", f"## [{kept['title']}]({name}.md)", "", *_markdown({**kept, "figures": aimed})]
    if (DOCS / "statistics.md").exists():
        lines += ["", "How well the statistics decide is simulated apart: [statistics](statistics.md)."]
    return "\n".join([*lines, ""])


def _markdown(kept: dict[str, Any]) -> list[str]:
    figures = tuple(Figure(**{"value": None, **one}) for one in kept["figures"])
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---:|---:|---|---|"]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows(figures)]
