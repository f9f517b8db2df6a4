"""From the words of the command line to a plan of load; and a kept run as a result again."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.runs.load.budgets import Budget
    from harness.runs.load.repeats import LoadResult
    from harness.runs.load.running import Plan


def plan_of(args: argparse.Namespace) -> Plan:
    """The plan that was asked for.

    :raises UsageError: something does not fit; names the flag, the value and what would fit.
    """
    from harness.runs.load.endpoint import Asking, read_prompts
    from harness.runs.load.running import Plan
    from harness.runs.load.schedule import Arrivals, read_trace

    arrivals = None
    kind = args.arrivals or ("trace" if args.trace else "ramp" if args.rate_to else "poisson")
    if kind == "trace":
        if not args.trace:
            raise UsageError("--arrivals trace needs the times: --trace FILE")
        arrivals = Arrivals(kind="trace", trace=read_trace(Path(args.trace)), seed=args.seed)
    elif args.rate is not None or args.sweep is not None:
        if args.streams is not None:
            raise UsageError("--rate is an open loop and --streams a closed one; give one of them")
        rate = 1.0 if args.rate is None else args.rate
        arrivals = Arrivals(kind=kind, rate=rate, rate_to=args.rate_to, cv=args.cv, seed=args.seed)
    elif args.arrivals:
        raise UsageError(f"--arrivals {args.arrivals} needs --rate, in requests per second")
    for flag, value in (("--prompt-words", args.prompt_words), ("--max-tokens", args.max_tokens)):
        if not 1 <= value <= 1_000_000:
            raise UsageError(f"{flag} must be a whole number from 1 to 1,000,000, got {value}")
    asking = Asking(
        model=args.model,
        prompts=read_prompts(Path(args.prompts)) if args.prompts else (),
        prompt_words=args.prompt_words,
        max_tokens=args.max_tokens,
        stream=not args.no_stream,
        body=_body(args.body),
        headers=_headers(args.header),
    )
    return Plan(
        url=args.URL, asking=asking, kind="completions" if args.completions else "", arrivals=arrivals,
        streams=args.streams or 1, duration_s=args.duration, requests=args.requests, timeout_s=args.timeout,
        processes=args.processes, insecure=args.insecure,
    )  # fmt: skip


def limits_of(given: Sequence[str], flag: str, *, numbers: bool = False) -> dict[str, str]:
    """``ttft_p95_s=0.3`` as name and text."""
    made: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name or not value:
            hint = " (the address goes before the flags)" if "://" in item else ""
            raise UsageError(f"{flag} takes FIGURE=LIMIT, such as ttft_p95_s=0.3, got {item!r}{hint}")
        if name in made:
            raise UsageError(f"{flag}: {name} is given twice")
        if numbers:
            try:
                if not 0 < float(value) < math.inf:
                    raise ValueError
            except ValueError:
                raise UsageError(f"{flag}: {name} needs a number of seconds above 0, got {value!r}") from None
        made[name] = value
    return made


def rates_of(text: str) -> tuple[float, ...]:
    """``5,10,20`` as numbers; empty for nothing."""
    try:
        made = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        made = (0.0,)
    if any(not 0 < rate < math.inf for rate in made):
        raise UsageError(f"--sweep takes rates such as 5,10,20 (or nothing), got {text!r}")
    return made


def folder_of(args: argparse.Namespace) -> Path:
    """Where the run is kept.

    :raises UsageError: there is something in it already.
    """
    if args.out:
        folder = Path(args.out)
        if folder.is_dir() and any(folder.iterdir()):
            raise UsageError(f"--out: {folder} is not empty; name another folder")
        return folder
    from harness.commands.project import nearest_root

    base = nearest_root(Path.cwd()) / "reports" / "load"
    name = time.strftime("%Y%m%d-%H%M%S")
    return next(p for n in range(100) if not (p := base / (f"{name}-{n}" if n else name)).exists())


def read_result(
    folder: Path, budgets: Sequence[Budget], *, good: Mapping[str, float], stall_s: float, warm_up_s: float | None
) -> LoadResult:
    """The runs of a folder again, with figures and verdicts worked out anew."""
    from harness.runs.load.budgets import judge, level_for, quantiles_for
    from harness.runs.load.kept import kept_run
    from harness.runs.load.repeats import LoadResult
    from harness.runs.load.summary import summarise

    parts = sorted(folder.glob("repeat-*"), key=lambda path: (len(path.name), path.name)) or [folder]
    runs = tuple(kept_run(part) for part in parts)
    level = level_for(len(runs))
    quantiles = quantiles_for(budgets)
    summaries = tuple(
        summarise(run, good=good, stall_s=stall_s, quantiles=quantiles, level=level, warm_up_s=warm_up_s)
        for run in runs
    )
    verdicts = judge(budgets, summaries, level=level)
    return LoadResult(runs=runs, summaries=summaries, verdicts=verdicts, folder=folder)


def _body(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        made = json.loads(text)
    except ValueError:
        made = None
    if not isinstance(made, dict):
        raise UsageError(f"--body takes a JSON object, such as '{{\"temperature\": 0}}', got {text[:80]!r}")
    return made


def _headers(given: Sequence[str]) -> dict[str, str]:
    made = {}
    for item in given:
        name, separator, value = item.partition(":")
        if not separator or not name.strip():
            raise UsageError(f"--header takes NAME: VALUE, got {item.partition(':')[0]!r}")
        made[name.strip()] = value.strip()
    return made
