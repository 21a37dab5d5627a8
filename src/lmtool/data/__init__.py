"""From ids, frames and labels to batches."""
