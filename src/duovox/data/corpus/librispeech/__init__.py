"""LibriSpeech and Libri-light: archives, trees and Parquet files, as they were published."""
