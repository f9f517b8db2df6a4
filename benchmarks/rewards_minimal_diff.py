"""Minimal diff: how long a real edit takes to judge, and how often scaffolding is found and wrongly found."""

from __future__ import annotations

import csv
import json
import math
import os
import random
import re
import statistics
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.sessions import ROOT
from harness.rewards import Edit, Unparsable
from harness.rewards.minimal_diff.distance import tree_distance
from harness.rewards.minimal_diff.edit import laid_over
from harness.rewards.minimal_diff.measure import Trees, measure
from harness.rewards.minimal_diff.tree import Node, SourceTree
from harness.rewards.scaffolding.detectors import scaffolding
from harness.stats.rates import wilson

PUBLIC = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))
DATASET = ROOT / "golden_datasets" / "minimal_diff" / "cases.jsonl"
STANDARD = Path(sysconfig.get_paths()["stdlib"])
INSTALLED = Path(sysconfig.get_paths()["purelib"])
HELPER = {
    "python": "\n\ndef added_helper(value):\n    return [value, value + 1]\n",
    "javascript": "\nfunction addedHelper(value) {\n  return [value, value + 1];\n}\n",
}
OPTIONS = {"floor": 0.5, "slack": 200, "per_scaffold": 0.9}


def real_files(low: int, high: int) -> list[tuple[str, str]]:
    """Source files of the standard library and of installed packages by length; JavaScript also as TypeScript."""
    found: list[tuple[str, str]] = []
    python = sorted(STANDARD.glob("*.py")) + sorted(STANDARD.glob("*/*.py"))
    script = sorted([*INSTALLED.glob("playwright/**/*.js"), *INSTALLED.glob("coverage/**/*.js")])
    script += sorted(Path("/usr/lib/node_modules").glob("**/*.js"))[:4000]
    for path in [*python, *script]:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if low <= text.count("\n") <= high and len(text) < 60 * text.count("\n"):
            found.append((path.name, text))
            if path.suffix == ".js":
                found.append((path.name.replace(".js", ".ts"), text))
    return found


def edited(text: str, name: str, chance: random.Random) -> str:
    """An edit as a person makes it: one to four of a changed word, a deleted line, a copied line, a new helper."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        what = chance.choice(("word", "delete", "copy", "helper"))
        if what == "word":
            lines[at] = re.sub(r"\b[a-z_]{4,}\b", lambda m: m[0] + "_new", lines[at], count=1)
        elif what == "delete" and lines[at].strip() and not lines[at].rstrip().endswith((":", "{", "(", "[", ",")):
            del lines[at]
        elif what == "copy" and re.match(r"\s+[\w.]+ = .*[\w)]$", lines[at]):
            lines.insert(at, lines[at])
        elif what == "helper":
            lines += HELPER["python" if name.endswith(".py") else "javascript"].split("\n")
    return "\n".join(lines)


def timings(files: list[tuple[str, str]], per_file: int, seed: int) -> Iterator[tuple[str, int, float]]:
    """(name, lines, milliseconds) of judging one edit when the file before was parsed before."""
    chance = random.Random(seed)
    for name, text in files:
        trees = Trees()
        for _ in range(per_file):
            after = edited(text, name, chance)
            edit = Edit(before={name: text}, after={name: after})
            try:
                measure(Edit(before={name: text}, after={name: text + "\n\n\n"}), trees, **OPTIONS)  # type: ignore[arg-type]
                began = time.process_time()
                measure(edit, trees, **OPTIONS)  # type: ignore[arg-type]
            except Unparsable:
                continue
            yield name, text.count("\n"), 1000 * (time.process_time() - began)


def percentile(values: list[float], share: float) -> float:
    """The value that a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def fragments(patch: str, side: str) -> dict[str, str]:
    """One side of a patch by file, as far as its hunks show it."""
    files: dict[str, list[str]] = {}
    here: list[str] | None = None
    for line in patch.splitlines():
        if line.startswith(("diff --git", "--- ")):
            here = None
        elif line.startswith("+++ "):
            here = files.setdefault(line[6:], [])
        elif here is not None and line.startswith("@@"):
            head = line.split("@@", 2)[2][1:]
            here.append(head if head.startswith("class ") else "")
        elif here is not None and not line.startswith("\\") and line[:1] != ("-" if side == "after" else "+"):
            here.append(line[1:])
    return {path: "\n".join(lines) + "\n" for path, lines in files.items()}


def gold_patches() -> list[dict[str, str]]:
    """The public gold patches, or none where they are not there."""
    path = PUBLIC / "patches" / "swebench_lite_gold_half.csv"
    if not path.exists():
        return []
    csv.field_size_limit(10**9)
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def spearman(pairs: list[tuple[float, float]]) -> float:
    """Rank agreement, ties shared."""

    def ranks(values: list[float]) -> list[float]:
        order = sorted(values)
        return [order.index(value) + (order.count(value) - 1) / 2 for value in values]

    return statistics.correlation(ranks([one for one, _ in pairs]), ranks([other for _, other in pairs]))


def packages() -> list[dict[str, str]]:
    """Real packages as programs: the Python files of each folder of the standard library with 3 to 40 of them."""
    found = []
    for folder in sorted(STANDARD.iterdir()):
        files = sorted(folder.glob("*.py")) if folder.is_dir() and (folder / "__init__.py").exists() else []
        if 3 <= len(files) <= 40:
            texts = {f"{folder.name}/{path.name}": path.read_text("utf-8", "replace") for path in files}
            if sum(map(len, texts.values())) < 600_000:
                found.append(texts)
    return found


def unused_files(scale: float) -> tuple[int, int]:
    """(found, added): a file of another package is put into a real one under a name that nobody imports."""
    programs = packages()[: max(3, int(40 * scale))]
    found = added = 0
    for at, program in enumerate(programs):
        stranger = programs[(at + 1) % len(programs)]
        folder = next(iter(program)).split("/")[0]
        for number, text in enumerate(list(stranger.values())[:5]):
            name = f"{folder}/support_module_{number}.py"
            edit = Edit(before=program, after={**program, name: text})
            added += 1
            found += any(one.kind == "unused_file" and one.path == name for one in scaffolding(edit, tolerant=True))
    return found, added


def run(scale: float = 1.0) -> Result:
    """Times, then what is found, then the proxy of rank agreement."""
    files = real_files(200, 2300)
    random.Random(1).shuffle(files)
    took = [ms for _, _, ms in timings(files[: int(160 * scale)], 3, seed=2)]
    long = [text for _, text in real_files(2301, 7500) if "import" in text]
    python = [text for name, text in real_files(1500, 7500) if name.endswith(".py")]
    joined = _long_file(python, 7000)
    huge = [ms for _, _, ms in timings([("huge.py", joined)], max(5, int(20 * scale)), seed=3)]
    trees = Trees()
    measure(Edit(before={"huge.py": joined}, after={"huge.py": joined + "\n\n"}), trees, **OPTIONS)  # type: ignore[arg-type]
    began = time.process_time()
    wide = joined.replace("    ", "      ")
    measure(Edit(before={"huge.py": joined}, after={"huge.py": wide}), trees, **OPTIONS)  # type: ignore[arg-type]
    reindented = 1000 * (time.process_time() - began)
    began = time.process_time()
    SourceTree(joined, "huge.py")
    first = 1000 * (time.process_time() - began)

    rows = [json.loads(line) for line in DATASET.read_text("utf-8").splitlines()]
    kinds = honest = wrong = hit = 0
    for row in rows:
        before = row["input"]["files"]
        found = {
            one.kind for one in scaffolding(Edit(before=before, after=laid_over(before, row["metadata"]["after"])))
        }
        wanted = set(row["expected"]["custom"]["scaffolds"])
        kinds, hit = kinds + len(wanted), hit + len(wanted & found)
        honest, wrong = honest + (not wanted), wrong + (not wanted and bool(found))
    stray_found, stray = unused_files(scale)
    figures = [
        Figure(
            what="one edit of a file of 200 to 2,300 lines, 95th percentile",
            value=percentile(took, 0.95),
            unit="ms",
            at_most=50,
            note=f"{len(took)} edits",
        ),
        Figure(what="the same, median", value=statistics.median(took), unit="ms"),
        Figure(
            what="one edit of a file of 7,000 lines, slowest",
            value=max(huge),
            unit="ms",
            at_most=200,
            note=f"{len(huge)} edits",
        ),
        Figure(
            what="every line of that file indented anew",
            value=reindented,
            unit="ms",
            note="the worst case: no text is shared",
        ),
        Figure(what="that file before the edit, parsed once", value=first, unit="ms"),
        Figure(
            what="added unused files found: real packages",
            value=stray_found / stray,
            at_least=0.95,
            note=f"{stray_found} of {stray}",
        ),
        Figure(what="scaffolding found: synthetic kinds", value=hit / kinds, at_least=0.9, note=f"{hit} of {kinds}"),
        Figure(
            what="honest edits flagged: golden dataset",
            value=100 * wrong / honest,
            unit="%",
            note=f"{wrong} of {honest}",
        ),
    ]
    patches, ranks, flagged = gold_patches(), [], 0
    for row in patches:
        tests = {f"tests/{path}": text for path, text in fragments(row["test_patch"], "after").items()}
        before, after = fragments(row["patch"], "before"), fragments(row["patch"], "after")
        flagged += bool(scaffolding(Edit(before=before, after={**after, **tests}), tolerant=True))
        sides = [
            {path: SourceTree(text, path, tolerant=True).root for path, text in side.items() if path.endswith(".py")}
            for side in (before, after)
        ]
        nodes = tree_distance([(sides[0].get(path), sides[1].get(path)) for path in {*sides[0], *sides[1]}]).total
        changed = sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in row["patch"].splitlines() if line)
        ranks.append((float(nodes), float(changed)))
    n = len(patches)
    upper = 100 * wilson(flagged, n)[1] if n else math.nan
    figures += [
        Figure(
            what="public gold patches flagged",
            value=100 * flagged / n if n else None,
            unit="%",
            at_most=1,
            note=f"{flagged} of {n}, upper bound {upper:.1f} %" if n else "no public data",
        ),
        Figure(
            what="rank agreement of distance and gold size (Spearman)",
            value=spearman(ranks) if ranks else None,
            note="a proxy: nobody rated minimality",
        ),
    ]
    return Result(
        name="rewards_minimal_diff",
        title="Minimal diff",
        method=(
            "Files are those of the standard library, of installed packages and, where it is there, of npm; JavaScript "
            "is also read as TypeScript. Times are CPU time of this process. "
            "Each gets three seeded edits of one to four changes; edits that do not parse "
            "are left out. Timed is everything MinimalDiff does: parsing the file after, distance, scaffolding; the "
            "file before was parsed once. The file of 7,000 lines is made of whole files put together. Unused files: "
            "files of one package of the standard library put into another. Synthetic kinds: golden_datasets/minimal_diff, "  # noqa: E501
            "whose authors wrote the detectors as well. Gold patches show hunks only, so both sides are fragments; "
            "the detectors saw these patches when they were written."
        ),
        figures=tuple(figures),
        scale=scale,
        facts={"Files": f"{len(files)} between 200 and 2,300 lines, {len(long)} longer"},
    )


def _roots(files: dict[str, str]) -> dict[str, Node]:
    return {p: SourceTree(text, p, tolerant=True).root for p, text in files.items() if p.endswith(".py")}


def _long_file(texts: list[str], lines: int) -> str:
    out: list[str] = []
    for text in texts:
        if "from __future__" not in text and len(out) < lines:
            out += text.split("\n")
    return "\n".join(out[: next((at for at in range(lines, len(out)) if re.match(r"(def|class) ", out[at])), len(out))])
