"""Frozen nouns and contracts: no input or output, no third party."""
