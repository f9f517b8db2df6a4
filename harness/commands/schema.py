"""The JSON Schemas of what the harness reads and writes: golden cases for editors, its own files for consumers.

Without a name it says where the schema of golden cases lies: point your editor there, and rows of cases.jsonl are
checked as you type. In VS Code: "json.schemas": [{"fileMatch": ["cases.jsonl"], "url": "<the path>"}]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.commands.project import Say

EXAMPLES = """\
examples:
  harness schema                    writes golden_datasets/schema/case.schema.json, prints its path
  harness schema case | less        the schema itself
  harness schema scorecard          of scorecard.json; also journal, manifest, baseline, audit_log, sensitivity
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("NAME", nargs="?", default="", help="print this one: case, or a file that the harness writes")
    parser.add_argument("--print", action="store_true", help="print the schema of a case, write nothing")
    parser.add_argument("--root", metavar="DIR", help="the project; default: the nearest folder with a pyproject.toml")


def run(args: argparse.Namespace, say: Say) -> int:
    """Print the schema asked for; else write the file of cases where it is missing or old, and print its path."""
    import json

    from harness.commands.project import nearest_root
    from harness.datasets.schema import FILE, case_schema, write_schema
    from harness.results.file_schemas import file_schema

    if args.NAME not in ("", "case"):
        say(json.dumps(file_schema(args.NAME), indent=2, ensure_ascii=True))
        return 0
    if args.print or args.NAME == "case":
        say(json.dumps(case_schema(), indent=2, ensure_ascii=True))
        return 0
    root = Path(args.root) if args.root else nearest_root(Path.cwd())
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    say(str(write_schema(root)))
    return 0
