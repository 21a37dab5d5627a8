"""Characters to ids: reader, tokenizers, vocabulary, corpus, batches; no floats, no models."""
