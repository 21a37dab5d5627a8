"""Characters to ids: files, lines, tokens, vocabulary, corpora on disk, batches."""
