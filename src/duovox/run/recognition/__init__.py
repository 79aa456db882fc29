"""From recordings of any length to text: windows, their logits joined, and what they say."""
