"""The ladder of detail: what fits a cell, what `collapse` closes, how groups open and close, and how long it takes."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from scoped_graphs import Recorder, batch, plain, recurrent

from microgradlib import Value, sum as total, tanh
from microgradlib.viz.drawings.collapse import check_collapse
from microgradlib.viz.drawings.detail import MOST_BOXES, make_ladder
from microgradlib.viz.drawings.placing import CELL


def kinds(view):
    return [box.kind for box in view.diagram.boxes if box.id != "totals"]


def titles(diagram):
    return {box.title for box in diagram.boxes}


def tangle(nodes, seed=1):
    """Return the snapshot of a graph without groups whose ops read any of the ops before them."""
    chance = random.Random(seed)
    values = [Value(chance.random(), label=f"a{i}") for i in range(10)]
    while len(values) < nodes:
        a, b = chance.choice(values[-40:]), chance.choice(values[-40:])
        values.append(chance.choice([lambda a=a, b=b: a * b, lambda a=a, b=b: a + b, lambda a=a: tanh(a)])())
    return plain(total(values[-20:]))


@pytest.mark.parametrize(
    "snapshot",
    [batch(1), batch(4), batch(40), batch(1, (4, 8, 3, 1)), batch(1, (25, 20, 10, 1)), recurrent(3), recurrent(40),
     tangle(60), tangle(300)],
    ids=["mlp", "batch of 4", "batch of 40", "iris", "digit", "3 steps", "40 steps", "tangle of 60", "tangle of 300"],
)  # fmt: skip
def test_ordinary_graphs_can_be_read_in_a_cell(snapshot):
    view = make_ladder(snapshot).best
    scale = min(1.0, CELL / (view.layout.width + 32.0))
    assert view.fits
    assert 10.5 * scale >= 9
    assert view.layout.height * scale <= 1200
    assert len(view.diagram.boxes) <= MOST_BOXES + 1  # the box of totals is one more


def test_a_small_network_shows_its_weights_and_a_large_one_closed_layers():
    assert "w.0" in {row.name for box in make_ladder(batch(1)).best.diagram.boxes for row in box.rows}
    large = make_ladder(batch(1, (25, 20, 10, 1))).best
    assert kinds(large).count("closed") == 2
    assert large.diagram.note.startswith("831 nodes in 7 boxes")


def test_a_large_batch_is_drawn_by_its_first_example():
    view = make_ladder(batch(40)).best
    assert [frame.count for frame in view.diagram.frames if frame.title.startswith("example")] == [40]


def test_the_direction_can_be_chosen_or_is():
    ladder = make_ladder(batch(1))
    assert ladder.best.layout.direction in {"right", "down"}
    for direction in ("right", "down"):
        assert make_ladder(batch(1), direction=direction).best.layout.direction == direction


def test_a_small_graph_goes_to_the_right_as_it_is_read():
    a, b, c = (Value(1.0 + k, label=name) for k, name in enumerate("abc"))
    assert make_ladder(plain(tanh(a * b + c))).best.layout.direction == "right"


@pytest.mark.parametrize(
    ("collapse", "groups"),
    [
        ("neuron", {"card": 8, "closed": 0, "table": 0}),
        ("layer", {"card": 2, "closed": 0, "table": 2}),
        ("example", {"card": 0, "closed": 2, "table": 0}),
        (0, {"card": 0, "closed": 0, "table": 0}),
        (1, {"card": 8, "closed": 0, "table": 0}),
        (2, {"card": 2, "closed": 2, "table": 0}),
        (3, {"card": 0, "closed": 2, "table": 0}),
    ],
)
def test_collapse_closes_groups_of_a_kind_or_the_innermost_levels(collapse, groups):
    view = make_ladder(batch(2), collapse=collapse).best
    assert {kind: kinds(view).count(kind) for kind in groups} == groups


def test_blocks_named_after_a_kind_are_closed_too():
    recorder = Recorder()
    x = recorder.leaf(1.0, "x")
    for k in range(2):
        with recorder.scope(f"Layer {k}"):
            x = recorder.note(tanh(recorder.note(x * x)))
    assert kinds(make_ladder(recorder.snapshot(x), collapse="layer").best) == ["input", "closed", "closed"]


def test_everything_open_has_a_box_for_each_node_but_nameless_numbers():
    snapshot = batch(2)
    assert len(make_ladder(snapshot, collapse=0).best.diagram.boxes) == len(snapshot.nodes)


def test_more_boxes_than_max_nodes_collapse_by_themselves():
    snapshot = tangle(250)
    full = make_ladder(snapshot, collapse=0, max_nodes=1000).best
    assert len(full.diagram.boxes) > 120
    few = make_ladder(snapshot, collapse=0, max_nodes=100).best
    assert len(few.diagram.boxes) <= 100
    assert "nodes in" in few.diagram.note


@pytest.mark.parametrize("given", ["layers", "Neuron", "", -1])
def test_other_words_are_errors_that_list_the_words(given):
    with pytest.raises(ValueError, match="'neuron', 'layer', 'step', 'example'"):
        check_collapse(given)


@pytest.mark.parametrize("given", [True, 1.0, ["layer"], object()])
def test_other_types_are_errors(given):
    with pytest.raises(TypeError, match="collapse must be one of"):
        check_collapse(given)


def test_groups_open_and_close_by_their_keys():
    ladder = make_ladder(batch(1))
    card = next(box for box in ladder.best.diagram.boxes if box.title == "neurons.0")
    opened = ladder.diagram(frozenset({card.group}), frozenset())
    assert card.group in {frame.group for frame in opened.frames}
    assert card.group not in {box.group for box in opened.boxes}
    layer = next(frame for frame in ladder.best.diagram.frames if frame.title == "layers.0")
    closed = ladder.diagram(frozenset(), frozenset({layer.group}))
    assert [box.kind for box in closed.boxes if box.group == layer.group] == ["closed"]
    assert ladder.diagram(frozenset(), frozenset()) == ladder.best.diagram


def test_a_closed_group_opens_to_what_is_in_it():
    ladder = make_ladder(batch(1, (25, 20, 10, 1)))
    closed = next(box for box in ladder.best.diagram.boxes if box.title == "layers.1")
    assert {"neurons.0", "neurons.9"} <= titles(ladder.diagram(frozenset({closed.group}), frozenset()))


def test_the_middle_of_a_series_opens():
    ladder = make_ladder(recurrent(40))
    middle = next(box for box in ladder.best.diagram.boxes if box.kind == "elided")
    assert "elided" not in {box.kind for box in ladder.diagram(frozenset({middle.group}), frozenset()).boxes}


@pytest.mark.slow
@pytest.mark.parametrize("snapshot", [tangle(10_000), batch(1, (100, 90, 10, 1)), batch(800), recurrent(1_000)])
def test_ten_thousand_nodes_are_closed(snapshot):
    view = make_ladder(snapshot).best
    assert len(view.diagram.boxes) <= MOST_BOXES


_PROGRAM = """
from scoped_graphs import batch, recurrent
from microgradlib.viz.drawings.detail import make_ladder
print([(view.diagram, view.layout) for view in (make_ladder(graph).best for graph in (batch(4), recurrent(12)))])
"""


@pytest.mark.slow
def test_the_same_graph_gives_the_same_picture_whatever_the_seed_of_hashes():
    common = str(Path(__file__).parents[2] / "common")
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{common}:{Path(__file__).parents[3]}"},
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1
