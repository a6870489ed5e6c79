"""Symbols as bytes and back: contexts, probability tables, range coding, the bitstream."""
