"""The laws of a layout, checked from its rectangles and lines alone, and random diagrams to check them on."""

from itertools import combinations, pairwise, permutations

from hypothesis import strategies as st

from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame
from microgradlib.viz.layout.placement import Rect, Size

EPSILON = 1e-6
NEAR = 0.1
"""Two lines that end no farther apart end in one port."""


def text_width(text):
    return 6.0 * len(text)


@st.composite
def diagrams(draw, most=22):
    """Draw diagrams with nested frames, rows as ports, bars, texts, parallel arrows and boxes without arrows."""
    count = draw(st.integers(0, most))
    frames = []
    for i in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(["", *(frame.id for frame in frames)]))
        title = draw(st.sampled_from(["", "g", "a title of some length"]))
        formula = draw(st.sampled_from(["", "tanh(W x + b)"]))
        frames.append(Frame(f"f{i}", title, formula, parent, count=draw(st.sampled_from([1, 1, 1, 4]))))
    inside = st.sampled_from(["", *(frame.id for frame in frames)])
    boxes, arrows, sizes = [], [], {}
    # Boxes of one frame tend to follow one another, as in real graphs; a run of boxes shares its frame.
    place = ""
    for i in range(count):
        place = draw(inside) if draw(st.integers(0, 2)) == 0 else place
        tails = draw(st.lists(st.integers(max(0, i - 7), i - 1), max_size=4)) if i else []
        kind = (
            "bus"
            if tails and draw(st.integers(0, 9)) == 0
            else "op"
            if tails
            else draw(st.sampled_from(["input", "parameter", "target"]))
        )
        rows = draw(st.integers(0, 3))
        width, height = draw(st.sampled_from([70.0, 80.0, 121.5])), draw(st.sampled_from([30.0, 46.0])) + 17.0 * rows
        ports = tuple(20.0 + 17.0 * row for row in range(rows))
        size = Size(width, height, ports, (20.0, 40.0) if rows == 2 else ())
        boxes.append(Box(f"n{i}", kind, frame=place, alike=draw(st.sampled_from(["", "", "k"]))))
        sizes[f"n{i}"] = size
        for tail in tails:
            port = draw(st.none() | st.integers(0, 3))
            source = draw(st.sampled_from(["", "", "s"]))
            text = draw(st.sampled_from(["", "1", "−0.4824"]))
            exit_row = draw(st.none() | st.integers(0, 1))
            arrows.append(Arrow(f"n{tail}", f"n{i}", text, port=port, source=source, tail_port=exit_row))
    return Diagram(tuple(boxes), tuple(arrows), tuple(frames)), sizes


def turned(rect):
    return Rect(rect.y, rect.x, rect.height, rect.width)


def points_of(route, samples=24):
    """Return points along a route, of its curves by their Bernstein polynomials."""
    points = [route.start]
    for step in route.steps:
        if len(step) == 2:
            points.append(step)
            continue
        corners = [points[-1], step[0:2], step[2:4], step[4:6]]
        for i in range(1, samples + 1):
            t = i / samples
            weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3]
            points.append(tuple(sum(w * corner[k] for w, corner in zip(weights, corners)) for k in (0, 1)))
    return points


def overlap(one, other, slack=EPSILON):
    return (
        one.x + slack < other.x + other.width
        and other.x + slack < one.x + one.width
        and one.y + slack < other.y + other.height
        and other.y + slack < one.y + one.height
    )


def within(inner, outer, slack=EPSILON):
    return (
        outer.x <= inner.x + slack
        and outer.y <= inner.y + slack
        and inner.x + inner.width <= outer.x + outer.width + slack
        and inner.y + inner.height <= outer.y + outer.height + slack
    )


def frames_around(diagram, frame):
    parent = {each.id: each.parent for each in diagram.frames}
    around = []
    while frame:
        around.append(frame)
        frame = parent[frame]
    return around


def passes(points, rect, slack=0.5):
    """Whether a line of points passes the inside of a rectangle (its pieces are short or level)."""
    inner = Rect(rect.x + slack, rect.y + slack, rect.width - 2 * slack, rect.height - 2 * slack)
    for (x0, y0), (x1, y1) in pairwise(points):
        if max(x0, x1) < inner.x or min(x0, x1) > inner.x + inner.width:
            continue
        if max(y0, y1) < inner.y or min(y0, y1) > inner.y + inner.height:
            continue
        for i in range(9):
            x, y = x0 + (x1 - x0) * i / 8, y0 + (y1 - y0) * i / 8
            if inner.x < x < inner.x + inner.width and inner.y < y < inner.y + inner.height:
                return True
    return False


def faults(diagram, sizes, plan, *, foreign=False):
    """Return what is wrong with a layout, one sentence for each fault; `foreign`: lines through foreign frames too."""
    return [
        *box_faults(diagram, sizes, plan),
        *frame_faults(diagram, plan),
        *line_faults(diagram, sizes, plan),
        *text_faults(diagram, plan),
        *(foreign_faults(diagram, plan) if foreign else ()),
    ]


def box_faults(diagram, sizes, plan):
    whole = Rect(0.0, 0.0, plan.width, plan.height)
    if set(plan.boxes) != {box.id for box in diagram.boxes}:
        yield "not every box has a place"
    for box in diagram.boxes:
        rect, size = plan.boxes[box.id], sizes[box.id]
        if box.kind != "bus" and (rect.width < size.width - EPSILON or rect.height < size.height - EPSILON):
            yield f"{box.id} is smaller than its size"
        if not within(rect, whole):
            yield f"{box.id} stands outside the drawing"
    for one, other in combinations(diagram.boxes, 2):
        if overlap(plan.boxes[one.id], plan.boxes[other.id]):
            yield f"{one.id} and {other.id} overlap"
        same = one.alike and one.alike == other.alike and "bus" not in {one.kind, other.kind}
        if same and not lone(diagram, one) and not lone(diagram, other):
            a, b = plan.boxes[one.id], plan.boxes[other.id]
            if (a.width, a.height) != (b.width, b.height):
                yield f"{one.id} and {other.id} are alike but not equally large"


def lone(diagram, box):
    return not box.frame and all(box.id not in {arrow.tail, arrow.head} for arrow in diagram.arrows)


def frame_faults(diagram, plan):
    rects = {name: place.rect for name, place in plan.frames.items()}
    whole = Rect(0.0, 0.0, plan.width, plan.height)
    filled = {around for box in diagram.boxes for around in frames_around(diagram, box.frame)}
    if set(rects) != filled:
        yield "the frames that hold boxes are not the frames that have a place"
    for frame in diagram.frames:
        if frame.id not in rects:
            continue
        if not within(rects[frame.id], rects.get(frame.parent, whole)):
            yield f"{frame.id} is not inside {frame.parent or 'the drawing'}"
        for box in diagram.boxes:
            rect = plan.boxes[box.id]
            inside = frame.id in frames_around(diagram, box.frame)
            if inside and not within(rect, rects[frame.id]):
                yield f"{box.id} is not inside {frame.id}"
            if not inside and overlap(rect, rects[frame.id]):
                yield f"{box.id} overlaps the foreign frame {frame.id}"
    for one, other in combinations([frame for frame in diagram.frames if frame.id in rects], 2):
        nested = one.id in frames_around(diagram, other.id) or other.id in frames_around(diagram, one.id)
        if not nested and overlap(rects[one.id], rects[other.id]):
            yield f"{one.id} and {other.id} overlap"


def line_faults(diagram, sizes, plan):
    """Check in the drawing turned so that arrows go to the right."""
    right = plan.direction == "right"
    rects = {name: rect if right else turned(rect) for name, rect in plan.boxes.items()}
    if [route.arrow for route in plan.routes] != list(diagram.arrows):
        yield "the routes are not those of the arrows in their order"
    for route in plan.routes:
        arrow = route.arrow
        name = f"{arrow.tail} → {arrow.head}"
        points = points_of(route) if right else [(y, x) for x, y in points_of(route)]
        tail, head = rects[arrow.tail], rects[arrow.head]
        if abs(points[0][0] - tail.x - tail.width) > EPSILON or not tail.y < points[0][1] < tail.y + tail.height:
            yield f"{name} does not leave the side of its tail"
        if abs(points[-1][0] - head.x) > EPSILON or not head.y < points[-1][1] < head.y + head.height:
            yield f"{name} does not enter the side of its head"
        if len(route.steps[-1]) != 2 or abs(points[-1][1] - points[-2][1]) > EPSILON:
            yield f"{name} does not end straight"
        if points[-1][0] - points[-2][0] < 7.0:
            yield f"{name} has no room for its arrowhead"
        box = next(box for box in diagram.boxes if box.id == arrow.head)
        ports = () if box.kind == "bus" else sizes[arrow.head].ports
        if (
            arrow.port is not None
            and arrow.port < len(ports)
            and abs(points[-1][1] - head.y - ports[arrow.port]) > NEAR
        ):
            yield f"{name} does not enter at its port"
        if plan.rows == 1 and any(b[0] < a[0] - EPSILON for a, b in pairwise(points)):
            yield f"{name} goes backward"
        for other, rect in rects.items():
            if other not in {arrow.tail, arrow.head} and passes(points, rect):
                yield f"{name} passes through {other}"


def text_faults(diagram, plan):
    texts = [(route.arrow.text, route.text) for route in plan.routes if route.text]
    titles = [(name, place.title) for name, place in plan.frames.items() if place.title.width]
    titles += [(f"{name}'s formula", place.formula) for name, place in plan.frames.items() if place.formula]
    boxes = list(plan.boxes.items())
    for (one, a), (other, b) in combinations([*texts, *titles, *boxes], 2):
        if overlap(a, b) and (one, other) not in combinations([name for name, _ in boxes], 2):
            yield f"{one!r} and {other!r} overlap"
    for name, place in plan.frames.items():
        for rect in (place.title, place.formula):
            if rect and rect.width and not within(rect, place.rect):
                yield f"the title or formula of {name} stands outside its frame"
            for route in plan.routes if rect and rect.width else ():
                if passes(points_of(route), rect):
                    yield f"{route.arrow.tail} → {route.arrow.head} passes through the title or formula of {name}"
    lines = [(route, points_of(route)) for route in plan.routes]
    for (route, _), (other, points) in permutations(lines, 2):
        apart = max(abs(a - b) for a, b in zip(route.end, other.end, strict=True)) > NEAR
        if route.text and apart and passes(points, route.text):
            yield f"{other.arrow.tail} → {other.arrow.head} passes through the text of another line"


def foreign_faults(diagram, plan):
    frame_of = {box.id: box.frame for box in diagram.boxes}
    for route in plan.routes:
        ends = (route.arrow.tail, route.arrow.head)
        near = {frame for end in ends for frame in frames_around(diagram, frame_of[end])}
        for name, place in plan.frames.items():
            if name not in near and passes(points_of(route), place.rect, slack=1.0):
                yield f"{ends[0]} → {ends[1]} passes through the foreign frame {name}"
