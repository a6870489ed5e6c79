"""Boards: how fast they work and what power they draw; the files are in `profiles/`."""
