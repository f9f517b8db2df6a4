from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.core.errors import FormatError
from harness.results.alerts import FILE, Limits, read_alerts, suite_alerts, write_alerts
from harness.results.suite_history import SuiteFigures

GOOD = {f"case-{n}": "p" for n in range(20)}
BAD = {f"case-{n}": "p" if n < 14 else "f" for n in range(20)}


def suite(rate: float = 1.0, *, n: int = 100, errored: int = 0, cost: float | None = 0.01) -> SuiteFigures:
    passed = round(rate * n)
    return SuiteFigures(
        key="s.py::t", cases=n, passed=passed, failed=n - passed, errored=errored, worth=n, rate=rate, cost_usd=cost
    )


@dataclass
class Hook:
    """A webhook on this machine."""

    url: str = ""
    status: int = 200
    location: str = ""
    bodies: list[Any] = field(default_factory=list)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(made.status)
            if made.location:
                self.send_header("Location", made.location)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}/hook/secret-token"
        yield made
        server.shutdown()
        thread.join()


def test_a_drop_of_more_than_a_fifth_is_an_alert_with_its_chance(desk: Any) -> None:
    for _ in range(3):
        desk.store(GOOD)
    run_id = desk.store(BAD)
    code, out, _ = desk("history", "--alerts")
    assert code == 0
    alert, charted = read_alerts(desk.runs / run_id) or []
    assert charted.kind == "chart"
    assert (alert.kind, alert.value, alert.before, alert.runs_before) == ("pass_rate", 0.7, 1.0, 3)
    assert alert.chance_p is not None
    assert alert.chance_p < 0.001
    assert "pass rate 70.0% after 100.0%" in out


def test_what_stays_within_the_limits_is_recorded_as_looked_at(desk: Any) -> None:
    desk.store(GOOD)
    run_id = desk.store(GOOD)
    assert read_alerts(desk.runs / run_id) is None
    _, out, _ = desk("history", "--alerts")
    assert "no alerts" in out
    assert read_alerts(desk.runs / run_id) == []


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        (suite(0.81), []),
        (suite(0.79), ["pass_rate"]),
        (suite(errored=5), []),
        (suite(errored=6), ["error_rate"]),
        (suite(cost=0.011), []),
        (suite(cost=0.0112), ["cost"]),
        (suite(cost=None), []),
    ],
)
def test_the_default_limits_are_a_fifth_a_twentieth_and_a_tenth(now: SuiteFigures, kinds: list[str]) -> None:
    assert [alert.kind for alert in suite_alerts("r", now, [suite()] * 2)] == kinds


def test_a_first_run_can_only_alert_by_its_errors() -> None:
    assert [alert.kind for alert in suite_alerts("r", suite(0.1, errored=50), [])] == ["error_rate"]


def test_nothing_measured_is_no_drop() -> None:
    empty = SuiteFigures(key="s.py::t", cases=10, not_run=10)
    assert suite_alerts("r", empty, [suite()]) == []


def test_a_small_suite_says_that_chance_may_explain_it() -> None:
    (alert,) = suite_alerts("r", suite(0.75, n=4), [suite(1.0, n=4)])
    assert alert.chance_p is not None
    assert alert.chance_p > 0.2


def test_limits_can_be_set_by_flag(desk: Any) -> None:
    desk.store(GOOD)
    desk.store(BAD)
    assert "1 alert " in desk("history", "--alerts")[1]
    assert "no alerts" in desk("history", "--alerts", "--drop", "40")[1]
    code, _, err = desk("history", "--drop", "40")
    assert code == 4
    assert "--alerts" in err


def test_alerts_read_back_as_written_and_a_newer_file_is_refused(desk: Any) -> None:
    run_id = desk.store(GOOD)
    folder = desk.runs / run_id
    alerts = suite_alerts("r", suite(0.5, errored=50), [suite()], Limits(pass_rate_drop=0.1))
    write_alerts(folder, run_id, alerts)
    assert read_alerts(folder) == alerts
    header = json.loads((folder / FILE).read_text().splitlines()[0])
    assert (header["format"], header["version"]) == ("harness.alerts", 1)
    (folder / FILE).write_text(json.dumps({**header, "version": 2}) + "\n")
    with pytest.raises(FormatError, match="newer harness"):
        read_alerts(folder)


@pytest.mark.parametrize("text", ["", "nonsense", "[1]\n", '{"format": "harness.alerts", "version": 1}\n{"odd": 1}\n'])
def test_a_damaged_file_of_alerts_is_said_to_be_one(desk: Any, text: str) -> None:
    folder = desk.runs / desk.store(GOOD)
    (folder / FILE).write_text(text)
    with pytest.raises(FormatError, match=r"alerts\.jsonl"):
        read_alerts(folder)


def test_the_webhook_is_told_once_and_its_address_is_not_printed(desk: Any, hook: Hook) -> None:
    desk.store(GOOD)
    run_id = desk.store(BAD)
    code, out, err = desk("history", "--webhook", hook.url)
    assert code == 0
    (body,) = hook.bodies
    assert (body["format"], body["run_id"], body["alerts"][0]["kind"]) == ("harness.alerts", run_id, "pass_rate")
    assert "told the webhook at 127.0.0.1" in out
    assert "secret-token" not in out + err


def test_a_quiet_run_tells_nobody(desk: Any, hook: Hook) -> None:
    desk.store(GOOD)
    desk.store(GOOD)
    assert desk("history", "--webhook", hook.url)[0] == 0
    assert hook.bodies == []


def test_a_webhook_that_refuses_fails_the_command_and_the_alerts_are_kept(desk: Any, hook: Hook) -> None:
    desk.store(GOOD)
    run_id = desk.store(BAD)
    hook.status = 500
    code, _, err = desk("history", "--webhook", hook.url)
    assert code == 1
    assert "answered 500" in err
    assert "secret-token" not in err
    assert len(read_alerts(desk.runs / run_id) or []) == 1


def test_a_redirect_is_not_followed(desk: Any, hook: Hook) -> None:
    desk.store(GOOD)
    desk.store(BAD)
    hook.status, hook.location = 302, hook.url + "/elsewhere"
    code, _, err = desk("history", "--webhook", hook.url)
    assert code == 1
    assert "answered 302" in err
    assert len(hook.bodies) == 1


def test_a_webhook_that_is_not_there_is_said(desk: Any, hook: Hook) -> None:
    desk.store(GOOD)
    desk.store(BAD)
    port = int(hook.url.split(":")[2].split("/")[0])
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as closed:
        free = closed.server_port
    code, _, err = desk("history", "--webhook", hook.url.replace(str(port), str(free)))
    assert code == 1
    assert "could not be reached" in err


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "http://", "just words", "http://a b/c"])
def test_only_web_addresses_are_webhooks(desk: Any, url: str) -> None:
    desk.store(GOOD)
    code, _, err = desk("history", "--webhook", url)
    assert code == 4
    assert "http://" in err


def _table(desk: Any, text: str) -> None:
    (desk.root / "pyproject.toml").write_text(f"[tool.harness.alerts]\n{text}\n")


def test_limits_come_from_the_command_line_then_the_environment_then_the_table_then_the_default(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        desk.store(GOOD)
    run_id = desk.store(BAD)  # 30 % below

    def kinds(*flags: str) -> list[str]:
        code, _, _ = desk("history", "--alerts", *flags)
        assert code == 0
        return [alert.kind for alert in read_alerts(desk.runs / run_id) or []]

    assert kinds() == ["pass_rate"]
    _table(desk, "drop = 40")
    assert kinds() == []
    monkeypatch.setenv("HARNESS_ALERTS_DROP", "25")
    assert kinds() == ["pass_rate"]
    assert kinds("--drop", "50") == []


def test_the_tables_webhook_is_told_by_alerts_and_by_nothing_else(desk: Any, hook: Hook) -> None:
    for _ in range(2):
        desk.store(GOOD)
    desk.store(BAD)
    _table(desk, f'webhook = "{hook.url}"')
    desk("history")
    desk("history", "--trend")
    assert hook.bodies == []
    code, out, _ = desk("history", "--alerts")
    assert code == 0
    assert len(hook.bodies) == 1
    assert "secret-token" not in out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dropp = 20", "did you mean 'drop'?"),
        ('drop = "20"', "write it without quotes"),
        ("errors = 105", "in percent from 0 to 100"),
        ("cost = -1", "in percent from 0 to 1,000,000"),
        ("drop = true", "in percent from 0 to 100"),
        ('webhook = "ftp://secret-token"', "to be an http:// or https:// address"),
    ],
)
def test_a_mistake_in_the_table_is_said_with_its_place_and_what_would_fit(desk: Any, line: str, said: str) -> None:
    desk.store(GOOD)
    _table(desk, line)
    code, _, error = desk("history", "--alerts")
    assert code != 0
    assert "pyproject.toml:1: alerts " in error
    assert said in error
    assert "secret-token" not in error


def test_a_mistake_in_a_variable_names_the_variable(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store(GOOD)
    monkeypatch.setenv("HARNESS_ALERTS_COST", "much")
    code, _, error = desk("history", "--alerts")
    assert code != 0
    assert "HARNESS_ALERTS_COST: alerts need cost as a number of percent, got the text 'much', such as 10" in error
