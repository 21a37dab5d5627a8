"""The only place where state changes."""
