"""Characters to ids: reader, tokenizers, vocabulary, labels, corpus; no floats, no models."""
