"""The seeded order in which cases are taken when a run may stop early, and the walk along it.

Early stopping is honest only if the order of the cases has nothing to do with how they end. Finishing order has (quick
failures come first), so a run that may stop takes its cases in an order drawn from the seed, and evidence is counted
along that order up to the first group that is not complete, whatever finished in the meantime.

The item of the walk is the *group*: a cluster, or a case of its own, over every suite that a rule covers, because the
cases of a cluster are not independent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.core.scorecard import Scorecard, SuiteLine

Group = tuple[str, str]
"""Dataset (or suite) and cluster (or case id)."""


def place(seed: int, group: Group) -> int:
    """Where a group stands in the order of a seed: 64 bits, the same in every process and on every machine."""
    text = f"{seed}|{group[0]}|{group[1]}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def in_order(seed: int, groups: Iterable[Group]) -> list[Group]:
    """Groups, each once, in the order of a seed."""
    return sorted(set(groups), key=lambda group: (place(seed, group), group))


@dataclass(kw_only=True)
class GroupCount:
    """What became of one group's trials."""

    planned: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Trials per (suite, arm, case id)."""
    passed: dict[tuple[str, str, str], int] = field(default_factory=dict)
    failed: dict[tuple[str, str, str], int] = field(default_factory=dict)
    base: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """The baseline's pass share per (suite, arm, case id), where the rule compares with one."""
    ended: int = 0
    """Trials that passed, failed or errored."""

    @property
    def complete(self) -> bool:
        """Whether every planned trial has ended."""
        return self.ended >= sum(self.planned.values())

    @property
    def worst(self) -> float:
        """Mean over cases of the share that passed, broken trials as failures."""
        shares = [self.passed.get(key, 0) / trials for key, trials in self.planned.items()]
        return sum(shares) / len(shares)

    @property
    def best(self) -> float:
        """Mean over cases of the share that did not fail, broken trials as passes."""
        shares = [1 - self.failed.get(key, 0) / trials for key, trials in self.planned.items()]
        return sum(shares) / len(shares)

    @property
    def base_share(self) -> float:
        """Mean over cases of the baseline's share; 0 where nothing is compared."""
        return sum(self.base.get(key, 0.0) for key in self.planned) / len(self.planned)


def walk(
    scorecard: Scorecard, lines: Iterable[SuiteLine], *, base: Mapping[tuple[str, str, str], float] | None = None
) -> Iterator[tuple[Group, GroupCount]]:
    """The groups of some suites in the order of the run's seed, up to the first that is not complete.

    :param base: the baseline's pass share per (suite, arm, case id); cases that are not in it are left out.
    """
    counts: dict[Group, GroupCount] = {}
    for line in lines:
        for case in scorecard.cases[line.start : line.stop]:
            group = (line.dataset or line.suite, case.cluster or case.case_id)
            key = (line.suite, line.arm, case.case_id)
            if base is not None and key not in base:
                continue
            count = counts.setdefault(group, GroupCount())
            if base is not None:
                count.base[key] = base[key]
            count.planned[key] = case.trials + case.decided
            count.passed[key], count.failed[key] = case.passed, case.failed
            count.ended += case.passed + case.failed + case.errored
    for group in in_order(scorecard.seed, counts):
        if not counts[group].complete:
            return
        yield group, counts[group]
