"""Rule lines: where in the text a rule and its fields stand, which a TOML parser does not tell."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[\s*(?:rule|\"rule\"|'rule')\s*\]\]")
_TABLE = re.compile(r"\s*\[")
_KEY = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"([^"]*)"|'([^']*)')\s*[=.]""")
_TABLE_NAME = re.compile(r"""\s*\[+\s*["']?([A-Za-z0-9_-]+)""")


class RuleLines:
    """Line numbers, from 1, of rules and fields; for layouts it does not follow, of the nearest thing before them."""

    def __init__(self, text: str) -> None:
        self._headers: list[int] = []
        self._fields: list[dict[str, int]] = []
        self._top: dict[str, int] = {}
        current: dict[str, int] = self._top
        inside = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if inside:
                # Within a text of several lines nothing is a header or a key.
                inside = "" if line.count(inside) % 2 else inside
                continue
            if _HEADER.match(line):
                current = {}
                self._headers.append(number)
                self._fields.append(current)
            elif _TABLE.match(line) and (named := _TABLE_NAME.match(line)):
                self._top.setdefault(named[1], number)
                current = {}
            elif found := _KEY.match(line):
                current.setdefault(found[1] or found[2] or found[3] or "", number)
            for quote in ('"' * 3, "'" * 3):
                if line.count(quote) % 2:
                    inside = quote

    def top(self, key: str) -> int:
        """Of a key or table outside the rules."""
        return self._top.get(key, 1)

    def header(self, rule: int) -> int:
        """Of the ``[[rule]]`` of a rule, counted from 0."""
        return self._headers[rule] if rule < len(self._headers) else self.top("rule")

    def field(self, rule: int, key: str) -> int:
        """Of a field of a rule; of its header when the field is not written."""
        return self._fields[rule].get(key, self.header(rule)) if rule < len(self._fields) else self.header(rule)
