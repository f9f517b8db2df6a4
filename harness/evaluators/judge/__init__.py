"""Models as judges: rubric, prompt, verdict, cache, exam. Users import them from :mod:`harness.evaluators`."""
