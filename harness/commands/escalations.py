"""What the circuit breaker of guarded agents handed over to people: look at it, let a session go on, or end it.

FOLDER is the folder that the breaker's EscalationFolder was given. A decision is read when the session's next event
arrives, in whatever process that is: after `resume` one event is let through as a probe, and the session goes on if it
succeeds; after `end` nothing passes any more, which is final. What a user wrote is shown only by --show.

exit codes: 0 done, 4 there is no such folder or session, or nobody said who decides
"""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.project import Say
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.guardrails.circuit_breaker.escalations import Escalation

EXAMPLES = """\
examples:
  harness escalations list escalations/                 who waits, since when, and why
  harness escalations list escalations/ --all --json    also what was decided
  harness escalations list escalations/ --show s-17     one session with what the user asked
  harness escalations resume escalations/ s-17 --note "refund approved"
  harness escalations end escalations/ s-17 --by maria
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(dest="ACTION", metavar="list|resume|end", required=True)
    shown = actions.add_parser("list", help="sessions that wait for a person, oldest first", allow_abbrev=False)
    shown.add_argument("FOLDER", help="the folder of the breaker's escalations")
    shown.add_argument("--all", action="store_true", help="also those that somebody has decided about")
    shown.add_argument("--show", metavar="SESSION", help="only this one, with what the user asked and the kept state")
    shown.add_argument("--json", action="store_true", help="as JSON, without what users wrote unless --show names one")
    for name, help_text in (("resume", "let a session go on, with one probe"), ("end", "end a session for good")):
        action = actions.add_parser(name, help=help_text, allow_abbrev=False)
        action.add_argument("FOLDER", help="the folder of the breaker's escalations")
        action.add_argument("SESSION", help="as `harness escalations list` names it")
        action.add_argument("--by", metavar="NAME", help="who decides; default: the user of this machine")
        action.add_argument("--note", default="", metavar="TEXT", help="kept with the decision")


def run(args: argparse.Namespace, say: Say) -> int:
    """List or decide."""
    from harness.guardrails.circuit_breaker.escalations import end, escalations, resume

    if not Path(args.FOLDER).is_dir():
        raise UsageError(f"there is no folder {args.FOLDER!r}; give the one of the breaker's EscalationFolder")
    if args.ACTION != "list":
        decide = resume if args.ACTION == "resume" else end
        made = decide(args.FOLDER, args.SESSION, by=args.by or _me(), note=args.note)
        what = "goes on with its next event, as a probe" if args.ACTION == "resume" else "is ended"
        say(f"session {_plain(made.session)} {what}; decided by {_plain(made.decided_by)}")
        return 0
    found = escalations(args.FOLDER, waiting=not (args.all or args.show))
    if args.show is not None:
        chosen = [one for one in found if one.session == args.show]
        if not chosen:
            known = ", ".join(_plain(one.session) for one in found[:20]) or "none"
            raise UsageError(f"no session {args.show[:80]!r} is kept in {args.FOLDER}; there are: {known}")
        say(json.dumps(chosen[0].to_json(), indent=2, default=str))
        return 0
    if args.json:
        say(json.dumps([_without_words(one) for one in found], indent=2))
        return 0
    if not found:
        say("nobody waits")
    for one in found:
        say(_line(one))
    return 0


def _line(one: Escalation) -> str:
    decided = f", {one.decided} by {_plain(one.decided_by)} at {one.decided_at}" if one.decided else ""
    why = f"{one.failures} failures" if one.cause == "failures" else one.cause
    return f"{_plain(one.session)}  since {one.opened_at}, {why}{decided}"


def _without_words(one: Escalation) -> dict[str, Any]:
    kept = ("session", "cause", "opened_at", "failures", "decided", "decided_by", "decided_at")
    return {name: getattr(one, name) for name in kept}


def _plain(text: str) -> str:
    """A name on one line: sessions are named by applications, and may hold what a user typed."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:200])


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError("say who decides: --by NAME") from None
