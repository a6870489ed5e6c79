"""YAML with line numbers, values set by path, and messages in the user's words."""
