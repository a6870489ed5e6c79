"""What a scenario can say: frozen types, their ranges, and nothing else."""
