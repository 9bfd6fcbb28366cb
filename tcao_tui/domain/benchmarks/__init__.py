"""Public benchmarks: what we know of them that the catalogue of Inspect Evals does not say."""
