"""What the network learns from and is judged by: words, speakers, or both at once."""
