"""What is kept of a run: journals, manifests, their reading, merging and history."""
