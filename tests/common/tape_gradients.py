"""The gradients that the frames of a tape give, to be held to grad_table's."""

from microgradlib.viz.stepper.sentences import decode, edges_of_level
from microgradlib.viz.stepper.tapes.frames import replay


def gradients_of(level, bug=None):
    """Return the gradients of a level's nodes, `ZERO` where none arrives, by replaying its frames."""
    frames = level["passes"]["twice" if bug == "stale" else "reverse"]
    slopes = [decode(edge["local"]) for edge in level["edges"]]
    return replay(edges_of_level(level), frames, slopes, decode(level["seed"]), bug).result
