from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import RuleError
from harness.gates.latency import Latency
from harness.gates.must_pass import MustPass
from harness.gates.rules_file import KINDS, load_rules, parse_rules
from harness.gates.threshold import Threshold

GOOD = '[[rule]]\nname = "behaviour"\nkind = "threshold"\nat_least = 0.9\n'


def mistakes(text: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        parse_rules(text, name="gate.toml")
    return str(caught.value).splitlines()


def test_a_file_becomes_its_rules_in_order(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    more = '[[rule]]\nkind = "latency"\nname = "fast"\nat_most_s = 2\n'
    more += '[[rule]]\nkind = "must_pass"\nname = "musts"\ncases = ["a", "b"]\n'
    path.write_text(GOOD + more, encoding="utf-8")
    assert load_rules(path) == (
        Threshold(name="behaviour", at_least=0.9),
        Latency(name="fast", at_most_s=2),
        MustPass(name="musts", cases=("a", "b")),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('metrik = "pass_rate"', "gate.toml:5: unknown field 'metrik' of kind threshold; did you mean 'metric'?"),
        ('confidence = "high"', "gate.toml:5: confidence must be a number, got 'high'"),
        (
            "confidence = 95",
            "gate.toml:5: confidence: must lie between 0.5 and 1, for example 0.95; got 95",
        ),
        ("confidence = true", "gate.toml:5: confidence must be a number, got True"),
        ("confidence = nan", "gate.toml:5: confidence must be a number, got nan"),
        ("at_most = 0.99", "gate.toml:5: at_most: a threshold needs one of at_least and at_most, got both"),
        ("advisory = 1", "gate.toml:5: advisory must be true or false, got 1"),
        ("k = 2.5", "gate.toml:5: k must be a whole number, got 2.5"),
        ("k = 2", "gate.toml:5: k: only pass^k and pass@k take k, got k=2"),
        ('metric = "pass^4"', "gate.toml:5: metric: write metric = 'pass^k' and k = 4"),
        ('suite = ["a"]', "gate.toml:5: suite must be a text, got ['a']"),
        ("quantile = 0.5", "gate.toml:5: quantile: pass_rate has no quantile"),
    ],
)
def test_a_mistake_is_named_with_its_line_its_value_and_what_would_work(line: str, said: str) -> None:
    assert mistakes(GOOD + line)[0].startswith(said)


def test_all_mistakes_are_listed_at_once_in_the_order_of_the_file() -> None:
    text = 'gate = 1\n[[rule]]\nname = "a"\nkind = "treshold"\n\n[[rule]]\nkind = "latency"\nname = "a"\n'
    found = mistakes(text)
    assert [line.split(": ")[0] for line in found] == [f"gate.toml:{n}" for n in (1, 4, 6, 8)]
    assert "did you mean 'threshold'?" in found[1]
    assert "needs at_most_s" in found[2]
    assert "two rules have the name 'a', the other one in line 2" in found[3]


def test_text_that_looks_like_a_header_inside_a_string_does_not_move_the_line() -> None:
    text = '[[rule]]\nname = """a\n[[rule]]\nkind = 1\n"""\nkind = "threshold"\nat_least = 2\n'
    assert mistakes(text) == ["gate.toml:7: at_least: must lie between 0 and 1, got 2"]


def test_an_inline_array_of_rules_is_understood() -> None:
    assert parse_rules('rule = [{name = "x", kind = "threshold", at_least = 0.5}]') == (
        Threshold(name="x", at_least=0.5),
    )
    assert mistakes('\nrule = [{name = "x", kind = "threshold"}]')[0].startswith("gate.toml:2: a threshold needs one")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "gate.toml:1: no [[rule]] in the file"),
        ("[rule]\nname = 'x'", "gate.toml:1: a rule is declared as [[rule]], with two brackets"),
        ("\n[[rules]]\n", "gate.toml:2: unknown key 'rules'; write [[rule]]"),
        ("a = 1\nb = ", "gate.toml:2: not TOML:"),
        ("[[rule]]\nkind = 'must_pass'", "gate.toml:1: the rule has no name"),
        ("[[rule]]\nname = 'x'", "gate.toml:1: the rule has no kind"),
        ("[[rule]]\nname = 3\nkind = 'must_pass'", "gate.toml:2: name must be a text that is not empty, got 3"),
    ],
)
def test_a_file_of_the_wrong_shape_says_what_to_write(text: str, said: str) -> None:
    assert mistakes(text)[0].startswith(said)


PAIRED = '[[rule]]\nname = "n"\nkind = "no_regression"\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('fail_below = "never"', "gate.toml:4: fail_below: must be 'zero' or 'margin', got 'never'"),
        ("margin = 3", "gate.toml:4: margin: the margin of pass_rate is given as margin_points"),
        ('metric = "cost_usd"', "gate.toml:4: metric: no regression in cost_usd needs margin"),
        ('metric = "cost_usd"\nmargin_points = 3', "gate.toml:5: margin_points: the margin of cost_usd is given as"),
        ('metric = "steps"\nmargin = 1\nmargin_percent = 5', "gate.toml:6: margin_percent: give margin or"),
        ('metric = "pass^k"', "gate.toml:4: metric: 'pass^k' has no value per case"),
        ("holm = true", "gate.toml:4: holm is for all rules of the file: write [gate]"),
    ],
)
def test_a_paired_rule_says_which_margin_its_metric_takes(line: str, said: str) -> None:
    assert mistakes(PAIRED + line)[0].startswith(said)


def test_holm_is_a_key_of_the_file_and_marks_its_tests() -> None:
    text = GOOD + '[[rule]]\nname = "m"\nkind = "must_pass"\n[[rule]]\nname = "a"\nkind = "latency"\nat_most_s = 1\n'
    text += "advisory = true\n"
    assert [getattr(rule, "holm", None) for rule in parse_rules("[gate]\nholm = true\n" + text)] == [True, None, False]
    assert [getattr(rule, "holm", None) for rule in parse_rules(text)] == [False, None, False]
    assert mistakes('[gate]\nholm = "yes"\n' + GOOD) == ["gate.toml:1: holm must be true or false, got 'yes'"]
    assert mistakes("[gate]\nholms = true\n" + GOOD) == ["gate.toml:1: unknown key 'holms' of [gate]; it has holm"]
    only_must = '[gate]\nholm = true\n[[rule]]\nname = "m"\nkind = "must_pass"\n'
    assert mistakes(only_must)[0].startswith("gate.toml:1: holm = true, and no rule of this file is a test")


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"gone\.toml"):
        load_rules(tmp_path / "gone.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(RuleError, match=r"latin\.toml"):
        load_rules(tmp_path / "latin.toml")


def test_every_kind_can_be_declared() -> None:
    needed = {
        "threshold": "at_least = 0.5", "latency": "at_most_s = 1", "cost": "total_usd = 1",
        "equivalence": "margin_points = 3", "count": 'metric = "guard_faults"',
        "judged_pass_rate": 'metric = "correct"\nat_least = 0.8',
    }  # fmt: skip
    for kind, made in KINDS.items():
        (rule,) = parse_rules(f'[[rule]]\nname = "x"\nkind = "{kind}"\n{needed.get(kind, "")}')
        assert type(rule) is made


keys = st.sampled_from(["name", "kind", "metric", "at_least", "confidence", "k", "cases", "suite", "nonsense"])
values = st.sampled_from(['"threshold"', '"cost"', '"x"', "1", "0.5", "-1", "true", "[]", '["a"]', "nan", "1979-05-27"])


@given(st.lists(st.lists(st.tuples(keys, values), max_size=6, unique_by=lambda pair: pair[0]), max_size=4))
def test_any_table_is_rules_or_a_list_of_placed_mistakes(tables: list[list[tuple[str, str]]]) -> None:
    text = "".join("[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in table) for table in tables)
    try:
        parse_rules(text, name="gate.toml")
    except RuleError as error:
        for line in str(error).splitlines():
            number = int(line.removeprefix("gate.toml:").split(":")[0])
            assert 1 <= number <= max(1, text.count("\n"))
