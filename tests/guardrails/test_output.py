"""The output guard: advice, competitors, topics and tone, each in contrast pairs, and what it does about them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.decision import Event
from harness.core.errors import UsageError
from harness.guardrails.output import TOPICS, OutputGuard
from harness.guardrails.output.passages import LONGEST, passages
from harness.testing import check_guardrail

ROOT = Path(__file__).resolve().parents[2]
GUARD = OutputGuard(
    competitors=("Globex", "Blue Harbor", "Initech"), cased_competitors=("Orange",), topics=("politics", "gambling")
)


def rows() -> list[dict[str, Any]]:
    lines = (ROOT / "golden_datasets" / "output_topics" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def said(text: str) -> Event:
    return Event(kind="output", text=text)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_every_golden_row_is_judged_as_labelled_and_for_the_right_reason(row: Mapping[str, Any]) -> None:
    decision = GUARD.check(Event(**row["input"]))
    if row["metadata"]["label"] == "benign":
        assert decision.action == "allow"
    else:
        assert any(finding.category.startswith(row["tags"][1]) for finding in decision.findings)


def test_every_golden_row_stands_in_a_contrast_pair() -> None:
    pairs: dict[str, set[str]] = {}
    for row in rows():
        pairs.setdefault(row["cluster"], set()).add(row["metadata"]["label"])
    assert len(pairs) >= 25
    assert all(labels == {"attack", "benign"} for labels in pairs.values())


def test_a_removed_sentence_leaves_the_rest_and_removing_again_changes_nothing() -> None:
    text = "We ship today. Globex is cheaper, by the way. See you!"
    first = GUARD.check(said(text))
    assert (first.action, first.text) == ("redact", "We ship today. [removed] See you!")
    assert GUARD.check(said(first.text or "")).action == "allow"


def test_the_strongest_action_of_all_findings_is_taken() -> None:
    text = "Globex is cheaper. You should buy the stock now. You are an idiot."
    assert GUARD.check(said(text)).action == "block"
    assert GUARD.check(said(text.replace(" You are an idiot.", ""))).action == "escalate"


def test_findings_cover_the_sentence_in_the_original_text_however_it_is_disguised() -> None:
    bad = "G\u200blobe\u0445 i\u200bs cheaper."
    text = f"Fine\u200b so far. {bad} Bye."
    finding = GUARD.check(said(text)).findings[0]
    assert text[finding.start : finding.end] == bad


def test_only_outputs_are_looked_at() -> None:
    assert GUARD.check(Event(kind="input", text="You are an idiot.")).action == "allow"


def test_the_reason_names_kinds_and_never_what_was_said() -> None:
    decision = GUARD.check(said("Globex is cheaper."))
    assert decision.reason == "found: competitor"
    assert "lobex" not in repr(decision)
    assert "lobex" not in repr(GUARD)


@given(st.text(max_size=300))
def test_any_text_gets_the_same_decision_twice_and_redaction_is_idempotent(text: str) -> None:
    first = GUARD.check(said(text))
    assert first == GUARD.check(said(text))
    if first.action == "redact":
        assert GUARD.check(said(first.text or "")).action == "allow"


@given(
    st.lists(
        st.sampled_from(["Globex wins. ", "You ship. ", "Take 5 mg of it. ", "\u200b", "Fine! ", "\n"]), max_size=12
    )
)
def test_naming_more_competitors_never_lets_more_pass(parts: list[str]) -> None:
    text = "".join(parts)
    if OutputGuard(competitors=("Initech",)).check(said(text)).action != "allow":
        assert OutputGuard(competitors=("Initech", "Globex")).check(said(text)).action != "allow"


@given(st.text(alphabet="ab .\n!\u200b\ufb03", max_size=200))
def test_passages_cover_every_visible_character_in_order(text: str) -> None:
    found = passages(text)
    assert all(one.start < one.end for one in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    covered = {index for one in found for index in range(one.start, one.end)}
    assert all(index in covered for index, character in enumerate(text) if character.isalpha())


def test_a_sentence_without_end_is_cut_so_that_no_pattern_runs_over_all_of_it() -> None:
    assert max(len(one.text) for one in passages("word " * 5_000)) <= LONGEST
    assert GUARD.check(said("word " * 5_000 + "you are an idiot")).action == "block"


def test_own_topics_are_found_by_their_words() -> None:
    guard = OutputGuard(topics={"layoffs": ("job cuts", "restructuring")})
    assert guard.check(said("The job-cuts come in May.")).findings[0].category == "topic:layoffs"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"advice": ("legal",)}, "legal"),
        ({"topics": ("weather",)}, "weather"),
        ({"actions": {"tone": "allow"}}, "tone"),
        ({"actions": {"smell": "block"}}, "smell"),
        ({"competitors": "Globex"}, "Globex"),
        ({"competitors": ("!",)}, "competitors"),
        ({"competitors": ("Globex",), "notice": "[Globex]"}, "notice"),
    ],
)
def test_impossible_settings_are_refused_with_the_value(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        OutputGuard(**wrong)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_known_topic_is_found_by_each_of_its_phrases(topic: str) -> None:
    guard = OutputGuard(topics=(topic,), advice=(), tone=False)
    for phrase in TOPICS[topic]:
        assert guard.check(said(f"Well, {phrase} it is.")).action == "redact", phrase


def test_the_guard_keeps_the_contract_of_every_guard() -> None:
    attacks = [
        said("You should put all your savings into Bitcoin."),
        said("Globex is cheaper."),
        said("You are an idiot."),
    ]
    check_guardrail(GUARD, attacks=attacks, benign=[said("A share is a part of a company."), said("We ship today.")])
