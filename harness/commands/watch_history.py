"""Watching the history: the newest run's alerts, kept in its folder, and told to a webhook where one is named."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.core.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.reporting.sections.trend import TrendLine
    from harness.results.alerts import Alert, Limits
    from harness.results.suite_history import RunFigures

TIMEOUT_S = 10.0


def find_alerts(runs: Sequence[RunFigures], limits: Limits, lines: Sequence[TrendLine] = ()) -> list[Alert]:
    """The alerts of the newest run, suite by suite, charts last.

    :param runs: comparable ones, oldest first.
    :param lines: the trend, for its charts; empty where there are too few runs for one.
    """
    from harness.results.alerts import Alert, suite_alerts
    from harness.results.suite_history import lineage

    if not runs:
        return []
    run_id = runs[-1].run_id
    found: list[Alert] = []
    for chain in lineage(runs).values():
        now = chain[-1]
        if now is not None:
            found += suite_alerts(run_id, now, [suite for suite in chain[:-1] if suite is not None], limits)
    for line in lines:
        if line.fresh:
            found.append(
                Alert(
                    kind="chart",
                    suite=line.name,
                    run_id=run_id,
                    value=line.chart_value,
                    limit=line.chart_limit,
                    observe=line.observe,
                    text=line.alarm,
                )
            )
    return found


def alert_lines(alerts: Sequence[Alert], run_id: str) -> list[str]:
    """The alerts as text."""
    from harness.reporting.visible_text import one_line

    if not alerts:
        return [f"no alerts for run {run_id}"]
    lines = [f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'} for run {run_id}"]
    for alert in alerts:
        star = " *" if alert.observe else ""
        lines.append(f"  ! {alert.kind.replace('_', ' ')}  {one_line(alert.suite, 120)}{star}: {one_line(alert.text)}")
    return lines


def check_webhook(url: str) -> str:
    """The address itself.

    :raises UsageError: it is no http or https address.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or re.search(r"[\x00-\x20]", url):
        # Never the address itself: whoever reads the log of a job could post there.
        raise UsageError("--webhook must be an http:// or https:// address; this one is not")
    return url


def post_alerts(url: str, alerts: Sequence[Alert], run_id: str, *, file: Path) -> str:
    """Post the alerts as JSON, without following a redirect to anywhere; returns the host that took them.

    :raises HarnessError: nobody took them; they are in ``file`` all the same. The address is not printed, since it is
        a secret of many services.
    """
    import urllib.error
    import urllib.request

    from harness.results.alerts import FORMAT, VERSION

    class Stay(urllib.request.HTTPRedirectHandler):
        """Nobody named the place that a redirect leads to."""

        def redirect_request(self, *args: Any, **kwargs: Any) -> None:
            return None

    body = {
        "format": FORMAT,
        "version": VERSION,
        "run_id": run_id,
        "text": "\n".join(alert_lines(alerts, run_id)),
        "alerts": [alert.to_json() for alert in alerts],
    }
    host = urlsplit(url).hostname or "?"
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=TIMEOUT_S) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        error.close()
        raise HarnessError(
            f"the webhook at {host} answered {error.code}, so nobody was told; the alerts are in {file}"
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        raise HarnessError(
            f"the webhook at {host} could not be reached ({type(why).__name__}), so nobody was told; the alerts are in "
            f"{file}"
        ) from None
    return host
