"""Making runs: the engine, the way out to providers, limits, recordings and money."""
