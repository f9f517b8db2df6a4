"""OpaPolicy: ask an OPA server over its REST API; what it does not plainly allow is denied.

For policies in full Rego. The server gets the same input as the policies here (see
:mod:`harness.guardrails.policy.document`), and is asked for one rule: ``POST /v1/data/<rule>`` with
``{"input": ...}`` (https://www.openpolicyagent.org/docs/rest-api). Only ``{"result": true}`` with status 200 allows.
An answer without a result (an undefined rule), one that is no boolean, an error, and a server that cannot be reached
are faults.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from harness.core.decision import EVENT_KINDS, Decision, Event, EventKind, Finding
from harness.core.errors import UsageError
from harness.guardrails.policy.document import Unfit, document

_MAX_ANSWER = 1_000_000


class OpaPolicy:
    """Blocks what an OPA server does not allow. Thread-safe; one connection per decision.

    :param url: the server, ``http://localhost:8181``; https is verified as Python does.
    :param rule: path of a boolean rule under ``data``, such as ``agent/allow``.
    :param token: sent as bearer token.
    :param timeout_s: seconds to connect, and to wait for each part of the answer.
    """

    version = "1"

    def __init__(
        self,
        url: str,
        *,
        rule: str,
        token: str = "",
        timeout_s: float = 2.0,
        kinds: Iterable[EventKind] = ("tool_call",),
        name: str = "opa",
    ) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname, parts.port
        except ValueError as error:
            raise UsageError(f"{url[:200]!r} is no URL: {error}") from error
        if parts.scheme not in ("http", "https") or not self._host:
            raise UsageError(f"an OPA server has a URL like http://localhost:8181, got {url[:200]!r}")
        steps = [step for step in rule.replace(".", "/").split("/") if step]
        if not steps or steps[0] == "data":
            raise UsageError(f"rule is a path under data without 'data', such as 'agent/allow', got {rule!r}")
        self.kinds = frozenset(kinds)
        if unknown := self.kinds - set(EVENT_KINDS):
            raise UsageError(f"no event is of kind {sorted(unknown)[0]!r}; kinds are {', '.join(EVENT_KINDS)}")
        self.name = name
        self.rule = "/".join(steps)
        self._secure = parts.scheme == "https"
        self._path = f"{parts.path.rstrip('/')}/v1/data/{'/'.join(quote(step, safe='') for step in steps)}"
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"OpaPolicy({self._host!r}, rule={self.rule!r})"

    def check(self, event: Event) -> Decision:
        """Allow what the server allows."""
        if event.kind not in self.kinds:
            return Decision(action="allow", guard=self.name)
        try:
            given = document(event)
        except Unfit as error:
            found = (Finding(category="unfit"),)
            reason = f"the call cannot be shown to a policy: {error}"
            return Decision(action="block", guard=self.name, reason=reason, findings=found)
        try:
            status, answer = self._ask(given)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            return Decision.broken(self.name, f"no answer: {type(error).__name__}")
        if status != 200:
            return Decision.broken(self.name, f"status {status}")
        result = answer.get("result") if isinstance(answer, Mapping) else None
        if result is True:
            return Decision(action="allow", guard=self.name)
        if result is False:
            found = (Finding(category=self.rule.replace("/", ".")),)
            return Decision(action="block", guard=self.name, reason=f"rule {self.rule} is false", findings=found)
        return Decision.broken(self.name, "the rule is undefined, or no boolean")

    def _ask(self, given: Mapping[str, Any]) -> tuple[int, Any]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(str(self._host), self._port, timeout=self._timeout_s)
        try:
            body = json.dumps({"input": given}).encode()
            connection.request("POST", self._path, body=body, headers=self._headers)
            response = connection.getresponse()
            text = response.read(_MAX_ANSWER)
            return response.status, json.loads(text) if response.status == 200 else None
        finally:
            connection.close()
