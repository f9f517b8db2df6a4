"""Adapters: everything that turns a case into a trajectory, and the chat models they talk to."""
