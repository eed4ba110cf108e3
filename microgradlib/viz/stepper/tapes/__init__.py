"""The tape: from a captured graph to the data that the page shows, with its frames, places and levels of detail."""
