"""Music as text: ABC and note tokens to notes, notes to MIDI and sound; no models."""
