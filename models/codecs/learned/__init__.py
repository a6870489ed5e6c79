"""The networks of the learned codecs, and what they have in common."""
