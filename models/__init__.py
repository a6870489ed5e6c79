"""Learning: data sets, the video classifier, the codecs, their bitstreams and measured tables.

Knows nothing of time or radio.
"""

if __name__ != "fadeline.models":
    raise ImportError("import fadeline.models, not models")
