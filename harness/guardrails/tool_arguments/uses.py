"""Uses: what each text field of a tool is for, declared in its schema or told by its name.

Declared: ``"x-use": "path"`` beside the field's type (or another of ``USES``), or ``format: uri``. Told by its name,
whole words only: ``file_path``, ``outputDir``, ``command``, ``callback_url``, ``where_clause``. ``query`` and ``name``
say nothing: most tools search with the one and greet with the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

USES = ("path", "shell", "url", "sql", "statement", "text")

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_BY_WORD = {
    "path": ("path", "paths", "file", "files", "filename", "filenames", "filepath", "dir", "directory", "folder"),
    "shell": ("command", "commands", "cmd", "shell", "argv", "script"),
    "url": ("url", "urls", "uri", "href", "webhook", "endpoint"),
    "sql": ("where", "having", "orderby", "table", "column", "columns"),
    "statement": ("sql", "statement"),
}
_USE_OF = {word: use for use, words in _BY_WORD.items() for word in words}
_FORMATS = {"uri": "url", "url": "url", "iri": "url", "uri-reference": "url", "path": "path", "file-path": "path"}
# "file_content", "path_description": the last word says what it is.
_SAYS_TEXT = frozenset(
    ("content", "contents", "description", "text", "title", "body", "note", "notes", "comment", "summary", "type", "id")
)


def declared_use(schema: Any) -> str:
    """What the schema of a field says; empty when it says nothing."""
    if not isinstance(schema, Mapping):
        return ""
    use = schema.get("x-use")
    if isinstance(use, str) and use in USES:
        return use
    kind = schema.get("format")
    return _FORMATS.get(kind, "") if isinstance(kind, str) else ""


def told_use(name: str) -> str:
    """What the name of a field says; ``text`` when it says nothing."""
    words = [word.lower() for word in _WORDS.findall(name[:200])]
    if not words or words[-1] in _SAYS_TEXT:
        return "text"
    for word in reversed(words):
        if word in _USE_OF:
            return _USE_OF[word]
    return "text"
