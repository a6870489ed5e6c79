"""Checks of drawn channels against closed forms."""
