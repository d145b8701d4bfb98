"""Text to value: pure functions, exact, without spaCy."""
