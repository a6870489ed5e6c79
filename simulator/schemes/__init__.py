"""What ways of handling a clip make of clips, prepared before the clock starts."""
