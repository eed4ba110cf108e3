"""Layered layout, pass by pass: columns, order, ports, places across, places along, lines.

The passes are those of Sugiyama, Tagawa and Toda (1981), with frames that hold their boxes together in every column.
"""
