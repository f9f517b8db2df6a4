"""Quality gates by risk tier: what a component promises (a working spec), what was measured, and whether it is ready.

Nothing here runs a tool. Coverage, mutants, types, lint, tests and figures are read from the files that the tools
write, so that a verdict can be given again from what was kept, and a tool that did not run is *inconclusive*.
"""
