"""What a data set holds, in figures, tables and histograms."""
