"""duovox."""
