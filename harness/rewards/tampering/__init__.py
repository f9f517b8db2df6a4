"""Whether a program passed its tests, or got around them: protected files, guarded runs, and signs in the code."""
