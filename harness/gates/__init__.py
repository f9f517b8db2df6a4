"""Gate rules: each asks one thing of a scorecard and answers pass, fail or inconclusive, with the arithmetic."""
