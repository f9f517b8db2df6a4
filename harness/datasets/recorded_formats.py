"""How one entry of each recorded format becomes a case and a trajectory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from harness.core.case import Case, Expectation, content_hash
from harness.core.errors import Failure
from harness.core.record import Record
from harness.core.trajectory import Message, ModelCall, Trajectory
from harness.core.usage import Usage
from harness.datasets.recorded import RecordedTrial


def is_header(entry: Any) -> bool:
    """Whether a line of a journal says what the file is, and holds no trial."""
    return isinstance(entry, Mapping) and "format" in entry and "case_id" not in entry and "messages" not in entry


def read_tau_bench(entry: Mapping[str, Any]) -> RecordedTrial:
    """tau-bench: the case is the task (its instruction to the simulated user), the reward decides.

    The gold actions and outputs go to ``expected.custom``: tau-bench compares end states, not calls, so they are no
    expectation that a right run must meet call by call. The simulated user's cost is kept in the metadata; the agent's
    is not recorded.
    """
    info = entry.get("info") or {}
    task = info.get("task") or {}
    custom = {name: task[name] for name in ("actions", "outputs") if task.get(name)}
    messages = _messages(entry["traj"])
    case = Case(
        id=f"task-{entry['task_id']}",
        input=task.get("instruction") or _opening(messages),
        expected=Expectation(custom=custom),
        metadata={"source": "tau-bench", **({"user_id": task["user_id"]} if "user_id" in task else {})},
    )
    error = None
    if not messages and info.get("error"):
        error = Failure(kind="agent", message=str(info["error"])[:4000], detail=str(info.get("traceback", ""))[-8000:])
    metadata = _outcome(entry.get("reward"), None)
    if info.get("user_cost") is not None:
        metadata["user_cost_usd"] = info["user_cost"]
    trajectory = Trajectory(messages=messages, error=error, metadata=metadata)
    return RecordedTrial(case=case, trajectory=trajectory, trial=_index(entry.get("trial")))


def read_chat(entry: Mapping[str, Any] | Sequence[Any]) -> RecordedTrial:
    """Chat messages, bare or with what is known about the run.

    Understood beside ``messages``: ``id``, ``trial``, ``success`` (true or false), ``reward``, ``cost_usd``,
    ``latency_s``, ``usage`` (OpenAI's), ``model``, ``state``, ``error`` (a text), ``input``, ``expected``, ``tags``,
    ``cluster``. Everything else goes to the trajectory's metadata.
    """
    given: dict[str, Any] = dict(entry) if isinstance(entry, Mapping) else {"messages": entry}
    messages = _messages(given.pop("messages"))
    opening = _opening(messages)
    name, trial = given.pop("id", None), _index(given.pop("trial", None))
    success, reward = given.pop("success", None), given.pop("reward", None)
    if success is not None and not isinstance(success, bool):
        raise ValueError(f"success must be true or false, got {success!r:.60}")
    expected = given.pop("expected", None)
    case = Case(
        id=f"run-{content_hash(opening)[:12]}" if name is None else str(name),
        input=given.pop("input", None) or opening,
        expected=Expectation.from_json(expected) if expected else Expectation(),
        tags=tuple(given.pop("tags", ()) or ()),
        cluster=given.pop("cluster", None),
    )
    cost, usage, model = given.pop("cost_usd", None), given.pop("usage", None), given.pop("model", None)
    money = None if cost is None else Decimal(str(cost))
    if money is not None and (not money.is_finite() or money < 0):
        raise ValueError(f"cost_usd must be a finite number of at least 0, got {cost!r:.60}")
    calls: tuple[ModelCall, ...] = ()
    if isinstance(usage, Mapping):
        calls = (ModelCall(model=str(model or "recorded"), usage=Usage.from_openai(usage), cost_usd=money),)
    error = given.pop("error", None)
    trajectory = Trajectory(
        messages=messages,
        model_calls=calls,
        latency_s=_seconds(given.pop("latency_s", None)),
        state=given.pop("state", None),
        error=None if not error else Failure(kind="agent", message=str(error)[:4000]),
        reported_cost_usd=money,
        metadata={**given, **_outcome(reward, success)},
    )
    return RecordedTrial(case=case, trajectory=trajectory, trial=trial)


def read_journal(entry: Mapping[str, Any]) -> RecordedTrial | None:
    """A line of our own journal; None for a header. Equal case ids of several suites stay apart.

    The journal does not keep a case's input, so it is what stands before the agent's first message.
    """
    if is_header(entry):
        return None
    record = Record.from_json(entry)
    where = record.suite
    where += f"[{record.arm}]" if record.arm else ""
    trajectory = record.trajectory or Trajectory()
    outcome = {"passed": True, "failed": False}.get(record.outcome)
    error = record.error or trajectory.error
    if error is None and outcome is None:
        error = Failure(kind="harness", message=f"the trial was {record.outcome.replace('_', ' ')}")
    metadata = {**trajectory.metadata, "recorded_outcome": outcome, "recorded_suite": record.suite}
    if outcome is not None and record.failure:
        metadata["recorded_failure"] = record.failure[:2000]
    case = Case(
        id=record.case_id,
        input=_opening(trajectory.messages) or record.case_id,
        tags=record.tags,
        cluster=record.cluster,
        severity=record.severity,
        metadata={"recorded_case": record.case_id, "recorded_hash": record.case_hash},
    )
    changed = trajectory.with_(error=error, metadata=metadata)
    if changed.cost_usd is None and record.cost_usd is not None:
        changed = changed.with_(reported_cost_usd=record.cost_usd)
    return RecordedTrial(case=case, trajectory=changed, trial=record.trial, group=where)


def _messages(given: Any) -> tuple[Message, ...]:
    if not isinstance(given, list):
        raise ValueError(f"messages must be a list, got {type(given).__name__}")
    for place, message in enumerate(given, 1):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise ValueError(f"message {place} must be an object with a role, got {message!r:.80}")
    return tuple(given)


def _opening(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages before the agent's first, without system prompts: what the run was asked."""
    opening: list[dict[str, Any]] = []
    for message in messages:
        if message.get("role") == "assistant":
            break
        if message.get("role") != "system":
            opening.append(dict(message))
    return opening


def _outcome(reward: Any, success: bool | None) -> dict[str, Any]:
    number = reward if isinstance(reward, (int, float)) and not isinstance(reward, bool) else None
    if number is not None and not math.isfinite(number):
        number = None
    if isinstance(reward, bool) and success is None:
        success = reward
    stated = success if success is not None else (None if number is None else abs(number - 1) < 1e-6)
    return {"recorded_outcome": stated} | ({} if number is None else {"reward": number})


def _index(given: Any) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _seconds(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given) or given < 0:
        raise ValueError(f"latency_s must be a finite number of at least 0, got {given!r:.60}")
    return float(given)
