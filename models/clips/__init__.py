"""Clips to learn from and to test on: drawn ones, folders of videos, HMDB51, and their cache."""
