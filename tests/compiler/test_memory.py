"""Memory: pieces that serve again and never two at once, and how much of it all arrays of one batch take together."""

import functools
import types

import numpy as np
import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.binding import Binding
from microgradlib.compiler.in_place import in_place
from microgradlib.compiler.instructions import BATCH, Instruction, Operand
from microgradlib.compiler.memory import Memory
from microgradlib.compiler.program import Program
from microgradlib.ops import Op

SIZE = 64
MOST = 3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_array_of_the_shape_and_the_piece_that_it_lies_in(dtype):
    array, piece = Memory(np.dtype(dtype)).take((2, 3, 4))
    assert (array.shape, array.dtype, piece.shape) == ((2, 3, 4), dtype, (24,))
    array[...] = np.arange(24).reshape(2, 3, 4)
    assert piece.tolist() == list(range(24))


def test_what_is_given_back_is_taken_again_the_last_first():
    memory = Memory(float)
    pieces = [memory.take((6,))[1] for _ in range(3)]
    assert len({id(piece) for piece in pieces}) == 3
    for k in (1, 0, 2):
        memory.give_back(pieces[k])
    assert [memory.take((2, 3))[1] is pieces[k] for k in (2, 0, 1)] == [True, True, True]
    assert not any(memory.take((6,))[1] is piece for piece in pieces)


@pytest.mark.parametrize(("size", "again"), [(1, False), (2, False), (3, True), (10, True), (11, False)])
def test_a_piece_of_ten_serves_what_needs_three_to_ten(size, again):
    memory = Memory(float)
    piece = memory.take((10,))[1]
    memory.give_back(piece)
    array, taken = memory.take((size,))
    assert (taken is piece, array.shape) == (again, (size,))


def test_the_last_that_fits_is_taken_whatever_lies_before_it():
    memory = Memory(float)
    small, large, huge = [memory.take((n,))[1] for n in (4, 6, 100)]
    for piece in (small, large, huge):
        memory.give_back(piece)
    assert memory.take((4,))[1] is large
    assert memory.take((4,))[1] is small
    assert memory.take((50,))[1] is huge


def test_what_is_no_piece_is_left_alone():
    memory = Memory(float)
    piece = memory.take((4,))[1]
    for other in (np.zeros(4), piece[:], piece.reshape(2, 2), None):
        memory.give_back(other)
        taken = memory.take((4,))[1]
        assert taken is not other
        assert taken is not piece


def test_all_are_free_again():
    memory = Memory(float)
    pieces = [memory.take((4,))[1] for _ in range(3)]
    memory.give_back(pieces[1])
    memory.free_all()
    again = [memory.take((4,))[1] for _ in range(3)]
    assert {id(piece) for piece in again} == {id(piece) for piece in pieces}
    assert id(memory.take((4,))[1]) not in map(id, pieces)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.integers(0, 5)), max_size=30))
def test_arrays_in_use_never_share_memory(calls):
    memory, used = Memory(float), {}
    for number, (gives_back, size, which) in enumerate(calls):
        if gives_back and used:
            memory.give_back(used.pop(list(used)[which % len(used)])[1])
        else:
            used[number] = memory.take((size,))
            used[number][0][...] = number
        assert all((array == mark).all() for mark, (array, _) in used.items())


def arrays_of(thing):
    """Return the arrays that own all numbers in reach: of attributes, lists and steps' arguments, each once.

    A view counts as the whole array it is a view of. What describes the program, and not its numbers, is left out.
    """
    found, seen, waiting = {}, {}, [thing]
    while waiting:
        part = waiting.pop()
        described = (Program, Instruction, Operand, Op, type, types.ModuleType, str, int, float)
        if id(part) in seen or isinstance(part, described):
            continue
        seen[id(part)] = part  # kept, so that no other gets its id
        if isinstance(part, np.ndarray):
            while getattr(part, "base", None) is not None:
                part = part.base
            found[id(part)] = part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple, set, frozenset)):
            waiting += part
        elif isinstance(part, functools.partial):
            waiting += [part.func, *part.args, *part.keywords.values()]
        elif isinstance(part, types.FunctionType):
            waiting += [cell.cell_contents for cell in part.__closure__ or ()]
        else:
            waiting += [getattr(part, "__self__", None), *getattr(part, "__dict__", {}).values()]
    return list(found.values())


class LastStep(nn.Module):
    def __init__(self):
        self.lstm, self.out = nn.LSTM(4, 8, rng=0), nn.Layer(8, 1, "linear", rng=0)

    def __call__(self, xs):
        return self.out(self.lstm(xs)[0][-1])


def mlp():
    model = nn.MLP(8, [32, 32, 1], rng=0)
    return lambda x, y: (model(x) - y) ** 2, model.parameters(), (8,), ()


def lstm():
    model = LastStep()
    return lambda xs, y: (model(xs) - y) ** 2, model.parameters(), (6, 4), ()


def attention():
    model = nn.CausalSelfAttention(8, heads=2, rng=0)
    return lambda xs: mg.sum([mg.tanh(v) for row in model(xs) for v in row]), model.parameters(), (6, 8)


def bound(function, parameters, *shapes):
    """Return a program of a function, and a binding as its gradients are computed with, that has been run."""
    rng = np.random.default_rng(0)
    columns = [rng.uniform(-1, 1, (SIZE, *shape)) for shape in shapes]
    fast = compiled(function, parameters)
    _, gradient = fast.value_and_grad(*columns)
    binding = Binding(in_place(fast.program), SIZE, float, gradients="parameters")
    binding.gradients.arrays[BATCH][...] = np.pi  # where nothing is written over it, no memory is used
    numbers = np.array([p.data for p in parameters])
    binding.run(numbers, [column.reshape(SIZE, -1) if column.ndim > 1 else column for column in columns])
    np.testing.assert_allclose(binding.run_backward(), gradient, rtol=1e-12, atol=1e-15)
    return fast.program, binding


def bytes_of(binding):
    """Return the bytes of all arrays, but of the gradients' own only of those slots that the run wrote to."""
    gradients = binding.gradients.arrays[BATCH]
    untouched = (gradients == np.pi).all(axis=1).sum() * gradients.strides[0]
    return sum(array.nbytes for array in arrays_of(binding)) - untouched


@pytest.mark.parametrize("model", [mlp, lstm, attention])
def test_all_arrays_are_at_most_three_times_the_numbers_of_the_program(model):
    program, binding = bound(*model())
    assert bytes_of(binding) <= MOST * program.batch_size * SIZE * 8


@pytest.mark.parametrize("model", [mlp, lstm, attention])
def test_no_array_is_overlooked(model):
    """Not the numbers or their gradients, and not one more, whichever way a step or an attribute holds it."""
    program, binding = bound(*model())
    owned = {id(array) for array in arrays_of(binding)}
    assert {id(array) for array in [*binding.banks.numbers, *binding.gradients.arrays]} <= owned
    before, more = bytes_of(binding), np.zeros((MOST * program.batch_size, SIZE))
    for forward, backward, attributes in (
        ([(np.copyto, (more[:1], more[1:2]))], [], {}),
        ([], [(functools.partial(np.maximum, out=more[:1].T), ())], {}),
        ([(more[2:4].take, ([0],))], [], {}),
        ([], [(lambda: more, ())], {}),
        ([], [], {"kept": {"of it": [more.reshape(-1)[::2]]}}),
    ):
        binding.more = forward, backward, types.SimpleNamespace(**attributes)
        assert bytes_of(binding) == before + more.nbytes > MOST * program.batch_size * SIZE * 8
