"""What the model server saw, asked over its own routes."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def stats(url: str) -> dict[str, Any]:
    """Requests, peak and mean in flight since the last reset. ``url`` is the base URL with ``/v1``."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=10) as response:
        found: dict[str, Any] = json.load(response)
    return found


def reset(url: str) -> None:
    """Count from zero."""
    request = urllib.request.Request(url.removesuffix("/v1") + "/stats/reset", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass
