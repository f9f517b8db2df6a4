"""One section of the report a file. A section returns data in the known shapes; renderers know shapes, not sections.

To add one: copy a neighbour, give it an ``id``, and put it into the list in :mod:`harness.reporting.report`; or pass it
to ``write_reports(sections=...)``.
"""
