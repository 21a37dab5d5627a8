"""Recordings as frames that a model reads: samples, log-mel features, pieces."""
