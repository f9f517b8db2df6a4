"""The journals of CI shards joined into one run, when they are shards of the same thing.

What makes two runs shards of one run: ``shards``.

How many cases a suite planned, over its shards:

- Planned once, when no shard was a selection (``partial``), all plan the same number and together they recorded no more
  cases than that: each shard planned the whole suite.
- Otherwise the sum of the shards, less the cases that more than one shard recorded: each planned its part. When in
  doubt this counts too many rather than too few, so a shard that died shows up as missing evidence.

A trial that several shards have counts once, the one that finished last by its own machine's clock (with a notice).
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from harness import __version__
from harness.core.errors import HarnessError, UsageError
from harness.core.record import Manifest, PlannedSuite
from harness.results.lines import encode, to_bytes
from harness.results.reader import JournalIndex, Key
from harness.results.run_folder import read_manifest, write_manifest
from harness.results.schema import JOURNAL, VERSIONS
from harness.results.shards import differences


def merge_runs(paths: Sequence[Path], into: Path) -> Path:
    """Join runs into a new run folder; its name is the new run's id. The shards stay as they are.

    :param paths: run folders, at least one.
    :param into: a folder that does not exist yet, or is empty. It appears complete or not at all.
    :raises UsageError: nothing to merge, the target is taken, or the runs are not shards of one run.
    :raises FormatError: a shard cannot be read.
    """
    paths = [Path(path) for path in paths]
    _check_paths(paths, into)
    manifests = [_manifest_of(path) for path in paths]
    shards = [JournalIndex(path, strict=True) for path in paths]
    found = differences(paths, manifests, shards)
    if found:
        shown = "\n  ".join(found[:20]) + (f"\n  and {len(found) - 20} more" if found[20:] else "")
        raise UsageError(
            f"these runs are not shards of one run:\n  {shown}\nCompare them instead: harness compare OLD NEW"
        )
    winners, repeated = _winners(shards)
    notices = [f"{path.name}: {notice}" for path, shard in zip(paths, shards, strict=True) for notice in shard.notices]
    if repeated:
        notices.append(f"{repeated} trial(s) were in more than one shard; the one that finished last counts")
    manifest = _joined(into.name, manifests, shards)
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
        try:
            for number, (path, shard) in enumerate(zip(paths, shards, strict=True), 1):
                target = building / f"trials-shard{number}.jsonl"
                with target.open("xb") as file:
                    _copy(file, shard, number - 1, winners, path.name, notices if number == 1 else [])
            write_manifest(building, manifest)
            building.chmod(0o755)
            building.rename(into)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        raise HarnessError(
            f"{into}: cannot write the merged run ({error.strerror}); the shards are untouched."
        ) from error
    return into


def _check_paths(paths: Sequence[Path], into: Path) -> None:
    if not paths:
        raise UsageError("nothing to merge; name the run folders: harness merge RUN RUN --into DIR")
    resolved = [path.resolve() for path in paths]
    if len(set(resolved)) != len(resolved):
        raise UsageError("a run is named twice; name every shard once")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UsageError(f"{into} is taken; choose a folder that does not exist yet")


def _manifest_of(path: Path) -> Manifest:
    manifest = read_manifest(path)
    if manifest is None:
        raise UsageError(f"{path}: no manifest.json, so nothing says what this shard was; resume or repeat it first")
    return manifest


def _winners(shards: Sequence[JournalIndex]) -> tuple[dict[Key, int], int]:
    """For every key that several shards have, the shard whose record finished last; and how many there are."""
    seen: set[Key] = set()
    repeated: set[Key] = set()
    for shard in shards:
        keys = set(shard.keys)
        repeated |= seen & keys
        seen |= keys
    winners: dict[Key, int] = {}
    ends: dict[Key, float] = {}
    for number, shard in enumerate(shards if repeated else ()):
        for line in shard.walk():
            if line.key in repeated:
                data = line.data()
                end = float(data.get("started_at", 0.0)) + float(data.get("duration_s", 0.0))
                if line.key not in ends or end >= ends[line.key]:
                    ends[line.key], winners[line.key] = end, number
    return winners, len(repeated)


def _copy(
    file: IO[bytes], shard: JournalIndex, number: int, winners: dict[Key, int], origin: str, notices: Sequence[str]
) -> None:
    header: dict[str, Any] = {
        "format": JOURNAL,
        "version": VERSIONS[JOURNAL],
        "opening": 1,
        "worker": f"shard{number + 1}",
    }
    header |= {"harness": __version__, "from": origin}
    if notices:
        header["notices"] = list(notices)
    file.write(to_bytes(encode(header)))
    for line in shard.walk():
        if winners.get(line.key, number) != number:
            continue
        if line.version == VERSIONS[JOURNAL]:
            file.write(line.raw if line.raw.endswith(b"\n") else line.raw + b"\n")
        else:
            file.write(to_bytes(encode(line.data())))


def _joined(run_id: str, manifests: Sequence[Manifest], shards: Sequence[JournalIndex]) -> Manifest:
    first = manifests[0]
    reasons = dict.fromkeys(f"{item.run_id}: {item.exit_reason}" for item in manifests if item.exit_reason)
    ended = all(item.finished_at for item in manifests)
    prices: dict[str, Any] = {}
    for item in manifests:
        prices.update(item.prices)
    return replace(
        first,
        run_id=run_id,
        created_at=min(item.created_at for item in manifests),
        finished_at=max(item.finished_at for item in manifests) if ended else "",
        exit_reason="; ".join(reasons),
        command=("harness", "merge", *(item.run_id for item in manifests)),
        dirty=any(item.dirty for item in manifests),
        partial=any(item.partial for item in manifests),
        planned=_planned(manifests, shards),
        models=tuple(sorted({model for item in manifests for model in item.models})),
        versions=_together([item.versions for item in manifests]),
        machine=_together([item.machine for item in manifests]),
        prices=prices,
    )


def _planned(manifests: Sequence[Manifest], shards: Sequence[JournalIndex]) -> tuple[PlannedSuite, ...]:
    plans: dict[tuple[str, str], list[PlannedSuite]] = defaultdict(list)
    whole: dict[tuple[str, str], bool] = defaultdict(lambda: True)
    recorded: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
    for manifest, shard in zip(manifests, shards, strict=True):
        cases: dict[tuple[str, str], set[str]] = defaultdict(set)
        for suite, arm, case, _ in shard.keys:
            cases[suite, arm].add(case)
        for plan in manifest.planned:
            key = (plan.suite, plan.arm)
            plans[key].append(plan)
            whole[key] &= not manifest.partial
            recorded[key].append(cases[key])
    out = []
    for key, parts in plans.items():
        together = len(set().union(*recorded[key]))
        once = parts[0].cases
        if not (whole[key] and together <= once and all(plan.cases == once for plan in parts)):
            once = sum(plan.cases for plan in parts) - (sum(map(len, recorded[key])) - together)
        out.append(replace(parts[0], cases=max(once, together)))
    return tuple(out)


def _together(parts: Sequence[Any]) -> dict[str, str]:
    out: dict[str, str] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        out[name] = " | ".join(dict.fromkeys(str(part[name]) for part in parts if name in part))
    return out
