"""Programs as JSON has them: operands as space and slots, ops as name and settings; and back, strictly."""

from __future__ import annotations

from typing import Any, Final

from microgradlib._support.saved_json import decode_float, decode_floats, encode_float
from microgradlib._support.shown import shown
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.program import Program
from microgradlib.ops import TABLE, Op

__all__ = ["decode_list", "decode_program", "decode_wholes", "encode", "encode_program", "of_version_1"]

LARGEST: Final = 1 << 53
"""Whole numbers are smaller: up to here JSON's numbers are exact in all languages."""
MOST_SLOTS: Final = 10_000_000
"""So many results may a program of version 1 have, whose files name the first and the number of them alone."""
OLD_KINDS: Final = {"map": "elementwise", "product": "matmul", "reduce": "reduce", "segments": "segment_reduce"}
"""The kinds of instructions by their names in version 1."""


def encode_program(program: Any) -> dict[str, Any]:
    """Return the fields of a program that are saved, as JSON has them."""
    return {name: encode(getattr(program, name)) for name in PROGRAM}


def encode(part: Any) -> Any:
    """Return a part of a program as JSON has it: operands as space and slots, ops as name and settings.

    Raises `TypeError` for a dict with other keys than text.
    """
    if isinstance(part, Operand):
        return [part.space, *part.slots.tolist()]
    if isinstance(part, Op):
        return [part.name, *map(encode_float, part.settings)]
    if isinstance(part, Instruction):
        return {name: encode(getattr(part, name)) for name in INSTRUCTION}
    if isinstance(part, (tuple, list)):
        return list(map(encode, part))
    if isinstance(part, dict):
        return {_key(key): encode(inner) for key, inner in part.items()}
    return encode_float(part) if isinstance(part, float) else part


def _key(key: Any) -> str:
    """Return a key of a dict that the function returns, if JSON has such keys."""
    if not isinstance(key, str):
        message = f"a program that is saved can return dicts with names as keys only, got the key {shown(key)}: name it"
        raise TypeError(message)
    return key


def decode_program(content: Any) -> Program:
    """Return the program of which this is the JSON, whether it can be executed or not. Raises `ValueError`."""
    return Program(**_fields(PROGRAM, content, "the file"))


def decode_list(part: Any) -> list[Any]:
    """Return a list. Raises `ValueError` for anything else."""
    if not isinstance(part, list):
        message = f"{shown(part)} stands in the place of a list"
        raise ValueError(message)  # noqa: TRY004  the file is wrong, not an argument
    return part


def decode_wholes(part: Any) -> tuple[int, ...]:
    """Return a list of whole numbers as a tuple. Raises `ValueError` for other things: 1.0, True and "1" too."""
    numbers = tuple(decode_list(part))
    if not set(map(type, numbers)) <= {int} or (numbers and max(map(abs, numbers)) >= LARGEST):
        raise ValueError("something else than whole numbers stands in a list of them")
    return numbers


def _whole(part: Any) -> int:
    return decode_wholes([part])[0]


def _word(part: Any) -> str:
    if not isinstance(part, str):
        message = f"{shown(part)} stands in the place of a word"
        raise ValueError(message)  # noqa: TRY004
    return part


def _shape(part: Any) -> Any:
    """Return what a function returns, nested lists and objects with None in the place of each number."""
    for inner in part.values() if isinstance(part, dict) else decode_list(part) if part is not None else ():
        _shape(inner)
    return part


def _four(part: Any) -> tuple[int, ...]:
    numbers = decode_wholes(part)
    if len(numbers) != 4:
        raise ValueError("the shape of an instruction is no four numbers")
    return numbers


def _op(words: Any) -> Op:
    name, *settings = decode_list(words) or [None]
    op = TABLE.get(_word(name))
    if op is None:
        message = f"it uses the op {shown(name)}, which is not defined here: define it first (define_op)"
        raise ValueError(message)
    if len(settings) not in {0, op.setting_count}:
        message = f"the op {name} has {op.setting_count} settings, not {len(settings)}"
        raise ValueError(message)
    return op.bind(*map(decode_float, settings)) if settings else op


def _operand(part: Any) -> Operand:
    space, *slots = decode_wholes(part) or (None,)
    if space not in {UNBATCHED, BATCHED} or not slots:
        message = f"an operand names a space, 0 or 1, and slots in it, got {shown(part)}"
        raise ValueError(message)
    return Operand.of(space, slots)


def _argument(part: Any) -> tuple[str, tuple[int, ...]]:
    if len(decode_list(part)) != 2:
        raise ValueError("an argument is no name and lengths of axes")
    return _word(part[0]), decode_wholes(part[1])


def _each(form: Any) -> Any:
    return lambda part: tuple([form(element) for element in decode_list(part)])


def _fields(forms: dict[str, Any], part: Any, what: str) -> dict[str, Any]:
    """Return the fields of an object, each in its form."""
    missing = [name for name in forms if name not in part] if isinstance(part, dict) else list(forms)
    if missing:
        message = f"{what} has no {missing[0]!r}"
        raise ValueError(message)
    return {name: form(part[name]) for name, form in forms.items()}


INSTRUCTION: Final = {
    "kind": _word, "op": _op, "results": _operand, "operands": _each(_operand), "terms": _whole, "shape": _four,
    "counts": decode_wholes,
}  # fmt: skip
"""The fields of an instruction that are saved, with what reads them from JSON."""
PROGRAM: Final = {
    "instructions": _each(lambda record: Instruction(**_fields(INSTRUCTION, record, "an instruction"))),
    "outputs": _each(_operand), "arguments": _each(_argument), "shape": _shape, "input_order": decode_wholes,
    "parameter_order": decode_wholes, "constants": lambda part: tuple(decode_floats(decode_list(part))),
    "constant_slots": decode_wholes, "unbatched_size": _whole, "batched_size": _whole, "ones": decode_wholes,
}  # fmt: skip
"""The same of a program."""
OLD_INSTRUCTION: Final = {
    "kind": _word, "op": lambda part: part, "settings": decode_list, "operands": decode_list, "counts": decode_wholes,
    **dict.fromkeys(("bank", "start", "size", "terms", "rows"), _whole),
}  # fmt: skip
OLD_PROGRAM: Final = {
    "sizes": decode_wholes, "numbers": decode_list, "constants": decode_list, "rows": decode_list,
    "instructions": _each(lambda record: _fields(OLD_INSTRUCTION, record, "an instruction")),
    "result": lambda part: part,
}  # fmt: skip
"""The fields in version 1 that are other ones now."""


def of_version_1(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file of version 1 as later versions have it: a dot with a bias becomes a dot, and a sum.

    Raises `ValueError` for what is not of that form.
    """
    old_program = _fields(OLD_PROGRAM, content, "the file")
    sizes, records = list(old_program["sizes"]), []
    if len(sizes) != 2 or sum([abs(old["size"]) for old in old_program["instructions"]]) > MOST_SLOTS:
        raise ValueError("the sizes are not two, or too large")
    for old in old_program["instructions"]:
        space, start, size, terms, rows = (old[name] for name in ("bank", "start", "size", "terms", "rows"))
        if space not in {UNBATCHED, BATCHED} or old["kind"] not in OLD_KINDS:
            message = f"there is no instruction {shown(old['kind'])} of space {space}"
            raise ValueError(message)
        kind, op, operands = OLD_KINDS[old["kind"]], [old["op"], *old["settings"]], old["operands"]
        results = [space, *range(start, start + size)]
        record = {
            "kind": kind, "op": op, "results": results, "operands": operands, "counts": list(old["counts"]),
            "terms": terms if kind == "reduce" else 1, "shape": [1, rows, terms, size // max(rows, 1)],
        }  # fmt: skip
        if op == ["dot"] and len(operands) == 3:
            product = [space, *range(sizes[space], sizes[space] + size)]
            sizes[space] += size
            records.append({**record, "results": product, "operands": operands[:2]})
            add = {"kind": "elementwise", "op": ["add"], "terms": 1, "counts": []}
            record |= {**add, "operands": [product, operands[2]]}
        records.append(record)
    first, (unbatched, batched) = len(old_program["numbers"]), sizes
    return content | {
        "instructions": records, "shape": old_program["result"], "unbatched_size": unbatched, "batched_size": batched,
        "arguments": [[f"x{i}", shape] for i, shape in enumerate(old_program["rows"])],
        "constant_slots": list(range(first, first + len(old_program["constants"]))),
    }  # fmt: skip
