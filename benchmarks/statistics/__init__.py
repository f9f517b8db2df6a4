"""Simulations of the decisions: each row's figure beside its target and what the naive method does on the same data."""
