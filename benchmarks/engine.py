"""What each switch of the engine brings, written to docs/benchmarks: ``python -m benchmarks.engine [--write]``."""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

from fixtures.engine.running import running_all
from fixtures.engine.switches_compared import SETTINGS, STEPS, SwitchCompared, compare_switches
from harness.runs.bench.machine import fingerprint
from harness.stats.estimate import Estimate

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "engine.md"
HEAD = "| switch | tokens/s without | with | ratio [99 %] | first token without, p50 | with, p50 | worst with |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="")
    parser.add_argument("--device", default="")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--write", action="store_true", help="put this machine's table into docs/benchmarks/engine.md")
    args = parser.parse_args()
    import torch

    machine = fingerprint()
    cuda = torch.cuda.is_available() and args.device != "cpu"
    where = torch.cuda.get_device_name() if cuda else f"{machine['processor']}, {machine['cpus']} CPUs"
    size = args.size or ("full" if cuda else "small")
    asked = f"{args.requests} requests at once, {args.tokens} tokens each"
    title = f"{where}; torch {torch.__version__}; model `{size}`; {asked}"
    lines = [f"## {title}\n", "\n", HEAD, "| --- " * 7 + "|\n"]
    with running_all(SETTINGS, size=size, device=args.device) as servers:
        for name, before, after in STEPS:
            asked_for = {"pairs": args.pairs, "requests": args.requests, "tokens": args.tokens}
            found = compare_switches(servers[before], servers[after], **asked_for)
            line = row(f"`{name}` ({before} → {after})", found)
            print(line, end="", flush=True)
            lines.append(line)
    command = f"python -m benchmarks.engine --size {size} --pairs {args.pairs} --requests {args.requests}"
    lines.append(f"\n`{command} --tokens {args.tokens}`, one thread, {args.pairs} pairs of waves in turn.\n")
    text = "".join(lines)
    print("\n" + text)
    if args.write:
        write(text, title)


def row(name: str, found: SwitchCompared) -> str:
    rates = [median(one.tokens_per_s for one in waves) for waves in (found.before, found.after)]
    firsts = [[first for one in waves for first in one.first_token_s] for waves in (found.before, found.after)]
    return (
        f"| {name} | {rates[0]:.1f} | {rates[1]:.1f} | {interval(found.throughput)} "
        f"| {1000 * median(firsts[0]):.0f} ms | {1000 * median(firsts[1]):.0f} ms | {1000 * max(firsts[1]):.0f} ms |\n"
    )


def interval(found: Estimate) -> str:
    return (
        f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]" if found.low and found.high else f"{found.value:.2f}"
    )


def write(text: str, title: str) -> None:
    """Replace this machine's part of the page, or add it."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ") if PAGE.exists() else ["# The engine's switches\n"]
    device = title.split(";")[0]
    kept = [part for part in parts[1:] if not part.startswith(device)]
    PAGE.write_text(
        "\n## ".join([parts[0].rstrip("\n") + "\n", *kept, text.removeprefix("## ")]).rstrip() + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
