"""What a trained model does, as plain functions; numpy only."""
