"""Layers as tables: a row for each neuron, a column for each weight, then z and f(z); values over gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.viz.boxes.diagram import Box, Table
from microgradlib.viz.boxes.labels import relative_name, scope_title
from microgradlib.viz.boxes.sheet import Sheet, Written

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Row


def write_table(sheet: Sheet, place: int) -> Written:
    """Return a layer as a table. An input enters above the column of its weights; an output leaves beside its row."""
    part = sheet.parts[place]
    layer = part.scope
    if layer is None:
        message = "a table needs a layer"
        raise ValueError(message)
    groups, nodes = sheet.structure.groups, sheet.structure.nodes
    columns: list[str] = []
    rows: list[tuple[str, tuple[Row, ...]]] = []
    ports: dict[tuple[int, int], int] = {}
    exits: dict[int, int] = {}
    for child in groups.children[layer]:
        neuron = sheet.structure.absorbed.neurons[child]
        cells: list[Row] = []
        path = (*part.path, layer, child)
        for weight in neuron.weights:
            if weight.edge is not None:
                ports[weight.edge] = len(cells)
            name = relative_name(nodes[weight.parameter].name, path)
            cells.append(sheet.parameter_row(weight.parameter, name, [weight.use]))
        if not columns:
            columns = [cell.name for cell in cells]
            columns += ["z", *(nodes[i].op for i in neuron.functions)]
        cells += [sheet.row(i) for i in (neuron.net_input, *neuron.functions)]
        exits[neuron.result] = len(rows)
        rows.append((scope_title(child, path).rpartition(".")[2], tuple(cells)))
    shares = any(cell.share for _, cells in rows for cell in cells)
    key = groups.keys[layer]
    return Written(
        Box(
            f"g{key}",
            "table",
            title=scope_title(layer, part.path),
            op=layer.formula,
            table=Table(tuple(columns), sum(cell.kind == "parameter" for cell in rows[0][1]), tuple(rows)),
            nodes=part.nodes,
            alike="/".join(str(groups.shapes[scope]) for scope in (*part.path, layer)),
            group=key,
            note="shares" if shares else "",
            tooltip=layer.path if layer.path != layer.name else "",
            output=sheet.has_output(place),
        ),
        ports,
        exits,
    )
