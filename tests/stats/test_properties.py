"""What holds for every decision, whatever the method: the promises of the package as properties."""

from __future__ import annotations

import pkgutil
import random
import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.stats
from harness.stats.agreement import cohen_kappa, krippendorff_alpha
from harness.stats.calibration import calibration_error
from harness.stats.change_points import change_points
from harness.stats.cusum import design_cusum
from harness.stats.decide import decide_measured, decide_paired
from harness.stats.detection import auc
from harness.stats.drift import category_drift, value_drift
from harness.stats.means import bootstrap_mean, clustered_mean, mean_bounds
from harness.stats.paired import mcnemar, paired_bounds, paired_counts, paired_difference, tango_bounds
from harness.stats.power import gate_power
from harness.stats.rates import clopper_pearson_bounds, effective_size, rate_bounds
from harness.stats.sequential.non_inferiority import NonInferiorityWatch, log_evidence_not_worse
from harness.stats.sequential.pass_rate import PassRateWatch, log_evidence_above
from harness.stats.sequential.spending import look_levels
from harness.stats.sequential.spending_binomial import plan_looks
from harness.stats.sign_flip import sign_flip_bounds, sign_flip_test
from harness.stats.unpaired import boschloo, newcombe_bounds, welch_difference

_VALUES = [0.2, -0.4, 0.0, 1.0, -1.0, 0.6, 0.0, 0.2, -0.2, 0.4, 0.8, 0.0, -0.6, 0.2, 0.2, 0.0, 1.0, 0.4]

_CALLS: dict[str, Callable[[], object]] = {
    "means": lambda: (clustered_mean(_VALUES), mean_bounds(_VALUES), bootstrap_mean(_VALUES)),
    "paired": lambda: (paired_difference(_VALUES), mcnemar(0, 0), decide_paired([0.0] * 3, 0.05)),
    "sign flips": lambda: (sign_flip_test(_VALUES), decide_measured([0.0] * 20, 0.05), sign_flip_bounds([1.0])),
    "unpaired": lambda: (boschloo(0, 3, 3, 3), welch_difference(_VALUES, [0.0]), newcombe_bounds(0, 3, 3, 3)),
    "rates": lambda: (rate_bounds([1.0] * 5), rate_bounds([0.0] * 5), rate_bounds([])),
    "watches": lambda: (PassRateWatch(0.9).update(1.0), NonInferiorityWatch(0.05).update(-1.0)),
    "evidence": lambda: (log_evidence_above([0, 10_000], [10_000, 0], 0.9), log_evidence_not_worse([-1.0] * 50, 0.0)),
    "looks": lambda: (look_levels([1, 50, 100]), plan_looks(0.99, [5, 10]).operating(1.0)),
    "power": lambda: (gate_power(20, 0.0, 0.0, 0.05), gate_power(5000, 0.1, 0.1, 0.05)),
    "history": lambda: (change_points(_VALUES), design_cusum(20, 0.9, drop=0.2)),
    "drift": lambda: (value_drift(_VALUES, [0.0] * 9), category_drift({"a": 3}, {"b": 2}, resamples=99)),
    "agreement": lambda: (cohen_kappa([1, 2, 1], [1, 2, 2]), krippendorff_alpha([(1, 2), (2, 2)], resamples=99)),
    "detection": lambda: (auc([1.0], [0.0]), calibration_error([0.5], [True], resamples=99)),
}


@pytest.mark.parametrize("name", _CALLS)
def test_neither_the_global_random_state_nor_the_warning_filters_change(name: str) -> None:
    # The first call imports scipy, which on its own registers filters for its own warnings, once.
    _CALLS[name]()
    before = random.getstate(), np.random.get_state()[1].tolist(), list(warnings.filters)  # type: ignore[index, union-attr]
    with np.errstate(all="warn", under="ignore"):
        _CALLS[name]()
    after = random.getstate(), np.random.get_state()[1].tolist(), list(warnings.filters)  # type: ignore[index, union-attr]
    assert after == before


def test_no_module_of_the_package_imports_anything_heavy_when_it_is_imported() -> None:
    names = [m.name for m in pkgutil.walk_packages(harness.stats.__path__, "harness.stats.")]
    assert "harness.stats.sequential.pass_rate" in names
    code = f"import sys, importlib\nfor n in {names!r}: importlib.import_module(n)\n"
    code += "print([m for m in ('numpy', 'scipy') if m in sys.modules])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(st.sampled_from([-1.0, -0.4, 0.0, 0.2, 1.0]), st.integers(0, 4)), min_size=2, max_size=30),
    seed=st.integers(0, 99),
)
def test_the_order_of_cases_and_the_labels_of_groups_do_not_matter(rows: list[tuple[float, int]], seed: int) -> None:
    mixed = random.Random(seed).sample(rows, len(rows))
    names = {label: 100 - 7 * label for label in range(5)}
    for method in (
        lambda d, g: paired_bounds(d, g),
        lambda d, g: sign_flip_bounds(d, g, resamples=199),
        lambda d, g: sign_flip_test(d, g, at=0.1, resamples=199),
        lambda d, g: mean_bounds(d, g),
    ):
        here = method([d for d, _ in rows], [g for _, g in rows])  # type: ignore[no-untyped-call]
        there = method([d for d, _ in mixed], [names[g] for _, g in mixed])  # type: ignore[no-untyped-call]
        assert there == pytest.approx(here, rel=1e-9, abs=1e-9) if here != (None, None) else there == here


@settings(max_examples=60)
@given(won=st.integers(0, 25), lost=st.integers(0, 25), same=st.integers(0, 40))
def test_the_interval_and_mcnemar_tell_the_same_story_of_zero(won: int, lost: int, same: int) -> None:
    n = max(1, won + lost + same)
    low, high = tango_bounds(won, lost, n, confidence=0.975)
    # The exact test is the more careful of the two, so what it rejects the interval leaves out.
    if mcnemar(won, lost) <= 0.04:
        assert low > 0 or high < 0
    if mcnemar(won, lost) > 0.12:
        assert low <= 0 <= high


@pytest.mark.parametrize("size", [1, 2, 3, 30])
def test_all_pass_and_all_fail_have_bounds_inside_the_range_and_apart(size: int) -> None:
    for values in ([1.0] * size, [0.0] * size):
        low, high = rate_bounds(values)
        assert low is not None
        assert high is not None
        assert 0 <= low < high <= 1
    for d in ([1.0] * size, [-1.0] * size, [0.0] * size):
        low, high = paired_bounds(d)
        assert low is not None
        assert high is not None
        assert -1 <= low < high <= 1


def test_not_a_number_is_refused_everywhere() -> None:
    nan = float("nan")
    for call in (
        lambda: paired_bounds([nan, 0.0]),
        lambda: tango_bounds(nan, 0, 5),
        lambda: tango_bounds(0, 0, nan),
        lambda: sign_flip_bounds([nan]),
        lambda: clustered_mean([nan, 1.0]),
        lambda: effective_size([nan]),
        lambda: welch_difference([nan], [1.0]),
        lambda: change_points([nan] * 10),
        lambda: auc([nan], [1.0]),
        lambda: NonInferiorityWatch(nan),
        lambda: PassRateWatch(nan),
        lambda: clopper_pearson_bounds(nan, 5),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            call()


def test_many_families_give_the_interval_of_the_cluster_robust_t() -> None:
    # Second method for the clustered paired bounds: CR1 with t(G-1).
    source = np.random.default_rng(3)
    groups = np.repeat(np.arange(300), 4)
    family = source.choice([-1.0, 0.0, 1.0], 300, p=[0.1, 0.8, 0.1])
    own = source.choice([-1.0, 0.0, 1.0], 1200, p=[0.05, 0.9, 0.05])
    d = np.where(source.random(1200) < 0.5, family[groups], own).tolist()
    made, robust = paired_difference(d, groups.tolist()), clustered_mean(d, groups.tolist())
    assert (made.low, made.high) == pytest.approx((robust.low, robust.high), abs=4e-3)
    alone = paired_difference(d)
    assert made.low is not None
    assert alone.low is not None
    assert made.low < alone.low
    assert paired_counts(d, groups.tolist()).groups == 300


def test_clustered_rates_agree_with_resampling_whole_families() -> None:
    # Second method for Korn and Graubard: the percentile bootstrap over families.
    source = np.random.default_rng(4)
    groups = np.repeat(np.arange(200), 5)
    values = source.binomial(1, np.repeat(source.beta(4, 1, 200), 5)).astype(float)
    low, high = rate_bounds(values.tolist(), groups.tolist(), confidence=0.975)
    resampled = bootstrap_mean(values.tolist(), groups.tolist())
    assert (low, high) == pytest.approx((resampled.low, resampled.high), abs=0.012)


def test_copies_of_cases_in_their_family_add_nothing() -> None:
    single = [1.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0]
    once = paired_bounds(single, list(range(8)))
    copied = paired_bounds(single * 5, list(range(8)) * 5)
    assert once == pytest.approx(paired_bounds(single))
    assert copied[0] is not None
    assert once[0] is not None
    assert copied[0] <= once[0] + 0.02
