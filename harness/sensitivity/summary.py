"""From attacks to what a suite noticed: kill rates with intervals, survivors, idle judges, toothless cases, bounds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from harness.core.sensitivity import (
    MOST_SURVIVORS,
    BoundLine,
    CaseKills,
    FaultLine,
    JudgeLine,
    Sensitivity,
    Survivor,
)
from harness.sensitivity.attack import Attack
from harness.stats.rates import rate

Place = tuple[str, str, str]
"""Suite, arm, area."""
Judged = tuple[str, float]
"""Cluster, and 1 for a kill or 0 for none."""


def summarise(attacks: Iterable[Attack], *, order: Sequence[str] = (), notices: Sequence[str] = ()) -> Sensitivity:
    """Sum up.

    :param order: operators as they are shown; others come after them by name.
    """
    counted = _Counted()
    for attack in attacks:
        counted.add(attack)
    position = {name: number for number, name in enumerate(order)}
    return counted.told(lambda name: (position.get(name, len(position)), name), tuple(notices))


class _Counted:
    def __init__(self) -> None:
        self.fates: dict[tuple[Place, str], Counter[str]] = defaultdict(Counter)
        self.kills: dict[tuple[Place, str], list[Judged]] = defaultdict(list)
        self.claims: dict[tuple[Place, str], bool] = {}
        self.judges: dict[tuple[Place, str], list[Judged]] = defaultdict(list)
        self.alone: Counter[tuple[Place, str]] = Counter()
        self.bounds: dict[tuple[Place, str], Counter[str]] = defaultdict(Counter)
        self.limits: dict[Place, float | None] = {}
        self.cases: dict[tuple[Place, str], CaseKills] = {}
        self.survivors: list[Survivor] = []
        self.attacked = self.left_out = self.seed = 0

    def add(self, attack: Attack) -> None:
        place = (attack.suite, attack.arm, attack.area)
        cluster = attack.cluster or attack.case_id
        self.limits[place], self.seed = attack.limit, attack.seed
        for agent, outcome in attack.bounds.items():
            self.bounds[place, agent][outcome] += 1
        if not attack.faults:
            self.left_out += 1
            return
        self.attacked += 1
        for operator, fault in attack.faults.items():
            claimed = attack.claimed(operator)
            self.claims[place, operator] = claimed
            self.fates[place, operator][fault.fate] += 1
            if fault.fate in ("killed", "survived"):
                self.kills[place, operator].append((cluster, float(fault.fate == "killed")))
                for judge in {*attack.judges, *fault.by}:
                    self.judges[place, judge].append((cluster, float(judge in fault.by)))
                if len(fault.by) == 1:
                    self.alone[place, fault.by[0]] += 1
            if fault.fate == "survived":
                self.survivors.append(
                    Survivor(suite=attack.suite, arm=attack.arm, case_id=attack.case_id, trial=attack.trial,
                             operator=operator, claimed=claimed, before=fault.before, after=fault.after)
                )  # fmt: skip
        self._add_case(place, attack, cluster)

    def _add_case(self, place: Place, attack: Attack, cluster: str) -> None:
        mine = [fault.fate for operator, fault in attack.faults.items() if attack.claimed(operator)]
        key = (place, attack.case_id)
        before = self.cases.get(key) or CaseKills(
            suite=attack.suite, arm=attack.arm, area=attack.area, case_id=attack.case_id, cluster=cluster
        )
        if attack.observe and not mine:
            return
        killed = mine.count("killed")
        self.cases[key] = CaseKills(
            suite=before.suite, arm=before.arm, area=before.area, case_id=before.case_id, cluster=before.cluster,
            killed=before.killed + killed, judged=before.judged + killed + mine.count("survived"),
            equivalent=before.equivalent + mine.count("equivalent"),
        )  # fmt: skip

    def told(self, key: object, notices: tuple[str, ...]) -> Sensitivity:
        assert callable(key)
        whole: dict[tuple[str, bool], list[tuple[Place, str]]] = defaultdict(list)
        for place, operator in self.fates:
            whole[operator, self.claims[place, operator]].append((place, operator))
        over_all = [
            _fault_line("", "", "", operator, claimed, [self.fates[p] for p in places],
                        [(f"{p[0][0]}|{cluster}", v) for p in places for cluster, v in self.kills[p]])
            for (operator, claimed), places in sorted(whole.items(), key=lambda item: (not item[0][1], key(item[0][0])))
        ]  # fmt: skip
        each = [
            _fault_line(*place, operator, self.claims[place, operator], [counts], self.kills[place, operator])
            for (place, operator), counts in sorted(self.fates.items(), key=lambda item: (item[0][0], key(item[0][1])))
        ]
        survivors = sorted(self.survivors, key=lambda one: (not one.claimed, one.suite, key(one.operator), one.case_id))
        return Sensitivity(
            faults=(*over_all, *each),
            judges=tuple(self._judge_line(place, judge, values) for (place, judge), values in self.judges.items()),
            survivors=tuple(survivors[:MOST_SURVIVORS]),
            bounds=tuple(self._bound_line(place, agent, counts) for (place, agent), counts in self.bounds.items()),
            cases=tuple(self.cases.values()),
            attacked=self.attacked,
            left_out=self.left_out,
            seed=self.seed,
            notices=notices,
        )

    def _judge_line(self, place: Place, judge: str, values: list[Judged]) -> JudgeLine:
        suite, arm, area = place
        low, high = interval(values)
        kills = sum(value == 1.0 for _, value in values)
        return JudgeLine(suite=suite, arm=arm, area=area, judge=judge, kills=kills, of=len(values),
                         alone=self.alone[place, judge], low=low, high=high)  # fmt: skip

    def _bound_line(self, place: Place, agent: str, counts: Counter[str]) -> BoundLine:
        suite, arm, area = place
        passed, failed = counts["passed"], counts["failed"]
        values = [(str(n), float(n < passed)) for n in range(sum(counts.values()))]
        low, high = interval(values)
        return BoundLine(suite=suite, arm=arm, area=area, agent=agent, passed=passed, failed=failed,
                         errored=sum(counts.values()) - passed - failed, limit=self.limits[place],
                         low=low, high=high)  # fmt: skip


def _fault_line(
    suite: str, arm: str, area: str, operator: str, claimed: bool, counts: list[Counter[str]], values: list[Judged]
) -> FaultLine:
    low, high = interval(values)
    killed, survived, errored, equivalent = (
        sum(c[fate] for c in counts) for fate in ("killed", "survived", "errored", "equivalent")
    )
    return FaultLine(suite=suite, arm=arm, area=area, operator=operator, claimed=claimed, killed=killed,
                     survived=survived, errored=errored, equivalent=equivalent, low=low, high=high)  # fmt: skip


def interval(values: Sequence[Judged]) -> tuple[float | None, float | None]:
    """Wilson on the effective size, faults of one case (or cluster) being one group; nothing gives (None, None)."""
    if not values:
        return None, None
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(cluster, len(numbers)) for cluster, _ in values]
    found = rate([value for _, value in values], groups)
    return found.low, found.high
