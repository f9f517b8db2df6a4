"""Verify an audit log of guards: was a line changed, taken out, added, or moved since it was written?

The chain of hashes is recomputed from the first entry on, and compared with the head file beside the log. What a crash
explains (a last line cut short) is a notice and no finding. Without the key a log that was written with one cannot be
verified; a log without a key is safe from accidents, and not from somebody who rebuilds it whole. Only a head that was
kept elsewhere (--expect) finds that both files were put back to an older state.

exit codes: 0 as it was written, 10 tampered with, 4 there is no such log, or the key or head makes no sense
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from harness.commands.project import Say
from harness.core.errors import UsageError

VARIABLE = "HARNESS_AUDIT_KEY"
EXAMPLES = f"""\
examples:
  harness verify audit.jsonl
  harness verify audit.jsonl --key-file /run/secrets/audit.key
  {VARIABLE}=9f2c... harness verify audit.jsonl           the key in hexadecimal
  harness verify audit.jsonl --expect 1204:5e0b...        against a head that was kept elsewhere
  harness verify audit.jsonl --json | jq .problems
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("AUDIT_LOG", help="the log; its head file lies beside it")
    parser.add_argument(
        "--key-file", metavar="FILE", help=f"the key it was written with, raw bytes; default: {VARIABLE}"
    )
    parser.add_argument("--expect", metavar="N:HASH", help="a head that was kept elsewhere; that entry must be there")
    parser.add_argument("--json", action="store_true", help="what was found, as JSON")


def run(args: argparse.Namespace, say: Say) -> int:
    """Verify, say what was found."""
    from harness.guardrails.audit_log import verify

    found = verify(args.AUDIT_LOG, key=_key(args.key_file), expect=_head(args.expect))
    number, last = found.head
    if args.json:
        import json

        told = {"ok": found.ok, "entries": found.entries, "head": f"{number}:{last}"}
        say(json.dumps({**told, "problems": list(found.problems), "notices": list(found.notices)}, indent=2))
        return 0 if found.ok else 10
    entries = f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"
    say(f"{args.AUDIT_LOG}: " + (f"as it was written, {entries}" if found.ok else "TAMPERED WITH"))
    for problem in found.problems:
        say(f"  {problem}")
    for notice in found.notices:
        say(f"  notice: {notice}")
    if found.ok:
        say(f"  head {number}:{last}  (keep it elsewhere, for --expect)")
    return 0 if found.ok else 10


def _key(file: str | None) -> bytes | None:
    if file is not None:
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise UsageError(f"--key-file: {file} cannot be read: {error.strerror}") from None
    given = os.environ.get(VARIABLE, "").strip()
    try:
        return bytes.fromhex(given) if given else None
    except ValueError:
        raise UsageError(f"{VARIABLE} must be the key in hexadecimal; give --key-file for raw bytes") from None


def _head(given: str | None) -> tuple[int, str] | None:
    if given is None:
        return None
    match = re.fullmatch(r"(\d+):([0-9a-f]{16,128})", given)
    if match is None:
        raise UsageError(f"--expect must be N:HASH, as `harness verify` prints the head; got {given[:100]!r}")
    return int(match[1]), match[2]
