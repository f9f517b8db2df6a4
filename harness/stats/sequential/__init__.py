"""Deciding before the last case, honestly: evidence that may be looked at after every item, and planned looks."""
