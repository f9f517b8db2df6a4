"""Is every component ready? Working specs are judged by what the tools measured: branch coverage, mutants, types, lint,
tests behind every acceptance criterion and contract, figures of benchmarks, and the change since a base.

No tool is run: measure first (coverage, mutmut, mypy, ruff, pytest --junitxml), into one folder; docs/quality.md
has the commands. What was not measured, or before the code was last written, is inconclusive and never a pass.

exit codes: 0 every component is ready, 10 one fails, 11 one is inconclusive, 4 a spec is wrong (with line and fix)
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.project import Say, nearest_root, screen
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.quality.readiness import Readiness

EXAMPLES = """\
examples:
  harness quality                                  specs of quality/ or reports/quality/
  harness quality --only stats --base main
  harness quality --under stats --base main        the change was made for stats: it may touch nothing else
  harness quality --check                          are the specs well formed?
  harness quality --format html --out readiness.html
  harness quality --format json | jq '.components[] | select(.answer != "pass")'
"""
FORMATS = ("terminal", "html", "markdown", "json")
PLACES = ("quality", "reports/quality")
CODES = {"pass": 0, "fail": 10, "inconclusive": 11}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("SPECS", nargs="?", help=f"folder of working specs; default: {' or '.join(PLACES)}")
    parser.add_argument("--measured", metavar="DIR", help="folder of measurements; default: SPECS/measured")
    parser.add_argument("--only", metavar="ID", action="append", help="judge only this component; may be repeated")
    parser.add_argument("--base", metavar="REF", default="auto",
                        help="the change is what differs from where it left REF; default: main; none: no change is "
                             "judged")  # fmt: skip
    parser.add_argument("--under", metavar="ID", help="the spec the change was made under; it may touch nothing else")
    parser.add_argument("--check", action="store_true", help="only say whether the specs are well formed")
    parser.add_argument("--format", choices=FORMATS, help="default: by the ending of --out, else terminal")
    parser.add_argument("--out", metavar="FILE", help="write there instead of on the screen")
    parser.add_argument("--root", metavar="DIR", help="the project; default: the nearest folder with a pyproject.toml")


def run(args: argparse.Namespace, say: Say) -> int:
    """Read the specs, judge, show."""
    from harness.quality.change import change_since
    from harness.quality.measured import Folder
    from harness.quality.readiness import readiness, worst
    from harness.quality.spec import load_specs

    root = Path(args.root).absolute() if args.root else nearest_root(Path.cwd())
    place = _specs(args.SPECS, root)
    specs = load_specs(place)
    known = [spec.id for spec in specs]
    for wanted in [*(args.only or ()), *([args.under] if args.under else [])]:
        if wanted not in known:
            raise UsageError(f"no spec has the id {wanted[:80]!r}; there is {', '.join(known)}")
    if args.check:
        say(f"{len(specs)} working spec{'' if len(specs) == 1 else 's'}, well formed: {', '.join(known)}")
        return 0
    if args.under and args.base == "none":
        raise UsageError("--under judges a change, and --base none leaves it out; name the base")
    measured = Path(args.measured).absolute() if args.measured else place / "measured"
    change = None if args.base == "none" else change_since(root, args.base)
    judged = [spec for spec in specs if not args.only or spec.id in args.only]
    folder = Folder(measured, root)
    found = [readiness(spec, folder, change, under=args.under or "") for spec in judged]
    text = _shown(found, _wanted(args))
    if args.out:
        from harness.results.run_folder import write_atomically

        target = Path(args.out)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, (text.rstrip("\n") + "\n").encode("utf-8", "replace"))
        say(str(target))
    else:
        say(text.rstrip("\n"))
    return CODES[worst(item.answer for item in found)]


def _specs(given: str | None, root: Path) -> Path:
    places = [Path(given).absolute()] if given else [root / place for place in PLACES]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise UsageError(f"there is no folder of working specs at {' or '.join(map(str, places))}; see docs/quality.md")
    return found


def _wanted(args: argparse.Namespace) -> str:
    endings = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}
    return args.format or (endings.get(Path(args.out).suffix.lower(), "terminal") if args.out else "terminal")


def _shown(found: list[Readiness], wanted: str) -> str:
    if wanted == "json":
        import json

        from harness.quality.readiness import worst

        told = {"answer": worst(item.answer for item in found), "components": [item.to_json() for item in found]}
        return json.dumps(told, indent=2)
    from harness.commands.quality_page import quality_page

    page = quality_page(found, folded=wanted == "terminal")
    if wanted == "html":
        from harness.commands.change_html import page_html

        return page_html(page)
    if wanted == "markdown":
        from harness.commands.block_text import markdown_text

        return markdown_text(page)
    from harness.commands.block_text import terminal_text

    seen = screen()
    return terminal_text(page, width=seen.width, ascii_only=seen.ascii_only)
