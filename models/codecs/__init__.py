"""Codecs: a clip becomes bytes on the device and a clip again on the server."""
