"""Files to records, one file a format; each reader streams and names the line that it refuses."""
