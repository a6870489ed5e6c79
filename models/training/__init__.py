"""Learning: one loop, the recipes of classifier and codecs, checkpoints."""
