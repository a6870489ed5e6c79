"""What the clips of a run say: curves, intervals, differences, the verdict."""
