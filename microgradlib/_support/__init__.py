"""Helpers that know nothing of derivatives: numbers, nested structures, random generators, files, optional imports."""
