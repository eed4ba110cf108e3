"""What writes the generated pages: run by conf.py at each build."""
