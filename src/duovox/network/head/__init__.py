"""From frames or embeddings to logits: one file per head."""
