"""From a name, file or mapping to a checked scenario."""
