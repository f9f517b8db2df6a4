"""DeepEval as a library: imported on use, without its telemetry, its ``.env`` files and its tracing.

It reads its switches from the environment, also after it was imported, so a suite that has imported it before is served
as well. Its pytest plugin is kept out by ``-p no:deepeval``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from harness.core.errors import UsageError

INSTALL = 'pip install "harness[deepeval]"'
SWITCHES = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "DEEPEVAL_DISABLE_DOTENV": "1",
    "DEEPEVAL_DISABLE_LEGACY_KEYFILE": "1",
    "CONFIDENT_TRACING_ENABLED": "NO",
}
"""What keeps it quiet; set for the process before the import, whatever the environment says."""


class DeepEvalMissing(UsageError):
    """DeepEval is not installed."""


def quiet() -> None:
    """Set the switches; imports nothing."""
    os.environ.update(SWITCHES)


def deepeval(name: str = "deepeval") -> Any:
    """A module of DeepEval.

    :raises DeepEvalMissing: says how to install it.
    """
    quiet()
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "deepeval":
            raise
        raise DeepEvalMissing(f"DeepEval is not installed; install it: {INSTALL}") from error
