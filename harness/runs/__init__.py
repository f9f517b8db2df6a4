"""Running trials: the way out to providers, with limits, retries, recordings and money."""
