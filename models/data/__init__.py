"""Clips to learn from and to test on: drawn ones, folders of videos, and their cache."""
