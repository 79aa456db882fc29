"""From token logits to text."""
