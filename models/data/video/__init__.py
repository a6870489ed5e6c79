"""Videos as clips: folders and split files, decoding, choice of frames."""
