"""``harness``: the command line for runs that are stored. Running is pytest's: ``pytest suites``.

Only the module of the command that was asked for is imported, so ``harness --help`` costs nothing.

Exit codes are those of a session: 0 pass, 1 the command failed, 2 interrupted, 3 a mistake of ours, 4 a mistake in what
was typed or declared, 10 gate failed, 11 inconclusive, 12 budget exhausted, 13 baseline missing or not comparable.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from harness.core.errors import HarnessError, UsageError

COMMANDS = {
    "gate": "judge a stored run anew, and exit with the verdict's code",
    "report": "write the reports of a stored run again",
    "judge": "judge a stored run anew with a model, without running the agent",
    "calibrate": "hold a judge's exam: its verdicts against people's labels",
    "compare": "what changed between two runs: differences with intervals, cases that flipped, cost, latency",
    "history": "the runs of this project, newest last; their trend, and alerts",
    "bench": "is B slower than A? functions, commands, commits or endpoints, measured in turn",
    "plan": "how many cases and trials a margin needs, and the smallest regression this suite can see",
    "load": "measure an endpoint under load: latency, throughput and errors with intervals, and budgets",
    "merge": "join the runs of CI shards into one",
    "baseline": "accept a run as what later runs are compared with",
    "quality": "whether every component is ready: coverage, mutants, types, lint and tests against its working spec",
    "watch": "judge a sample of production transcripts, and keep a series that shows drift",
    "verify": "whether an audit log of guards is as it was written",
    "escalations": "what guarded agents handed over to people: list, resume, end",
    "sensitivity": "does the suite notice anything: faults put into a stored run, judged by its suites",
    "init": "write a small project that passes at once, and say where your agent goes",
    "schema": "JSON Schemas: of golden cases for editors, of every file the harness writes for consumers",
}
"""Command and what it does; each is a module of ``harness.commands``."""

EPILOG = """\
A run is named by its id, the beginning of one, 'latest', 'latest~1' (the one before), or its folder.

examples:
  harness init my-evals && cd my-evals && pytest suites
  harness gate latest --rules reports/release.toml
  harness compare latest~1 latest
  harness baseline accept latest
  harness plan latest --margin 5
  harness load http://127.0.0.1:8000/v1 --rate 20 --budget ttft_p95_s=0.3

Runs are made by pytest: pytest suites --harness-agent=mypackage.agent:answer
"""


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes have the exit code of a usage error in pytest, 4 (argparse's own 2 means interrupted)."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the help is."""
        self.exit(4, f"harness: {message}\nSee: {self.prog} --help\n")


def build_parser(asked: str = "") -> argparse.ArgumentParser:
    """The parser, with the arguments of the command that was asked for."""
    from harness import __version__

    shape = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="harness", description="Stored runs of LLM agents: judge, show, compare.", epilog=EPILOG,
        formatter_class=shape, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    for name, help_text in COMMANDS.items():
        module: Any = import_module(f"harness.commands.{name}") if name == asked else None
        sub = commands.add_parser(
            name, help=help_text, formatter_class=shape, allow_abbrev=False,
            description=(module.__doc__ or "").strip() if module else help_text,
            epilog=getattr(module, "EXAMPLES", None),
        )  # fmt: skip
        if module is not None:
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(next((word for word in given if word in COMMANDS), ""))
    try:
        args = parser.parse_args(given)
    except SystemExit as end:
        return int(end.code or 0)
    if args.command is None:
        parser.print_help()
        return 4
    try:
        code = int(args.run(args, print))
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _said(str(error), 4)
    except HarnessError as error:
        # A run that cannot be read was not judged: never 0, and for a gate the same answer as in a session.
        return _said(str(error), 11 if args.command == "gate" else 1)
    except BrokenPipeError:
        # Whoever read has seen enough (``| head``); without this, Python complains once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _said("interrupted", 2)
    except OSError as error:
        return _said(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), 1)
    except Exception:  # noqa: BLE001 - the last line of defence: a mistake of ours must not look like a red test
        import traceback

        traceback.print_exc()
        return _said("this is a mistake of the harness, not of yours; please report the lines above", 3)


def _said(message: str, code: int) -> int:
    print(f"harness: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
