"""Tool calls compared: when two are the same, whether one is right, which of them answer which expectation."""
