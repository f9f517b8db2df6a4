"""Evaluators of meaning, each a judge with a rubric of ours, some with an offline rule where an honest one exists."""
