"""Own text: attacks and honest text written for this project as templates, expanded by a seeded generator."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "fixtures" / "training" / "injection"


@dataclass(frozen=True, kw_only=True)
class Text:
    """One training text."""

    text: str
    source: str
    attack: bool
    data: bool
    """Whether it is something an agent reads, not what its user says."""
    kind: str = ""
    """Source and, for own text, category."""
    core: str = ""
    """For an attack inside data: the attack alone, which is what is learned."""


class Grammar:
    """Templates with slots, expanded by a seeded generator."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.slots: dict[str, list[str]] = {}
        self.files: dict[str, dict[str, list[str]]] = {}
        for line in (folder / "slots.txt").read_text(encoding="utf-8").splitlines():
            if " = " in line and not line.startswith("#"):
                self._slot(line)
        for name in ("attacks", "embedded", "prompts", "data"):
            self.files[name] = self._read(folder / f"{name}.txt")

    def _slot(self, line: str) -> None:
        name, choices = line.split(" = ", 1)
        self.slots[name.strip()] = choices.split(" | ")

    def _read(self, path: Path) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        category = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("> "):
                self._slot(line[2:])
            elif line.startswith("# category "):
                category = line.removeprefix("# category ")
            elif category and category != "slots" and line.strip():
                out.setdefault(category, []).append(line)
        return out

    def expand(self, template: str) -> str:
        """Every slot filled."""

        def fill(match: re.Match[str]) -> str:
            return self.expand(self.random.choice(self.slots[match[1]])) if match[1] in self.slots else match[0]

        return re.sub(r"\{(\w+)\}", fill, template)

    def lines(self, name: str, copies: int) -> Iterator[tuple[str, str]]:
        """Every template of a file, ``copies`` times, with its category."""
        for category, templates in self.files[name].items():
            for template in templates:
                for _ in range(copies):
                    yield category, self.expand(template)

    def plain(self, name: str) -> list[str]:
        """The lines of a file without slots."""
        text = (self.folder / f"{name}.txt").read_text(encoding="utf-8")
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def some(self, name: str, count: int, categories: tuple[str, ...] = ()) -> list[str]:
        """Some lines drawn at random."""
        chosen = [t for c, ts in self.files[name].items() if not categories or c in categories for t in ts]
        return [self.expand(self.random.choice(chosen)) for _ in range(count)]


LONG = ("persona", "two_voices", "mode", "fiction", "refusal", "override")


def own_texts(folder: Path = TEMPLATES, seed: int = 7) -> list[Text]:
    """The project's own training text: attacks and honest text, as prompts and as data."""
    g = Grammar(folder, seed)
    out: list[Text] = []

    def add(text: str, attack: bool, data: bool, kind: str = "", core: str = "") -> None:
        out.append(Text(text=text, source="own", attack=attack, data=data, kind=f"own/{kind}", core=core))

    for kind, line in g.lines("attacks", 8):
        add(line, True, False, kind)
    for _ in range(500):
        add(" ".join(g.some("attacks", g.random.randint(3, 9), LONG)), True, False, "long")
    for _, line in g.lines("prompts", 8):
        add(line, False, False)
    for _ in range(400):
        add(" ".join(g.some("prompts", g.random.randint(2, 5))), False, False)
    for _, line in g.lines("data", 4):
        add(line, False, True)
    documents = list(g.files["data"])
    for _ in range(900):
        category = g.random.choice(documents)
        add(" ".join(g.some("data", g.random.randint(1, 7), (category,))), False, True)
    # Prose at length, so that many words without any request do not add up to one.
    prose = g.plain("prose")
    for line in prose:
        add(line, False, False)
        add(line, False, True)
    for _ in range(300):
        lines = g.random.sample(prose, g.random.randint(2, 4))
        add("\n\n".join(lines), False, bool(g.random.randint(0, 1)))
    technical = g.plain("technical")
    for start in range(0, len(technical), 2):
        add("\n".join(technical[start : start + g.random.randint(1, 3)]), False, True)
    for index, (kind, line) in enumerate([*g.lines("embedded", 7), *g.lines("attacks", 2)]):
        category = documents[index % len(documents)]
        lines = g.some("data", g.random.randint(0, 4), (category,))
        if category == "tool" and index % 2:
            line = "{'" + g.random.choice(("content", "body", "review", "note", "text")) + "': '" + line + "'}"
        lines.insert(g.random.randint(0, len(lines)), line)
        add(" ".join(lines), True, True, kind, line)
    return out
