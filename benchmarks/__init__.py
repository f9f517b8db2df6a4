"""Speed of the harness itself: run by hand and at night, never a timed test.

``python -m benchmarks --list`` names them, ``python -m benchmarks`` runs them.
"""
