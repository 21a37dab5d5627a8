"""Ids, frames and labels to batches: streams of running text, and examples of anything else."""
