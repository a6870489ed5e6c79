"""Runs: plans, workers, parts that are kept, folders of results."""
