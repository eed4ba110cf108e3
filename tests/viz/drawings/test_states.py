"""States of groups that open and close: what a click leads to, back again, and how many states there are at most."""

from __future__ import annotations

from dataclasses import dataclass, field

from microgradlib import Value, draw, nn
from microgradlib.viz.boxes.diagram import Box, Diagram, Frame
from microgradlib.viz.drawings.placing import place
from microgradlib.viz.drawings.states import GraphCanvas, reachable
from microgradlib.viz.painting.scene import Scene


@dataclass
class Groups:
    """Some groups of `size` boxes each; closed ones are one box. They are closed at first."""

    count: int
    size: int = 2
    asked: list[tuple[frozenset[str], frozenset[str]]] = field(default_factory=list)

    def diagram(self, opened: frozenset[str], closed: frozenset[str]) -> Diagram:
        self.asked.append((opened, closed))
        boxes: list[Box] = []
        frames = []
        for k in range(self.count):
            group = f"s{k}"
            if group in opened:
                frames.append(Frame(f"f{k}", group, group=group))
                boxes += [Box(f"b{k}_{i}", "op", frame=f"f{k}") for i in range(self.size)]
            else:
                boxes.append(Box(f"b{k}", "closed", group=group))
        return Diagram(tuple(boxes), (), tuple(frames))

    def scene(self, diagram: Diagram) -> Scene:
        return Scene(diagram, place(diagram, "right"))

    def states(self) -> tuple[list[GraphCanvas], list[dict[str, int]]]:
        first = GraphCanvas(self.scene(self.diagram(frozenset(), frozenset())))
        canvases, moves = reachable(first, self)
        assert all(isinstance(canvas, GraphCanvas) for canvas in canvases)
        return [canvas for canvas in canvases if isinstance(canvas, GraphCanvas)], moves


def open_groups(canvas: GraphCanvas) -> set[str]:
    return {frame.group for frame in canvas.scene.diagram.frames}


def test_every_state_of_a_few_groups_is_reached_and_each_click_changes_one_group() -> None:
    canvases, moves = Groups(3).states()
    assert len(canvases) == 8
    for canvas, targets in zip(canvases, moves, strict=True):
        assert set(targets) == {"s0", "s1", "s2"}
        for group, target in targets.items():
            assert open_groups(canvas) ^ open_groups(canvases[target]) == {group}
            assert moves[target][group] == canvases.index(canvas)  # a second click undoes the first


def test_buttons_say_what_is_open() -> None:
    canvases, _ = Groups(2).states()
    for canvas in canvases:
        assert {group for group, opened in canvas.buttons if opened} == open_groups(canvas)
        assert len(canvas.buttons) == 2


def test_the_number_of_states_is_bounded_and_each_group_still_opens() -> None:
    canvases, moves = Groups(12).states()
    assert len(canvases) <= 20
    for group, target in moves[0].items():
        assert open_groups(canvases[target]) == {group}
    assert len(moves[0]) == 12
    assert all(target < len(canvases) for targets in moves for target in targets.values())
    for canvas, targets in zip(canvases, moves, strict=True):  # beyond the bound a click may close others
        assert set(targets) >= set(moves[0])
        for group, target in targets.items():
            assert (group in open_groups(canvas)) != (group in open_groups(canvases[target]))


def test_large_groups_are_not_laid_out_without_end() -> None:
    groups = Groups(6, size=100)
    canvases, _ = groups.states()
    assert len(canvases) <= 7


def test_a_group_that_nothing_changes_is_no_button() -> None:
    class Fixed(Groups):
        def diagram(self, opened: frozenset[str], closed: frozenset[str]) -> Diagram:
            del opened, closed
            return super().diagram(frozenset(), frozenset())

    canvases, moves = Fixed(2).states()
    assert len(canvases) == 1
    assert moves == [{}]
    assert canvases[0].buttons == ()


def test_a_graph_without_groups_has_one_state() -> None:
    x = Value(1.0)
    html = draw(x.tanh()).html
    assert "script" not in html
    assert "mg-button" not in html


def test_layers_of_a_network_open_and_close() -> None:
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    html = draw((model([0.5, -1.0]) - 1.0) ** 2).html
    assert 'aria-label="layers.0: open"' in html
    assert html.count("<script>") == 1
    assert len(html) < 250_000
