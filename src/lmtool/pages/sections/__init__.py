"""Sections of a report, a file each."""
