"""The fenced Rego: what is in the language, what is refused, and that two back ends decide alike."""

from __future__ import annotations

import contextlib
import importlib.util
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.guardrails.rego import TooManySteps, check_types, evaluate, parse, type_of
from harness.guardrails.rego.regopy_engine import RegopyEngine, fenced, run_of_letters, written
from harness.guardrails.rego.regopy_numbers import NoPlace, is_exact, places
from harness.guardrails.rego.typing import BOOLEAN, NUMBER, TEXT, Many, Record

HEAD = "package p\nimport rego.v1\ndefault allow := false\n"
ITEM = Record((("flag", BOOLEAN), ("name", TEXT), ("size", NUMBER)))
SHAPE = Record((("flag", BOOLEAN), ("items", Many(ITEM)), ("name", TEXT), ("names", Many(TEXT)), ("size", NUMBER)))
GIVEN = {
    "flag": True,
    "items": [{"flag": False, "name": "a", "size": 1}, {"flag": True, "name": "b", "size": 2}],
    "name": "abc",
    "names": ["a", "b", "a"],
    "size": 3,
}
CONFIG: dict[str, Any] = {"names": ["a", "b"], "limit": 2, "nested": {"deep": ["x"]}, "none": []}
needs_regopy = pytest.mark.skipif(
    importlib.util.find_spec("regopy") is None, reason="needs regopy: pip install 'harness[policy]'"
)


def decide(body: str, given: Any = GIVEN, config: Any = CONFIG) -> bool:
    policy = parse(HEAD + body)
    check_types(policy, given=SHAPE, config=type_of(config))
    answer = evaluate(policy, given, config)
    assert isinstance(answer, bool)
    return answer


HOLDS = [
    'allow if input.name == "abc"',
    "allow if { input.size > data.config.limit; input.flag }",
    'allow if { some one in input.items; one.flag; one.name == "b" }',
    "allow if { every name in input.names { name in data.config.names } }",
    "allow if { every name in data.config.none { name == name } }",
    'allow if not "c" in input.names',
    'allow if { x := input.name; startswith(x, "a"); endswith(x, "c"); contains(x, "b") }',
    "allow if count(input.names) == 3",
    'found contains name if { some name in input.names; name != "b" }\nallow if count(found) == 1',
    'found contains "x"\nfound contains "y" if input.flag\nallow if count(found) == 2',
    'ok if input.size == 4\nok if input.name == "abc"\nallow if ok',
    "ok if input.size == 4\nallow if not ok",
    'words := {"abc", "d"}\nallow if input.name in words',
    'allow if input.name in ["abc",\n  "d",\n]',
    'allow if {\n  # a comment with "quotes\n  input.flag # and } here\n}',
    "allow if input.size == 3.0",
    "allow if `abc` == input.name",
    'allow if "x" in data.config.nested.deep',
    "allow if { every one in input.items { some name in input.names; name == one.name } }",
    'allow if contains("a\\"b", "\\"")',
]
FAILS = [
    'allow if input.name == "ab"',
    "allow if not input.flag",
    "allow if { some one in input.items; one.size > 2 }",
    'allow if { every name in input.names { name == "a" } }',
    "allow if { some x in data.config.none; x == x }",
    'ok if input.name == "no"\nallow if ok',
    'allow if "a\\u0000b" == "a"',
]


@pytest.mark.parametrize("body", HOLDS)
def test_a_policy_that_holds_allows(body: str) -> None:
    assert decide(body) is True


@pytest.mark.parametrize("body", FAILS)
def test_a_policy_that_does_not_hold_denies(body: str) -> None:
    assert decide(body) is False


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("allow if input.nmae == 1", "line 4: input has no field 'nmae'; it has flag, items"),
        ('allow if input.size == "3"', "number cannot be compared with text"),
        ('allow if input.name < "b"', "only numbers have an order"),
        ("allow if input.names == input.names", "many of text cannot be compared"),
        ("allow if not input.blocked", "no field 'blocked'"),
        ("allow if input.name", "a test must be boolean, got text"),
        ("allow if startswith(input.size, `a`)", "takes two texts, got number, text"),
        ('allow if regex.match("(?i)x", input.name)', "only dotted fields and the builtins"),
        ('allow if lower(input.name) == "é"', "builtin 'lower' is not on the list"),
        ('allow if net.cidr_contains("10.0.0.0/8", input.name)', "only dotted fields"),
        ("allow if input.names[0] == `a`", "only dotted fields"),
        ("allow if { x = input.name }", "'=' is outside the language"),
        ("allow if { some i, x in input.names }", "takes one variable"),
        ("allow if x == 1", "'x' is not bound here"),
        ("allow if { some name in input.names; some name in input.names }", "'name' is already a name here"),
        ("ok if ok\nallow if ok", "depends on itself: ok -> ok"),
        ("ok if input.flag\nok contains 1\nallow if ok", "defined in two ways"),
        ("ok if input.flag\nallow if ok == true", "can be tested, but is no value"),
        ("f contains 1\nf contains `a`\nallow if count(f) == 0", "two types"),
        ("allow := true", "must be a rule"),
        ("allow if {}", "empty body"),
        ("allow if input.flag else := true", "end of the line was expected"),
        ("allow if input.flag with input as 1", "end of the line was expected"),
        ("allow if input.size == 9007199254740993", "beyond 2\\^53"),
        ("allow if input.size == 1e400", "beyond 2\\^53"),
        ('allow if input.name == "\\ud800"', "half a surrogate"),
        ("allow if input.name == null", "a term was expected, got 'null'"),
        ('allow if input == {"a": 1}', "':' is outside the language"),
        ("allow if input.name in {`a` `b`}", "',' or '}' was expected"),
        ("allow if input.flag input.flag", "end of the line was expected"),
        ("allow if { input.flag input.flag }", "must end with its line or ';'"),
        ("allow if input.size == 1 + 1", "'\\+' is outside the language"),
        ('allow if input.name == "a\nb"', "is outside the language"),
        ("allow if " + "[" * 60, "nested more than 40 deep"),
        ("found contains input.items if input.flag\nallow if count(found) == 0", "a set holds texts"),
        ('allow if input.name in [1, "a"]', "one scalar type"),
        ("x if true", "at least one rule 'allow"),
    ],
)
def test_what_is_outside_the_language_is_refused_with_its_line(body: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        decide(body)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'package' was expected"),
        ("package p\nallow if true", "'import' was expected"),
        ("package p\nimport data.x\n", "only 'import rego.v1'"),
        ("package p\nimport rego.v1\nallow if true", "must say 'default allow := false'"),
        ("package p\nimport rego.v1\ndefault allow := true\nallow if true", "only default"),
    ],
)
def test_a_file_must_deny_by_default(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(text)


@given(st.text(max_size=60) | st.text('allowif{}[]().=!<>"`\n \\:in', max_size=60))
def test_any_text_is_a_policy_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse(HEAD + text)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"a": None}, "NoneType is no value"),
        ({"a": [1, "x"]}, "one type, got number and text"),
        ({"a-b": 1}, "cannot be a name"),
        ({"in": 1}, "no keyword"),
        ({"a": 2**60}, "beyond 2"),
        ({"a": float("nan")}, "beyond 2"),
    ],
)
def test_a_configuration_that_a_policy_cannot_use_is_refused(config: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        type_of(config)


def test_a_policy_that_is_too_expensive_stops() -> None:
    body = "allow if { " + "; ".join(f"some v{n} in input.names" for n in range(6)) + "; input.size == 0 }"
    policy = parse(HEAD + body)
    check_types(policy, given=SHAPE, config=type_of(CONFIG))
    with pytest.raises(TooManySteps, match="more than 10,000 steps"):
        evaluate(policy, {**GIVEN, "names": ["x"] * 50}, CONFIG, max_steps=10_000)


texts = st.text("ab\"\\\n\x00é{}'%#`", max_size=4) | st.sampled_from(["", "a", "ab", "abc"])


@given(texts, texts)
def test_runs_of_letters_keep_equality_prefix_suffix_and_part(left: str, right: str) -> None:
    one, two = run_of_letters(left), run_of_letters(right)
    assert (left == right, left.startswith(right), left.endswith(right), right in left) == (
        one == two, one.startswith(two), one.endswith(two), two in one,
    )  # fmt: skip
    assert one.isascii()
    assert one == "" or one.isalpha()


def test_nothing_of_a_text_reaches_regopy_as_it_is() -> None:
    policy = parse(HEAD + 'allow if input.name == "quo\\"te"')
    assert "quo" not in written(policy)
    assert "quo" not in str(fenced({"name": 'quo"te'}))


@needs_regopy
@pytest.mark.parametrize("body", HOLDS + FAILS)
def test_regopy_decides_the_examples_alike(body: str) -> None:
    engine = RegopyEngine(parse(HEAD + body), CONFIG)
    assert engine.allows(GIVEN) == decide(body)


@given(st.lists(st.floats(-10, 10), max_size=20), st.sets(st.sampled_from([0.0, 0.5, 2.25, 3.0])))
def test_numbers_that_regopy_would_round_keep_their_order_among_themselves_and_the_policy_s(
    numbers: list[float], fixed: set[float]
) -> None:
    try:
        made = places(numbers, fixed)
    except NoPlace:
        return
    every = sorted({*numbers, *fixed})
    shown = [made.get(number, number) for number in every]
    assert all(is_exact(number) for number in shown)
    assert shown == sorted(set(shown))
    assert len(shown) == len(every)
    assert not set(made) & fixed


NASTY = [
    "",
    "a",
    "b",
    "ab",
    'a"b',
    "a\\b",
    "a\nb",
    "a\x00b",
    "É",
    "é",
    "😀",
    "{}",
    "#",
    "\u202e",
    "a" * 300,
    "\ufeff",
    "%22",
    "`",
]


def random_given(rng: random.Random) -> dict[str, Any]:
    def number() -> float:
        return rng.choice([0, 1, 2, 3, -1, 0.5, 2**53, -(2**53), 1e-9, 2.0, rng.randint(-5, 5), rng.random()])

    def item() -> dict[str, Any]:
        return {"flag": rng.random() < 0.5, "name": rng.choice(NASTY), "size": number()}

    return {
        "flag": rng.random() < 0.5,
        "items": [item() for _ in range(rng.randint(0, 3))],
        "name": rng.choice(NASTY),
        "names": [rng.choice(NASTY) for _ in range(rng.randint(0, 4))],
        "size": number(),
    }


class Writer:
    """Writes random policies of the language that type-check."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names = 0

    def text(self, local: dict[str, str]) -> str:
        made = [f'"{word}"' for word in ("a", "ab", "", "É", 'a\\"b', "a\\\\b", "a\\u0000b", "\\n")] + ["input.name"]
        return self.rng.choice(made + [name for name, kind in local.items() if kind == "text"])

    def number(self, local: dict[str, str]) -> str:
        made = ["0", "2", "-1", "0.5", "9007199254740992", "input.size", "count(input.names)", "count(found)"]
        return self.rng.choice(made + [f"{name}.size" for name, kind in local.items() if kind == "item"])

    def test(self, local: dict[str, str]) -> str:
        rng = self.rng
        boolean = ["input.flag", "helper", *(f"{name}.flag" for name, kind in local.items() if kind == "item")]
        made = rng.choice(
            [
                f"{self.text(local)} {rng.choice(['==', '!='])} {self.text(local)}",
                f"{self.number(local)} {rng.choice(['==', '!=', '<', '<=', '>', '>='])} {self.number(local)}",
                f"{self.text(local)} in {rng.choice(['input.names', 'data.config.names', 'found', '{}'])}".replace(
                    "{}", f"{{{self.text(local)}, {self.text(local)}}}"
                ),
                f"{rng.choice(['startswith', 'endswith', 'contains'])}({self.text(local)}, {self.text(local)})",
                rng.choice(boolean),
            ]
        )
        return f"not {made}" if rng.random() < 0.3 else made

    def body(self, local: dict[str, str], depth: int = 0) -> str:
        local, lines = dict(local), []
        for _ in range(self.rng.randint(1, 3)):
            self.names += 1
            name, kind = f"v{self.names}", self.rng.choice(["text", "item"])
            among = {"text": self.rng.choice(["input.names", "data.config.names", "found"]), "item": "input.items"}[
                kind
            ]
            roll = self.rng.random()
            if roll < 0.25:
                lines.append(f"some {name} in {among}")
                local[name] = kind
            elif roll < 0.4 and depth < 2:
                lines.append(f"every {name} in {among} {{\n{self.body({**local, name: kind}, depth + 1)}\n}}")
            elif roll < 0.5:
                lines.append(f"{name} := {self.text(local)}")
                local[name] = "text"
            else:
                lines.append(self.test(local))
        return "\n".join(lines)

    def policy(self) -> str:
        # Only allow may use the helpers, and they use neither one another nor themselves.
        helpers = self.body({}).replace("helper", "input.flag").replace("found", "input.names")
        held = self.body({}).replace("helper", "input.flag").replace("found", "input.names")
        rules = [f"helper if {{\n{helpers}\n}}", f"found contains input.name if {{\n{held}\n}}"]
        rules += [f"allow if {{\n{self.body({})}\n}}" for _ in range(self.rng.randint(1, 2))]
        return HEAD + "\n".join(rules) + "\n"


@needs_regopy
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_both_back_ends_agree_on_generated_policies(seed: int) -> None:
    rng = random.Random(seed)
    policy = parse(Writer(rng).policy())
    check_types(policy, given=SHAPE, config=type_of(CONFIG))
    engine = RegopyEngine(policy, CONFIG)
    for _ in range(8):
        given_ = random_given(rng)
        assert engine.allows(given_) == evaluate(policy, given_, CONFIG), (written(policy), given_)
