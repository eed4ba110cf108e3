"""The reference engine: structural zeros stop inf and nan, computed ones do not, in programs written by hand too."""

import math

import numpy as np
import pytest
from edge_cases import CASES

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines.reference import ReferenceEngine
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.core.autodiff import grad_table, gradients
from microgradlib.ops import TABLE

INF = math.inf


def batched(*slots):
    return Operand.of(BATCHED, slots)


def program(instructions, outputs, inputs, size, **fields):
    return ProgramData(
        tuple(instructions), tuple(map(batched, outputs)), [None] * len(outputs), tuple(range(inputs)), (), (), (), 4,
        size, **fields,
    )  # fmt: skip


def run(given, *columns, seeds=()):
    engine = ReferenceEngine(given, float)
    outputs, cotangents = engine.execute(given, np.array([]), [np.array(columns).T], seeds)
    return outputs.tolist(), [found.tolist() for found in cotangents]


def test_padding_stops_infinities_and_a_number_0_does_not():
    product = Instruction(
        "matmul", TABLE["dot"], batched(4, 5), (batched(0, 1, 2, NOT_REACHED), batched(3, 3)), shape=(1, 2, 2, 1)
    )
    for columns, expected in [
        (([2.0], [3.0], [5.0], [7.0]), [35.0, 35.0]),
        (([2.0], [0.0], [5.0], [INF]), [math.nan, INF]),
    ]:
        [[first], [second]], _ = run(program([product], [4, 5], 4, 6), *columns)
        np.testing.assert_equal([first, second], expected)


def test_what_no_cotangent_reaches_is_left_out_of_sums_and_products():
    zero = batched(NOT_REACHED)
    instructions = [
        Instruction("elementwise", TABLE["add"], batched(1), (zero, batched(0))),
        Instruction("elementwise", TABLE["mul"], batched(2), (zero, batched(0))),
        Instruction("reduce", TABLE["sum"], batched(3), (batched(2, 0, NOT_REACHED),), terms=3),
        Instruction("reduce", TABLE["dot"], batched(4), (batched(NOT_REACHED, 0), batched(0, 0)), terms=2),
        Instruction("elementwise", TABLE["neg"], batched(5), (zero,)),
    ]
    outputs, _ = run(program(instructions, [1, 2, 3, 4, 5], 1, 6), [INF, 3.0])
    np.testing.assert_equal(outputs, [[INF, 3.0], [0.0, 0.0], [INF, 3.0], [INF, 9.0], [0.0, 0.0]])


def test_a_seed_of_0_reaches_nothing():
    square = Instruction("elementwise", TABLE["mul"], batched(1), (batched(0), batched(0)))
    adjoint = Instruction("elementwise", TABLE["mul"], batched(3), (batched(2), batched(0)), wrt=0, reads=(2,))
    given = program([square, adjoint], [1], 1, 4, seeds=(batched(2),), cotangents=(batched(3),), forward=1)
    _, [cotangents] = run(given, [INF, INF], seeds=(np.array([[0.0, 1.0]]),))
    assert cotangents == [[0.0, INF]]


@pytest.mark.parametrize(
    ("width", "counts", "expected"), [(1, (2, 1, 3), [1, 2, 12]), (2, (1, 2), [0, 1, 6, 8]), (3, (2,), [3, 5, 7])]
)
def test_segments_of_runs_of_numbers(width, counts, expected):
    size = len(expected)
    instruction = Instruction(
        "segment_reduce", TABLE["sum"], batched(*range(6, 6 + size)), (batched(*range(6)),), counts=counts, width=width
    )
    outputs, _ = run(program([instruction], range(6, 6 + size), 6, 6 + size), *[[float(i)] for i in range(6)])
    assert [output for [output] in outputs] == expected


def test_a_sum_over_the_batch():
    total = Instruction("reduce", TABLE["sum"], Operand.of(UNBATCHED, [0]), (batched(0),))
    _, [cotangents] = run(
        program([total], [0], 1, 1, cotangents=(Operand.of(UNBATCHED, [0, NOT_REACHED]),)), [1.0, 2.0, 4.0]
    )
    assert cotangents == [7.0, 0.0]


@pytest.mark.parametrize("trap", CASES, ids=[c.name for c in CASES])
def test_edge_cases_to_the_second_derivative(trap):
    parameters = [Value(x) for x in trap.at]
    fast = compiled(lambda x: trap.f(*parameters), parameters, backend="reference")
    output = trap.f(*parameters)
    table = grad_table(output)
    np.testing.assert_array_equal(fast.value_and_grad([0.0])[1], [table.get(p, 0.0) for p in parameters])
    slopes = [grad_table(slope) if isinstance(slope, Value) else {} for slope in gradients(output, parameters)]
    expected = [[slope.get(p, 0.0) for p in parameters] for slope in slopes]
    np.testing.assert_allclose(fast.hessian([0.0]).tolist(), expected, rtol=1e-13)


def test_modes_do_not_reach_into_second_derivatives():
    w = Value(3.0)
    fast = compiled(lambda x: w**3 * x, [w], backend="reference")
    with mg.no_grad():
        assert fast.hessian([1.0]).tolist() == [[18.0]]
