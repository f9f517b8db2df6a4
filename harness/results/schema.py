"""The formats of the files a run leaves, each with its number and one line of history per version.

``harness.journal`` (``trials-<worker>.jsonl``): UTF-8 JSON lines, append-only.

- A *header line* is an object with the key ``format``. One is written each time a writer opens the file.
- Every other line is one finished trial: ``Record.to_json()``. A line is whole when it ends in a newline or parses.
- Of several lines with the same key (suite, arm, case, trial) the one of the latest *opening* counts.

``harness.manifest`` (``manifest.json``): one object, ``Manifest.to_json()`` plus ``format`` and ``version``.

``harness.history`` (``.history.sqlite3`` beside the runs): an index, rebuilt from the runs whenever it is in doubt.
"""

from __future__ import annotations

from typing import Final

JOURNAL: Final = "harness.journal"
MANIFEST: Final = "harness.manifest"
HISTORY: Final = "harness.history"

VERSIONS: dict[str, int] = {JOURNAL: 1, MANIFEST: 1, HISTORY: 1}
"""The version this harness writes, per format. Raised only together with a function in ``migrations``."""

CHANGES: Final[dict[str, tuple[str, ...]]] = {
    JOURNAL: ("1: header line per opening, one record per line (0.1.0)",),
    MANIFEST: ("1: first version (0.1.0)",),
    HISTORY: ("1: one row per run (0.1.0)",),
}
"""One line per version, oldest first."""
