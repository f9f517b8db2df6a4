"""The front door for pytest: the only room that knows both pytest and the others."""
