"""``python -m benchmarks [name ...] [--write] [--scale 0.1] [--list]``: list and run the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback

from benchmarks.figures import Result
from benchmarks.machine import described, warn_if_busy
from benchmarks.table import keep, terminal

REWARDS = (
    "rewards_grpo",
    "rewards_lab",
    "rewards_minimal_diff",
    "rewards_tampering",
    "rewards_thinking",
    "rewards_tools",
    "rewards_turns",
)
GUARDS = ("guardrails_act", "guardrails_injection", "guardrails_latency", "guardrails_pii")
DEEPEVAL = ("deepeval_adapter",)
NAMES = ("startup", "client", "noop", "memory", "window", "judge", *DEEPEVAL, "report_size", "load", *GUARDS, *REWARDS)


def main() -> int:
    """Exit status: 0, or 1 when a benchmark broke or a target at full scale was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which; default all: {', '.join(NAMES)}")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/<name>.md and the overview")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full size, for trying things out")
    parser.add_argument("--list", action="store_true", help="name them, with their sentence, and end")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    if not 0 < options.scale <= 1:
        parser.error(f"--scale must be above 0 and at most 1, got {options.scale:g}")
    if options.write and options.scale != 1:
        parser.error("--write keeps figures of the full size only; leave --scale out")
    if options.list:
        for name in NAMES:
            sentence = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").strip().partition("\n")[0]
            print(f"{name:20} {sentence}")
        return 0
    print(described(), warn_if_busy(), sep="\n", flush=True)
    bad = 0
    for name in options.names or NAMES:
        began = time.perf_counter()
        try:
            result: Result = importlib.import_module(f"benchmarks.{name}").run(options.scale)
        except Exception:  # noqa: BLE001 - one broken benchmark must not cost the others
            traceback.print_exc()
            print(f"{name}: broke; its page was left as it is\n", file=sys.stderr, flush=True)
            bad = 1
            continue
        print(terminal(result), f"({name} took {time.perf_counter() - began:.0f} s)\n", sep="", flush=True)
        if options.write:
            keep(result)
        if options.scale == 1 and any(figure.met is False for figure in result.figures):
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
