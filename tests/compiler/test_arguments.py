"""What a call is given: rows as columns, parameters as one array; and what is said of anything else."""

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler.arguments import Parameters, columns_of, rounded, signs_of

F64, F32 = np.dtype(float), np.dtype("float32")


class Table(np.ndarray):
    """An array of another class."""


def test_an_array_in_the_precision_of_the_program_is_taken_as_it_is():
    array = np.array([1.0, 2.0])
    [column], shapes = columns_of((array,), F64)
    assert column is array
    assert shapes == ((),)
    assert rounded(array, F64) is array
    assert columns_of((array,), F32)[0][0].dtype == F32
    assert type(columns_of((np.zeros(2).view(Table),), F64)[0][0]) is np.ndarray


@pytest.mark.parametrize(
    ("given", "numbers", "shape"),
    [
        ([1, 2], [1.0, 2.0], ()),
        ([[True], [False]], [[1.0], [0.0]], (1,)),
        (np.array([3, 4], "uint8"), [3.0, 4.0], ()),
        ([2**64, 1], [2.0**64, 1.0], ()),
        (np.zeros((2, 3, 4)), [[0.0] * 12] * 2, (3, 4)),
        (np.zeros((1, 2, 1, 2)), [[0.0] * 4], (2, 1, 2)),
    ],
)
def test_numbers_of_any_kind_and_shape(given, numbers, shape):
    for dtype in (F64, F32):
        [column], shapes = columns_of((given,), dtype)
        assert (column.tolist(), column.dtype, shapes) == (numbers, dtype, (shape,))


def test_rows_of_several_arguments_have_shapes_of_their_own():
    columns, shapes = columns_of(([1.0, 2.0], np.ones((2, 3)), [[[0.0]], [[1.0]]]), F64)
    assert [column.shape for column in columns] == [(2,), (2, 3), (2, 1)]
    assert shapes == ((), (3,), (1, 1))


def test_overflow_is_infinite_without_a_warning():
    assert rounded(np.array([1e300, -1e300, 1.0]), F32).tolist() == [np.inf, -np.inf, 1.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((), TypeError, "a compiled function is called with the arrays or lists of a batch, but got no argument"),
        ((1.0,), ValueError, "first axis is the batch, got a single number: for a batch of one example write [x]"),
        (([1.0], 2.0), ValueError, "got a single number"),
        (([1.0, 2.0], [1.0]), ValueError, "the arguments hold [2, 1] examples: give equally many, at least one"),
        (([], []), ValueError, "the arguments hold [0, 0] examples: give equally many, at least one"),
        (([1.0], ["a"]), TypeError, "argument 1 is no array of numbers: some of its entries are of another kind, 'a'"),
        ((np.array([3, 2.5], object),), TypeError, "one of objects: give array.astype(float)"),
        (([1j],), TypeError, "argument 0 is no array of numbers: some of its entries are of another kind, 1j"),
        (([None, 2.0],), TypeError, "are of another kind, None"),
        (
            ([1.0, True, Value(3.0, label="w")],),
            TypeError,
            "of another kind, Value(data=3.0, grad=0.0, label='w'); of a Value pass its data",
        ),
        (([[1.0, 2.0], [3.0]],), ValueError, "its rows differ in length, 1, 2. Pad them to one length"),
        (([[1.0], 2.0, [3.0] * 4],), ValueError, "differ in length, 1, 4. Pad"),
        (([[0.0] * k for k in (3, 1, 2)],), ValueError, "differ in length, 1, 2, 3. Pad"),
        (([[0.0] * k for k in (4, 1, 2, 3)],), ValueError, "differ in length, 1, 2, 3, 4. Pad"),
        (([[0.0] * k for k in (9, 1, 2, 3, 4)],), ValueError, "differ in length, 1, 2, 3, …, 9. Pad"),
        (([[[1.0], [1.0, 2.0]], [[1.0], [2.0]]],), ValueError, "its rows differ in length. Pad"),
        ((np.ma.masked_array([1.0, 2.0], [True, False]),), TypeError, "argument 0 is a masked array"),
    ],
)
def test_what_is_no_batch_is_refused_in_words(arguments, error, message):
    with pytest.raises(error) as raised:
        columns_of(arguments, F64)
    assert message in str(raised.value)
    assert ("of a Value" in str(raised.value)) == ("Value" in message)


def test_signs_are_those_of_arrays_that_can_be_taken_in_the_same_way():
    one = np.zeros((2, 3))
    assert signs_of(one) == signs_of(np.ones((2, 3))) == (np.ndarray, F64, (2, 3))
    others = (np.zeros((3, 2)), np.zeros((2, 3), F32), one.view(Table))
    assert all(signs_of(other) != signs_of(one) for other in others)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("ab", "parameters are a list of Values, as model.parameters() gives it, got 'ab'"),
        ({}, "parameters are a list of Values, as model.parameters() gives it, got {}"),
        (3.0, "parameters are a list of Values, as model.parameters() gives it, got 3.0"),
        ([1.0], "parameters are leaf Values, as model.parameters() gives them, got 1.0"),
        ([Value(1.0), Value(1.0) * 2], "parameters are leaf Values, as model.parameters() gives them, got Value("),
    ],
)
def test_what_are_no_parameters_is_refused_in_words(parameters, words):
    with pytest.raises(TypeError) as raised:
        Parameters(parameters)
    assert words in str(raised.value)


def test_one_value_is_a_list_of_one():
    w = Value(2.0, label="w")
    parameters = Parameters(w)
    assert (parameters.listed, parameters.distinct, parameters.names) == ([w], [w], ("w",))


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["w", "b"], ("w", "b")),
        (["w", "w"], ()),
        (["w", "not a name"], ()),
        (["w", ""], ()),
        ([], ()),
    ],
)
def test_labels_are_names_if_they_tell_all_apart(labels, names):
    assert Parameters([Value(1.0, label=label) for label in labels]).names == names


def test_names_of_a_module_are_those_of_its_distinct_parameters():
    model = mg.nn.MLP(1, [2, 1], rng=0)
    parameters = Parameters(model.parameters())
    assert parameters.names == tuple(model.parameters().names)
    assert parameters.places == slice(len(parameters.listed))


W, B, C = Value(2.0), Value(3.0), Value(5.0)


def test_numbers_are_the_values_own_at_each_call_and_those_of_others_behind():
    parameters = Parameters([W, B, W])
    assert parameters.places == [0, 1, 0]
    for dtype in (F64, F32):
        found = parameters.numbers((C, W), dtype)
        assert (found.tolist(), found.dtype) == ([2.0, 3.0, 5.0, 2.0], dtype)
    changed = Value(1.0)
    found = Parameters([changed])
    changed.data = 7.0
    assert found.numbers((), F64).tolist() == [7.0]


@pytest.mark.parametrize("kind", [float, "float32", int])
@pytest.mark.parametrize("dtype", [F64, F32])
def test_numbers_of_an_array_are_in_the_order_of_the_list(kind, dtype):
    parameters, array = Parameters([W, B, W]), np.array([7, 8, 7], kind)
    parameters.set(array)
    for captured, more in (((), []), ((C,), [5.0])):
        found = parameters.numbers(captured, dtype)
        assert (found.tolist(), found.dtype) == ([7.0, 8.0, *more], dtype)
    array[1] = 9
    assert parameters.numbers((), dtype).tolist() == [7.0, 9.0]
    parameters.set(None)
    assert parameters.numbers((), dtype).tolist() == [2.0, 3.0]


def test_an_array_of_parameters_that_are_all_different_is_not_copied():
    parameters, array = Parameters([W, B]), np.array([7.0, 8.0])
    parameters.set(array)
    assert parameters.numbers((), F64) is array
    for dtype in (F64, F32):
        parameters.set([7, 8])
        assert parameters.numbers((), dtype).dtype == dtype
        assert parameters.numbers((C,), dtype).tolist() == [7.0, 8.0, 5.0]


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        ([1.0], ValueError, "there are 3 parameters, got an array of shape (1,)"),
        (np.zeros((3, 1)), ValueError, "there are 3 parameters, got an array of shape (3, 1)"),
        (["a"] * 3, TypeError, "give an array of real numbers, one for each parameter, got dtype <U1"),
        ([1j] * 3, TypeError, "give an array of real numbers, one for each parameter, got dtype complex128"),
    ],
)
def test_an_array_that_does_not_fit_is_refused_and_changes_nothing(array, error, words):
    parameters = Parameters([W, B, W])
    parameters.set([1.0, 2.0, 1.0])
    with pytest.raises(error) as raised:
        parameters.set(array)
    assert str(raised.value) == words
    assert parameters.numbers((), F64).tolist() == [1.0, 2.0]


def test_checked_numbers_are_an_array():
    for numbers in ([1, 2], np.array([True, False]), (1.0, 2.0)):
        found = Parameters([W, B]).checked(numbers, "a vector")
        assert isinstance(found, np.ndarray)
        assert found.tolist() == list(numbers)
