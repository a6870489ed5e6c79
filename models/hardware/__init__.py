"""What networks cost and how fast machines are."""
