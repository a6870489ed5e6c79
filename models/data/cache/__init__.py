"""Clips kept on disk: drawn or decoded once, then read in an instant."""
