"""Listings: compiled programs as mathematics, forward and backward, and as drawings."""

from microgradlib.listing.drawing import drawing_of
from microgradlib.listing.listing import written

__all__ = ["drawing_of", "written"]
