"""Measuring codecs on clips: tables of outcomes, accuracy against ratio."""
