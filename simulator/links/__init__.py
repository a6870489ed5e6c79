"""From a scenario's channel to what each device's link carries over time."""
