"""Physics of the radio channel: units, path loss, fading, rates and link traces.

Knows nothing of clips, models or the simulation clock. Import the module you need, for instance
``from fadeline.channels.fading import rayleigh``; nothing here loads torch, sionna or matplotlib
until it is called.
"""

if __name__ != "fadeline.channels":
    raise ImportError("import fadeline.channels, not channels")
