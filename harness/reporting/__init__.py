"""Reports: how a run is shown. Data is computed first (sections build blocks), then rendered; templates decide nothing.

Every text in a run may have been written by an agent and is hostile: each renderer escapes it, and control characters
are made visible (:mod:`harness.reporting.visible_text`).
"""

from harness.reporting.report import Reports, write_reports
from harness.reporting.to_terminal import terminal_lines

__all__ = ["Reports", "terminal_lines", "write_reports"]
