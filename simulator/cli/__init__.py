"""The `fadeline` command, one file for each group of commands: parses, calls, prints."""
