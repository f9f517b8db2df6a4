"""Other frameworks doing the same job, each in a virtual environment of the benchmark's own, outside the checkout."""
