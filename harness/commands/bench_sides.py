"""What was typed, as sides of a comparison: functions, commands, endpoints, or commits with something to run."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.runs.bench.sides import Checkout, CommandSide, FunctionSide, Side

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def is_file(text: str) -> bool:
    """Whether it names a stored file of times."""
    return text.endswith(".json") and Path(text).is_file()


def kind_of(text: str) -> str:
    """``function``, ``endpoint`` or ``command``."""
    if text.startswith(("http://", "https://")):
        return "endpoint"
    return "function" if FUNCTION.fullmatch(text) else "command"


@contextmanager
def pair(args: argparse.Namespace, root: Path) -> Iterator[tuple[Side, Side, dict[str, Any]]]:
    """Both sides and how often they are sampled. :raises UsageError: they cannot be compared."""
    first, second = args.SIDE
    with ExitStack() as stack:
        if args.what:
            sides = []
            for revision in (first, second):
                checkout = Checkout(revision, root)
                stack.callback(checkout.close)
                label = f"{args.what} at {revision} ({checkout.commit[:10]})"
                sides.append(_side(args.what, args, checkout.tree, label))
            kind = kind_of(args.what)
            if kind == "endpoint":
                raise UsageError(f"--run takes a function or a command, got {args.what!r}")
        else:
            kind = kind_of(first)
            if kind_of(second) != kind:
                raise UsageError(f"{first!r} is a {kind}, {second!r} is a {kind_of(second)}; compare like with like")
            sides = [_side(text, args, root, text) for text in (first, second)]
        yield sides[0], sides[1], plan_of(kind, args)


def alone(text: str, args: argparse.Namespace, root: Path) -> tuple[str, list[float], int]:
    """Name, times (the median of each round) and units of work per sample of one side by itself."""
    from statistics import median

    side, plan = _side(text, args, root, text), plan_of(kind_of(text), args)
    units, times = plan.get("units"), []
    for _ in range(plan["rounds"]):
        try:
            side.start()
            fitting = side.settle(0.004)
            units = units or fitting
            times.append(median(side.sample(units) for _ in range(plan["samples"])))
        finally:
            side.stop()
    return side.label, times, units or 1


def plan_of(kind: str, args: argparse.Namespace) -> dict[str, Any]:
    """Rounds, samples and units by kind, as far as they were not given."""
    rounds, samples = {"function": (20, 20), "command": (20, 1), "endpoint": (5, 50)}[kind]
    plan: dict[str, Any] = {"rounds": args.rounds or rounds, "samples": args.samples or samples}
    if kind != "function":
        plan["units"] = 1
    return plan


def _side(text: str, args: argparse.Namespace, tree: Path, label: str) -> Side:
    kind = kind_of(text)
    if kind == "function":
        return FunctionSide(text, tree, label=label)
    if kind == "endpoint":
        from harness.runs.bench.endpoints import EndpointSide

        return EndpointSide(text, metric=args.metric, model=args.model, label=label)
    return CommandSide(text, tree, label=label)
