"""What knows nothing of derivatives: numbers, nested structures, random sources, files, lookups by name."""
