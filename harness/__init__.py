"""Pytest-native evaluation of LLM agents: golden cases in, a statistical release verdict out."""

__version__ = "0.1.0"
