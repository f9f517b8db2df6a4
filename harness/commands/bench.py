"""Is B slower than A? Both measured in turn in one session, the ratio with an interval, and a verdict.

A and B are two of a kind: functions (package.module:function, called without arguments), commands (in quotes),
addresses of OpenAI-compatible endpoints, or two files of pytest-benchmark. With --run, A and B are git commits, and
what is given there, a function or a command, is measured at both. Rounds are the pairs: each starts both sides anew
and samples them alternately, so what warms up or wobbles hits both.

A time that was stored is compared only on the machine it was measured on; otherwise the answer is inconclusive.

exit codes: 0 no slowdown shown (with --at-most: shown to be within), 10 slower, 11 inconclusive, 13 not comparable
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.commands.bench_series import add_to_series, read_series
from harness.commands.bench_sides import alone, is_file, pair
from harness.commands.bench_text import answer_of, as_json, seconds, told, told_files
from harness.commands.project import Say
from harness.core.clock import SYSTEM, iso_utc
from harness.core.errors import UsageError

EXAMPLES = """\
examples:
  harness bench app.text:old_parse app.text:new_parse
  harness bench main HEAD --run app.text:parse                  one function at two commits
  harness bench "python -m app.old" "python -m app.new" --rounds 20
  harness bench http://127.0.0.1:8000/v1 http://127.0.0.1:8001/v1 --metric ttft
  harness bench app.text:parse --save baseline.json             and later, on the same machine:
  harness bench app.text:parse --against baseline.json --at-most 1.05
  harness bench before.json after.json                          two files of pytest-benchmark
  harness bench app.text:parse --append nightly.jsonl           every night; then:
  harness bench --series nightly.jsonl                          when did its level change?
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("SIDE", nargs="*", help="A and B; or A alone with --save, --against or --append")
    add("--run", dest="what", metavar="WHAT", help="the function or command to measure; A and B are then git commits")
    add("--at-most", type=float, metavar="RATIO", help="B may take this many times as long as A, 1.05 say; it decides")
    add("--rounds", type=int, metavar="N", help="pairs (default: 20; 5 for endpoints)")
    add(
        "--samples", type=int, metavar="N", help="samples per side and round (default: 20; 1 for commands, 50 requests)"
    )
    add("--unpinned", action="store_true", help="let functions use more than one processor")
    add("--level", type=float, default=0.985, help="confidence of the interval (default: 0.985)")
    add("--metric", choices=("ttft", "total"), default="ttft", help="of an endpoint (default: ttft)")
    add("--model", default="default", help="the model that an endpoint is asked for")
    add("--seed", type=int, default=0, help="of the order in which the sides are sampled")
    add("--save", metavar="FILE", help="keep A's times, in pytest-benchmark's JSON")
    add("--against", metavar="FILE", help="a file that --save or pytest-benchmark wrote, in the place of A")
    add("--append", metavar="FILE", help="add A's level to a series of JSON lines")
    add("--series", metavar="FILE", help="show such a series and where its level changed")
    add("--json", action="store_true", help="what was found, as JSON")


def run(args: argparse.Namespace, say: Say) -> int:
    """Measure, compare, say so."""
    _check(args)
    root = Path.cwd()
    if args.series:
        return _series(Path(args.series), args, say)
    sides: list[str] = args.SIDE
    if len(sides) == 2 and all(is_file(side) for side in sides):
        return told_files(Path(sides[0]), Path(sides[1]), args, say)
    if len(sides) == 2:
        with pair(args, root) as (first, second, plan):
            from harness.runs.bench.in_turn import compare_in_turn

            found = compare_in_turn(first, second, level=args.level, seed=args.seed, pin=not args.unpinned, **plan)
        answer = answer_of(found.shift.ratio, args.at_most)
        if args.json:
            say(json.dumps(as_json(found, answer, args), indent=2))
        else:
            for line in told(found, answer, args):
                say(line)
        return {"pass": 0, "fail": 10, "inconclusive": 11}[answer]
    return _alone(sides[0], args, root, say)


def _alone(side: str, args: argparse.Namespace, root: Path, say: Say) -> int:
    from harness.plugin.environment import commit_of
    from harness.runs.bench.machine import fingerprint
    from harness.runs.bench.stored_times import StoredTimes, Timed, write_times

    name, times, units = alone(side, args, root)
    now = StoredTimes(
        timed=(Timed(name=name, times=tuple(times), iterations=units),), machine=fingerprint(),
        at=iso_utc(SYSTEM.wall()), commit=commit_of(root)[0],
    )  # fmt: skip
    from harness.stats.quantiles import quantile

    middle = quantile(times, 0.5)
    say(
        f"{name}: median {seconds(middle.value)} ({seconds(middle.low)} to {seconds(middle.high)}; {len(times)} rounds)"
    )
    code = 0
    if args.against:
        code = told_files(Path(args.against), now, args, say)
    if args.save:
        write_times(Path(args.save), now)
        say(f"kept in {args.save}")
    if args.append:
        add_to_series(Path(args.append), now)
        say(f"added to {args.append}")
    return code


def _series(path: Path, args: argparse.Namespace, say: Say) -> int:
    """Exit code 10 when the latest change of a level was upward, by more than --at-most where that is given."""
    found = read_series(path)
    if args.json:
        say(json.dumps([item.to_json() for item in found], indent=2))
    else:
        for item in found:
            for line in item.lines():
                say(line)
    allowed = args.at_most or 1.0
    return 10 if any(item.latest is not None and item.latest.after_over_before > allowed for item in found) else 0


def _check(args: argparse.Namespace) -> None:
    sides, wanted = args.SIDE, (args.save, args.against, args.append)
    if args.series:
        if sides or any(wanted):
            raise UsageError("--series shows a file and measures nothing; leave the others out")
        return
    if len(sides) not in (1, 2):
        raise UsageError(f"harness bench compares two sides, got {len(sides)}; see harness bench --help")
    if len(sides) == 1 and (not any(wanted) or args.what):
        raise UsageError("one side alone needs --save, --against or --append; or name the second side")
    if len(sides) == 2 and any(wanted):
        raise UsageError("--save, --against and --append are about one side; name A alone")
    if args.at_most is not None and not 0 < args.at_most < 100:
        raise UsageError(f"--at-most is a ratio such as 1.05, got {args.at_most!r}")
    for name, least in (("rounds", 2), ("samples", 1)):
        value: Any = getattr(args, name)
        if value is not None and not least <= value <= 100_000:
            raise UsageError(f"--{name} lies between {least} and 100,000, got {value}")
    if not 0.5 < args.level < 1:
        raise UsageError(f"--level lies between 0.5 and 1, got {args.level!r}")
