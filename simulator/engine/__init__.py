"""The clock and all that happens on it: cameras, devices, the uplink, the edge server."""
