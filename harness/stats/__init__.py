"""Numbers in, frozen results out: every figure comes with an interval or says why it has none."""
