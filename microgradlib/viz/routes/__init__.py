"""All routes from a node to an output: `search` finds and adds them up, `text` writes them."""
