"""Measure an OpenAI-compatible endpoint under load: first token, gaps, tokens per second, errors, with intervals.

How the load comes:
  --rate 20       open loop: 20 requests/s whatever the server does, as users come. Latency counts from when a request
                  was due, so a server that stalls is charged for everyone who waits. Use this for budgets.
  --streams 8     closed loop: 8 requests at a time, the next when the last has ended. Use this for throughput.
  --sweep         rising rates up to the knee, beyond which the server does not keep up.

What decides: --budget FIGURE=LIMIT. A figure is ttft, ttfc, e2e, tpot, gap, itl, worst_gap with a percentile or mean
and its unit (ttft_p95_s, e2e_mean_s), or tokens_per_s, requests_per_s, goodput, error_share, stall_share. Pass: the
interval is inside the limit. Fail: it is outside. Else inconclusive: give --repeats. Any budget brings one over errors:
at most 1 % of the requests may fail. A run in which this client was the bottleneck is inconclusive; look at yours
beforehand with --calibrate.

exit codes: 0 pass (or no budget), 10 a budget failed, 11 inconclusive, client-limited, or nothing measured
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.project import Say, screen
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.commands.load_live import LiveView
    from harness.runs.load.repeats import LoadResult
    from harness.runs.load.running import Plan

EXAMPLES = """\
examples:
  harness load http://127.0.0.1:8000/v1 --rate 20 --duration 30 --budget ttft_p95_s=0.3 error_share=0.01
  harness load http://127.0.0.1:8000/v1 --streams 8 --requests 500 --model my-model
  harness load http://127.0.0.1:8000/v1 --rate 5 --sweep                  double until it breaks, then close in
  harness load http://127.0.0.1:8000/v1 --rate 20 --repeats 5 --budget ttft_p95_s=0.3 tokens_per_s=500
  harness load --calibrate                                               what this machine can measure
  harness load --read reports/load/20260131-101500                       its figures again, also of a killed run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    from harness.runs.load.schedule import ARRIVALS

    parser.add_argument("URL", nargs="?", help="the base address (http://127.0.0.1:8000/v1) or the whole one")
    how = parser.add_argument_group("how the load comes")
    how.add_argument("--rate", type=float, metavar="N", help="open loop: requests per second")
    how.add_argument("--streams", type=int, metavar="N", help="closed loop: requests at a time; default: 1")
    how.add_argument("--arrivals", choices=ARRIVALS, default=None, help="of the open loop; default: poisson")
    how.add_argument("--rate-to", type=float, metavar="N", help="for ramp: the rate at the end")
    how.add_argument("--cv", type=float, default=2.0, metavar="X", help="for gamma: 1 is Poisson, more is burstier")
    how.add_argument("--trace", metavar="FILE", help="for trace: a time in seconds a line")
    how.add_argument("--duration", type=float, default=30.0, metavar="S", help="seconds of sending; default: 30")
    how.add_argument("--requests", type=int, metavar="N", help="at most so many")
    how.add_argument(
        "--sweep", nargs="?", const="", metavar="R,R,...", help="rising rates; without a list: find the knee"
    )
    how.add_argument("--processes", type=int, default=1, metavar="N", help="that send and stamp; default: 1")
    how.add_argument("--timeout", type=float, default=60.0, metavar="S", help="of one request; default: 60")
    how.add_argument("--seed", type=int, default=0, metavar="N", help="of the arrivals: same seed, same schedule")
    what = parser.add_argument_group("what is asked")
    what.add_argument("--model", default="default", metavar="NAME")
    what.add_argument("--prompts", metavar="FILE", help="JSON lines (prompt or messages) or a text a line")
    what.add_argument("--prompt-words", type=int, default=50, metavar="N", help="of built-in prompts; default: 50")
    what.add_argument("--max-tokens", type=int, default=100, metavar="N", help="of each answer; default: 100")
    what.add_argument("--completions", action="store_true", help="/completions instead of /chat/completions")
    what.add_argument("--no-stream", action="store_true", help="ask for whole replies: then there is only e2e")
    what.add_argument("--header", action="append", default=[], metavar="K:V", help="a further header; may be repeated")
    what.add_argument("--body", metavar="JSON", help='further fields of the body: {"temperature": 0}')
    what.add_argument("--insecure", action="store_true", help="do not check the certificate")
    judged = parser.add_argument_group("what decides")
    judged.add_argument("--budget", nargs="+", action="extend", default=[], metavar="FIGURE=LIMIT")
    judged.add_argument("--good", nargs="+", action="extend", default=[], metavar="FIGURE=LIMIT",
                        help="limits of a single request, for goodput: ttft_s=0.5 tpot_s=0.05")  # fmt: skip
    judged.add_argument("--stall", type=float, default=1.0, metavar="S", help="a gap that counts as stall; default: 1")
    judged.add_argument("--repeats", type=int, default=1, metavar="N", help="most runs while inconclusive; default: 1")
    judged.add_argument("--warm-up", type=float, metavar="S", help="leave out so much; default: by a rule (MSER-5)")
    kept = parser.add_argument_group("what is kept and shown")
    kept.add_argument("--out", metavar="DIR", help="default: reports/load/<time>")
    kept.add_argument("--json", action="store_true", help="the figures as JSON instead of text")
    kept.add_argument("--quiet", action="store_true", help="no live view")
    kept.add_argument("--read", metavar="DIR", help="no load: the figures of a run that was kept")
    kept.add_argument("--calibrate", action="store_true", help="no URL: this machine's error, against a mock")


def run(args: argparse.Namespace, say: Say) -> int:
    """Measure, judge, write, say."""
    from harness.commands.load_plan import folder_of, limits_of, plan_of

    if args.calibrate:
        return _calibrate(args, say)
    if args.read:
        return _read(args, say)
    if not args.URL and any("://" in word for word in (*args.budget, *args.good)):
        raise UsageError(
            "the address goes before the flags: harness load http://127.0.0.1:8000/v1 --budget ttft_p95_s=0.3"
        )
    if not args.URL:
        raise UsageError("which address? harness load http://127.0.0.1:8000/v1 --rate 5 (or --calibrate, without one)")
    from harness.runs.load.budgets import parse_budgets
    from harness.runs.load.summary import check_good

    budgets = parse_budgets(limits_of(args.budget, "--budget"))
    good = check_good({name: float(value) for name, value in limits_of(args.good, "--good", numbers=True).items()})
    plan = plan_of(args)
    folder = folder_of(args)
    view = _view(args, plan)
    if args.sweep is not None:
        return _sweep(args, plan, folder, view, say)
    from harness.runs.load.repeats import run_repeats

    try:
        result = run_repeats(
            plan, folder, budgets=budgets, repeats=args.repeats, good=good, stall_s=args.stall,
            warm_up_s=args.warm_up, on_progress=view.show if view else None,
        )  # fmt: skip
    finally:
        if view:
            view.close()
    return _finish(args, result, say)


def exit_code(answer: str) -> int:
    """As at the end of a session."""
    return {"pass": 0, "fail": 10}.get(answer, 11)


def _finish(args: argparse.Namespace, result: LoadResult, say: Say) -> int:
    from harness.commands.load_files import result_json, write_files

    paths = write_files(result)
    if args.json:
        import json

        say(json.dumps(result_json(result), indent=2))
    else:
        from harness.commands.load_text import result_lines

        seen = screen()
        for line in result_lines(result, colour=seen.colour, ascii_only=seen.ascii_only, width=seen.width):
            say(line)
        say(f"report: {_shown(paths.html)}")
    return exit_code(result.answer)


def _shown(path: Path) -> str:
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def _view(args: argparse.Namespace, plan: Plan) -> LiveView | None:
    if args.quiet or args.json or not sys.stderr.isatty():
        return None
    from harness.commands.load_live import LiveView

    return LiveView(sys.stderr, repeats=args.repeats, offered=plan.offered)


def _sweep(args: argparse.Namespace, plan: Plan, folder: Path, view: LiveView | None, say: Say) -> int:
    from harness.commands.load_files import sweep_json, write_sweep
    from harness.commands.load_plan import rates_of
    from harness.runs.load.sweep import sweep

    if args.budget:
        raise UsageError("--sweep finds the knee and judges no budget; leave --budget out, or run one rate")
    try:
        made = sweep(
            plan, folder, rates=rates_of(args.sweep), on_progress=None if view is None else view.show_rate
        )  # fmt: skip
    finally:
        if view:
            view.close()
    path = write_sweep(made)
    if args.json:
        import json

        say(json.dumps(sweep_json(made), indent=2))
    else:
        from harness.commands.load_text import sweep_lines

        for line in sweep_lines(made):
            say(line)
        say(f"report: {_shown(path)}")
    return 11 if any(level.kept_up is None for level in made.levels) or not made.levels else 0


def _calibrate(args: argparse.Namespace, say: Say) -> int:
    import tempfile

    from harness.commands.load_text import calibration_lines
    from harness.runs.load.calibrate import STREAMS, calibrate

    if args.URL:
        raise UsageError("--calibrate runs against a mock of its own; leave the address out")
    streams = (args.streams,) if args.streams else STREAMS
    with tempfile.TemporaryDirectory() as made:
        found = calibrate(Path(made), streams=streams, processes=args.processes, duration_s=min(args.duration, 4.0))
    if args.json:
        import json
        from dataclasses import asdict

        say(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for line in calibration_lines(found):
            say(line)
    return 11 if any(one.audit.client_limited for one in found) else 0


def _read(args: argparse.Namespace, say: Say) -> int:

    from harness.commands.load_plan import limits_of, read_result
    from harness.runs.load.budgets import parse_budgets

    budgets = parse_budgets(limits_of(args.budget, "--budget"))
    good = {name: float(value) for name, value in limits_of(args.good, "--good", numbers=True).items()}
    result = read_result(Path(args.read), budgets, good=good, stall_s=args.stall, warm_up_s=args.warm_up)
    return _finish(args, result, say)
