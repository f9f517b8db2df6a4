"""Whether runs are shards of one run: the same thing measured, in parts.

Agent, mode, seed, commit, harness version, prices, datasets, declared criteria, configuration and case contents must
agree. Anything else is a comparison, not a merge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from harness.core.record import Manifest
from harness.results.reader import JournalIndex

_SAME = ("agent", "mode", "seed", "commit", "harness_version")
_SAME_SUITE = ("dataset", "dataset_hash", "trials", "pass_rate", "observe", "statistical", "area")


def differences(paths: Sequence[Path], manifests: Sequence[Manifest], shards: Sequence[JournalIndex]) -> list[str]:
    """What keeps the runs from being shards of one, a sentence each; empty when nothing does."""
    return [*_of_manifests(paths, manifests), *_of_records(paths, shards)]


def _of_manifests(paths: Sequence[Path], manifests: Sequence[Manifest]) -> list[str]:
    out: list[str] = []
    first = manifests[0]
    plans = {(plan.suite, plan.arm): (plan, paths[0]) for plan in first.planned}
    for path, manifest in zip(paths[1:], manifests[1:], strict=True):
        for name in _SAME:
            ours, theirs = getattr(first, name), getattr(manifest, name)
            if ours != theirs:
                out.append(f"{name}: {ours!r} in {paths[0].name}, {theirs!r} in {path.name}")
        for model in sorted(set(first.prices) & set(manifest.prices)):
            if first.prices[model] != manifest.prices[model]:
                ours, theirs = first.prices[model], manifest.prices[model]
                out.append(f"price of {model}: {ours} in {paths[0].name}, {theirs} in {path.name}")
        for plan in manifest.planned:
            other, where = plans.setdefault((plan.suite, plan.arm), (plan, path))
            for name in _SAME_SUITE:
                ours, theirs = getattr(other, name), getattr(plan, name)
                if ours != theirs:
                    out.append(
                        f"{name} of {_title(plan.suite, plan.arm)}: {ours!r} in {where.name}, {theirs!r} in {path.name}"
                    )
    return out


def _of_records(paths: Sequence[Path], shards: Sequence[JournalIndex]) -> list[str]:
    out: list[str] = []
    cases: dict[tuple[str, str, str], tuple[str, Path]] = {}
    configs: dict[tuple[str, str], tuple[set[str], Path]] = {}
    for path, shard in zip(paths, shards, strict=True):
        own: dict[tuple[str, str], set[str]] = defaultdict(set)
        for (suite, arm, case, _), (config, case_hash, _) in zip(shard.keys, shard.heads, strict=True):
            own[suite, arm].add(config)
            known, where = cases.setdefault((suite, arm, case), (case_hash, path))
            if known != case_hash and where != path:
                out.append(
                    f"case {case!r} of {_title(suite, arm)}: {known} in {where.name}, {case_hash} in {path.name}"
                )
        for (suite, arm), hashes in own.items():
            known_hashes, where = configs.setdefault((suite, arm), (hashes, path))
            # Where configurations vary inside one shard they vary by case, and shards may hold different cases.
            if len(known_hashes) == len(hashes) == 1 and known_hashes != hashes:
                ours, theirs = min(known_hashes), min(hashes)
                out.append(f"configuration of {_title(suite, arm)}: {ours} in {where.name}, {theirs} in {path.name}")
    return out


def _title(suite: str, arm: str) -> str:
    return f"{suite}[{arm}]" if arm else suite
