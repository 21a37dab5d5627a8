"""Arrays to arrays: parameters, cells, layers and output layers; no text, no files, no printing."""
