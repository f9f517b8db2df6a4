"""promptfoo tests: the ``tests`` of a configuration (YAML or JSON), or a bare list of tests.

The words:

- *input*: the first inline prompt with its ``{{variables}}`` filled in; without an inline prompt the only variable, or
  all variables as a mapping.
- *assertion*: each becomes the expectation that means the same, see the table in the code. ``contains`` is sensitive to
  case there and not here; so is ``equals`` under the default normalisation. What has no counterpart (``llm-rubric``,
  ``javascript``, ``similar``, ...) is kept as it is in ``expected.custom["promptfoo"]``: nothing is lost, nothing is
  silently judged.
- Latency is in milliseconds there and in seconds here. ``file://`` and ``package:`` values are never followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.datasets.problems import Problem, shown
from harness.datasets.rows import Row

_VARIABLE = re.compile(r"{{-?\s*([\w.]+)\s*-?}}")


def read(path: Path, problems: list[Problem]) -> Iterator[Row]:
    """One row per test."""
    whole = _whole(path, problems)
    if whole is None:
        return
    config: Mapping[str, Any] = whole if isinstance(whole, Mapping) else {"tests": whole}
    tests = config.get("tests")
    if not isinstance(tests, list):
        fix = "must be a list of tests written in this file (references to other files are not followed)"
        problems.append(Problem(line=0, field="tests", value=shown(tests), fix=fix))
        return
    default = config.get("defaultTest")
    default = default if isinstance(default, Mapping) else {}
    prompts = config.get("prompts")
    listed = [prompts] if isinstance(prompts, str) else prompts if isinstance(prompts, list) else []
    prompt = next((p for p in listed if isinstance(p, str) and not p.startswith(("file://", "package:"))), None)
    for line, test in enumerate(tests, 1):
        if not isinstance(test, Mapping):
            fix = "must be a test: a mapping with vars and assert"
            problems.append(Problem(line=line, field="", value=shown(test), fix=fix))
            continue
        yield line, _row(test, default, prompt)


def _whole(path: Path, problems: list[Problem]) -> Any:
    if path.suffix == ".json":
        from harness.datasets.jsonl import parse_line

        try:
            return parse_line(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        except (ValueError, RecursionError) as error:
            problems.append(Problem(line=0, field="", value="", fix=f"is not JSON: {error}"))
            return None
    import yaml

    try:
        return yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 0
        problems.append(Problem(line=line, field="", value="", fix=f"is not YAML: {error}"))
        return None


def _row(test: Mapping[str, Any], default: Mapping[str, Any], prompt: str | None) -> dict[str, Any]:
    variables = {**(default.get("vars") or {}), **(test.get("vars") or {})}
    expected: dict[str, Any] = {}
    for assertion in [*(default.get("assert") or ()), *(test.get("assert") or ())]:
        _expect(assertion, expected)
    metadata = {"source": "promptfoo", "vars": variables, **(test.get("metadata") or {})}
    if test.get("description"):
        metadata["description"] = test["description"]
    row: dict[str, Any] = {"metadata": metadata, "input": _input(variables, prompt)}
    if expected:
        row["expected"] = expected
    return row


def _input(variables: Mapping[str, Any], prompt: str | None) -> Any:
    if prompt is not None:
        return _VARIABLE.sub(lambda found: str(variables.get(found[1], found[0])), prompt)
    if len(variables) == 1:
        return next(iter(variables.values()))
    return dict(variables)


def _expect(assertion: Any, expected: dict[str, Any]) -> None:
    kind = assertion.get("type") if isinstance(assertion, Mapping) else None
    value = assertion.get("value") if isinstance(assertion, Mapping) else None
    texts = [value] if isinstance(value, str) else value
    plain = isinstance(texts, list) and bool(texts) and all(isinstance(t, str) and "file://" not in t for t in texts)
    many: list[str] = list(texts) if plain and texts is not None else []
    limit = assertion.get("threshold") if isinstance(assertion, Mapping) else None
    number = isinstance(limit, (int, float)) and not isinstance(limit, bool) and limit >= 0
    pattern = _pattern(str(kind), many)
    if kind == "equals" and plain and isinstance(value, str) and "answer" not in expected:
        expected["answer"] = value
    elif kind in ("contains", "icontains", "contains-all", "icontains-all") and plain:
        expected.setdefault("contains", []).extend(many)
    elif kind in ("not-contains", "not-icontains", "not-contains-any", "not-icontains-any") and plain:
        expected.setdefault("not_contains", []).extend(many)
    elif pattern and "pattern" not in expected:
        expected["pattern"] = pattern
    elif kind == "is-json" and (value is None or isinstance(value, Mapping)) and "json_schema" not in expected:
        expected["json_schema"] = dict(value) if value else {"type": ["object", "array"]}
    elif kind == "cost" and number and "max_cost_usd" not in expected:
        expected["max_cost_usd"] = limit
    elif kind == "latency" and number and limit is not None and "max_latency_s" not in expected:
        expected["max_latency_s"] = limit / 1000
    else:
        expected.setdefault("custom", {}).setdefault("promptfoo", []).append(assertion)


def _pattern(kind: str, texts: list[str]) -> str | None:
    if not texts:
        return None
    either = "|".join(re.escape(text) for text in texts)
    if kind == "regex" and len(texts) == 1:
        return texts[0]
    return {
        "contains-any": f"(?:{either})",
        "icontains-any": f"(?i:{either})",
        "starts-with": rf"\A(?:{either})",
    }.get(kind)
