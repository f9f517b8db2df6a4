"""Which grammar reads which file, and the parser that reads it; what cannot be parsed is said with its line."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from harness.core.errors import MissingDependency

LANGUAGES = {
    ".py": "python", ".pyi": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
}  # fmt: skip
MAX_BYTES = 2_000_000
"""A file above this is not parsed: it is no file that a person edits."""


class Unparsable(ValueError):
    """A file that is no program of its language; ``path`` and ``line`` (from 1) say where it breaks."""

    def __init__(self, path: str, line: int, what: str) -> None:
        super().__init__(f"{path}:{line}: {what}")
        self.path, self.line = path, line


def language_of(path: str) -> str | None:
    """The language of a file by the end of its name; None for a file that is no source of a known language."""
    name = path.rsplit("/", 1)[-1]
    return LANGUAGES.get(name[name.rfind(".") :].lower()) if "." in name else None


@cache
def _parser(language: str) -> Any:
    try:
        from tree_sitter import Language, Parser

        if language == "python":
            import tree_sitter_python

            grammar = tree_sitter_python.language()
        elif language == "javascript":
            import tree_sitter_javascript

            grammar = tree_sitter_javascript.language()
        else:
            import tree_sitter_typescript

            known = tree_sitter_typescript
            grammar = known.language_tsx() if language == "tsx" else known.language_typescript()
    except ImportError as missing:
        library = f"tree-sitter with its grammar of {language.replace('tsx', 'typescript')}"
        raise MissingDependency(library, extra="rewards", purpose=f"the tree of a {language} file") from missing
    return Parser(Language(grammar))


@lru_cache(maxsize=8)
def _tree(language: str, source: bytes) -> Any:
    """Kept for a moment: a file's tree is walked for its shape and for its outline."""
    return _parser(language).parse(source)


def parsed(source: bytes, language: str, path: str, *, tolerant: bool = False) -> Any:
    """The root node of tree-sitter's tree.

    :param tolerant: take a tree with errors in it, as for a fragment of a file.
    :raises Unparsable: the source has a syntax error, or is larger than :data:`MAX_BYTES`.
    """
    if len(source) > MAX_BYTES:
        raise Unparsable(path, 1, f"{len(source):,} bytes; files above {MAX_BYTES:,} are not parsed")
    root = _tree(language, source).root_node
    if root.has_error and not tolerant:
        broken = _first_error(root)
        row = broken.start_point[0]
        shown = source.splitlines()[row][:80].decode("utf-8", "replace").strip() if source.strip() else ""
        raise Unparsable(path, row + 1, f"not {language}: {shown!r}")
    return root


def _first_error(root: Any) -> Any:
    at = root
    while True:
        inner = next((child for child in at.children if child.is_error or child.is_missing), None)
        if inner is not None:
            return inner
        deeper = next((child for child in at.children if child.has_error), None)
        if deeper is None:
            return at
        at = deeper
