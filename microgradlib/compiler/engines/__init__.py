"""Engines: each executes programs on one kind of machine, behind one seam."""
