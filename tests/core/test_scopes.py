"""Scopes: what calls and blocks leave behind for drawings, and that it dies with the nodes."""

import copy
import gc
import pickle
import threading
import weakref

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, no_grad, scope
from microgradlib.core.modes import MODES_IN_USE, current_mode
from microgradlib.core.nested import nodes_in
from microgradlib.core.recorded_calls import RecordedCalls, recorded
from microgradlib.core.scopes import MARKS, Block, Call, Function, calls_of_many, last_call, marks_of, name_number
from microgradlib.costs import cross_entropy, squared_error
from microgradlib.nn import MLP, Layer, LSTMCell, Module, Neuron, Sequential, functional_call


@pytest.fixture(autouse=True)
def no_marks_are_left():
    before = len(MARKS)
    yield
    if len(MARKS) > before:  # what is left may be in circles
        gc.collect()
    assert len(MARKS) <= before


def calls_of(node):
    return [record for record in marks_of(node) if isinstance(record, Call)]


def blocks_of(node):
    return [record.name for record in marks_of(node) if isinstance(record, Block)]


class Twice(Module):
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x, *, factor=2.0):
        return self.inner(x) * factor


class Both(Module):
    def __call__(self, x):
        return [v * 2 for v in x], [v * 3 for v in x]


# blocks


def test_nodes_of_ops_made_in_a_block_are_marked_and_others_are_not():
    x = Value(3.0)
    before = x * x
    with scope("square", formula="x²"):
        inside, leaf = x * x, Value(1.0)
    after = x * x
    assert [blocks_of(node) for node in (before, inside, leaf, after)] == [[], ["square"], [], []]
    [block] = marks_of(inside)
    assert (block.formula, block.parent) == ("x²", None)


def test_blocks_nest_and_each_entry_is_a_scope_of_its_own():
    x, inner = Value(3.0), []
    for k in range(2):
        with scope("outer"), scope(f"example {k}"):
            inner.append(x + k)
    blocks = [marks_of(node)[0] for node in inner]
    assert [block.name for block in blocks] == ["example 0", "example 1"]
    assert blocks[0].parent.name == blocks[1].parent.name == "outer"
    assert blocks[0].parent is not blocks[1].parent


def test_as_a_decorator_each_call_is_an_entry():
    @scope("square", formula="x²")
    def square(x):
        return x * x

    x = Value(3.0)
    first, second = square(x), square(x)
    assert blocks_of(first) == blocks_of(second) == ["square"]
    assert marks_of(first) != marks_of(second)


def test_a_scope_may_be_entered_again_and_in_itself():
    block, x = scope("block"), Value(1.0)
    with block:
        y = x * 2
        with block:
            z = y * 3
    with block:
        w = z * 4
    records = [marks_of(node)[0] for node in (y, z, w)]
    assert [record.name for record in records] == ["block"] * 3
    assert [record.parent for record in records] == [None, records[0], None]
    assert len({*records}) == 3
    assert current_mode() is None


def test_a_scope_ends_with_its_block_by_an_exception_too():
    with pytest.raises(ZeroDivisionError), scope("broken"):
        raise ZeroDivisionError
    assert current_mode() is None
    assert blocks_of(Value(1.0) + 1) == []
    gc.collect()
    assert not MODES_IN_USE


def test_other_threads_do_not_see_a_scope():
    x, made = Value(3.0), []
    with scope("here"):
        thread = threading.Thread(target=lambda: made.append(x * x))
        thread.start()
        thread.join()
    assert blocks_of(made[0]) == []


def test_every_op_is_marked_in_a_block():
    x, y = Value(0.5), Value(0.25)
    with scope("all"):
        made = [
            x + y,
            2 - x,
            x**2,
            x.tanh(),
            mg.exp(x),
            mg.sum([x, y]),
            mg.dot([x], [y]),
            abs(x),
            mg.where(x > 0, x, y),
        ]
        symbol = Symbol("s") * 2
    assert all(blocks_of(node) == ["all"] for node in [*made, symbol])


def test_results_without_history_are_in_no_scope():
    with scope("constant"), no_grad():
        result = Value(3.0) * 2
    assert marks_of(result) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "the name of a scope is text, .* got 3"),
        (("",), ValueError, "a scope needs a name"),
        ((" ",), ValueError, "a scope needs a name"),
        (("f", 3), TypeError, "the formula of a scope is text, .* got 3"),
    ],
)
def test_names_and_formulas_are_checked_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        scope(*arguments)


# calls


def test_a_call_records_its_module_inputs_and_outputs():
    model, x = MLP(2, [3, 2], rng=0), [Value(1.0), Value(2.0)]
    outputs = model(x)
    for output in outputs:
        [call] = calls_of(output)
        assert call.module is model
        assert call.inputs == tuple(x)
        assert [reference() for reference in call.outputs] == outputs
        assert call.begin < call.end
    assert last_call(model) == calls_of(outputs[0])[0]


def test_inner_calls_are_inside_outer_ones():
    net = Twice(Twice(Neuron(1, rng=0)))
    output = net([2.0])
    [outer], [inner] = calls_of(output), calls_of(output.parents[0])
    assert outer.begin < inner.begin < inner.end < outer.end
    assert (outer.module, inner.module) == (net, net.inner)


def test_units_leave_no_record_as_the_graph_tells_them():
    outputs = [
        Neuron(1, "tanh", rng=0)([1.0]),
        *Layer(1, 2, "tanh", rng=0)([1.0]),
        mg.nn.RNNCell(1, 1, rng=0)([1.0])[0],
    ]
    assert all(marks_of(node) == [] for node in outputs)


def test_a_cost_records_a_function():
    y_hat = Value(2.0)
    [call] = calls_of(squared_error(y_hat, 1.0))
    assert isinstance(call.source, Function)
    assert (call.source.name, call.source.target, call.inputs) == ("squared error", ("sub", 1), (y_hat,))
    assert call.module is None


def test_numbers_leave_no_record():
    assert squared_error(2.0, 1.0) == 0.5
    with no_grad():
        assert calls_of(MLP(1, [2, 1], rng=0)([1.0])) == []


def test_many_outputs_are_found_from_the_first_and_the_last():
    hidden, cells = Both()([Value(1.0), Value(2.0), Value(3.0)])
    [call] = calls_of(hidden[0])
    assert [reference() for reference in call.outputs] == [*hidden, *cells]
    assert calls_of(cells[-1]) == [call]
    assert calls_of(hidden[1]) == []
    assert call in calls_of_many()


def test_a_gated_cell_tells_its_results_by_its_gates():
    cell = LSTMCell(1, 3, rng=0)
    hidden, cells = cell([1.0])
    [call], [same] = calls_of(hidden[0]), calls_of(cells[-1])
    assert (call.begin, call.module) == (same.begin, cell)
    assert len(call.inside) == 4 * 3
    assert calls_of(hidden[1]) == []


def test_a_module_that_returns_the_same_node_again_is_recorded_once():
    class Cached(Module):
        def __init__(self):
            self.result = Value(1.0) * 2

        def __call__(self, x):
            return self.result

    module = Cached()
    for _ in range(100):
        module(1.0)
    assert len(marks_of(module.result)) == 1


def test_a_call_of_the_base_class_is_recorded_once():
    class Own(Twice):
        def __call__(self, x):
            return super().__call__(x)

    assert len(calls_of(Own(Neuron(1, rng=0))([1.0]))) == 1


def test_arguments_and_documentation_of_a_call_stay():
    net = Twice(Neuron(1, "linear", init="zeros"))
    assert net([1.0], factor=3.0).parents[1].data == 3.0
    assert MLP.__call__.__doc__.startswith("Return the output")
    assert Twice.__call__.__name__ == "__call__"


def test_exceptions_in_a_call_leave_nothing():
    class Broken(Module):
        def __call__(self, x):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken()(Value(1.0))


def test_generators_as_modules_work_unrecorded():
    class Steps(Module):
        def __call__(self, x):
            yield x * 2
            yield x * 3

    assert [node.data for node in Steps()(Value(1.0))] == [2.0, 3.0]


def test_a_class_with_options_of_its_own_can_be_a_module():
    class Base:
        def __init_subclass__(cls, *, tag="", **options):
            super().__init_subclass__(**options)
            cls.tag = tag

    class Tagged(Module, Base, tag="a"):
        def __call__(self, x):
            return x * 2

    assert Tagged.tag == "a"
    assert len(calls_of(Tagged()(Value(1.0)))) == 1


# lifetimes


def test_records_die_with_the_graph_by_reference_counting():
    model = Sequential(MLP(2, [3, 2], rng=0), Layer(2, 2, rng=1))
    gc.disable()
    try:
        before = len(MARKS)
        loss = cross_entropy(model([Value(1.0), 2.0]), 1)
        node = weakref.ref(loss.parents[0])
        assert len(MARKS) > before
        del loss
        assert node() is None
        assert len(MARKS) == before
    finally:
        gc.enable()


def test_a_loop_of_calls_leaves_no_records():
    model, x = MLP(1, [2, 1], rng=0), Value(1.0)
    before = len(MARKS)
    for _ in range(1000):
        loss = squared_error(model([x]), 1.0)
    assert len(MARKS) <= before + 4
    del loss


def test_a_module_that_stores_its_outputs_is_not_kept_alive_by_records():
    class Remembering(Module):
        def __init__(self):
            self.layer = Layer(1, 2, rng=0)

        def __call__(self, x):
            self.out = [h * 2 for h in self.layer(x)]
            return self.out

    module = Remembering()
    module([1.0])
    module_died = weakref.ref(module)
    del module
    gc.collect()
    assert module_died() is None


@pytest.mark.parametrize("make", [lambda: MLP(1, [2, 1], rng=0), lambda: LSTMCell(1, 2, rng=0)])
def test_a_result_that_a_program_hangs_on_its_model_dies_with_it(make):
    model = make()
    model.last = model([1.0])
    died = weakref.ref(model)
    del model
    gc.collect()
    assert died() is None


def test_what_stands_for_a_model_that_is_gone_is_one_module_with_its_parameters():
    model = MLP(1, [2, 1], rng=0)
    y, z = model([1.0]), model([2.0])
    parameters = model.parameters()
    del model
    stand_in = calls_of(y)[0].module
    assert calls_of(z)[0].module is stand_in
    assert stand_in.parameters() == parameters
    assert stand_in.scope_formula == MLP(1, [2, 1], rng=0).scope_formula


def test_lists_that_grow_later_do_not_keep_a_graph_alive():
    states = [Value(1.0)]
    cell = Twice(lambda xs: mg.sum(xs))
    states.append(cell(states))
    node = weakref.ref(states[-1])
    states.clear()
    gc.collect()
    assert node() is None


def test_a_number_is_named_as_long_as_it_lives():
    number = name_number(Value(0.5), "1/√d")
    assert marks_of(number) == ["1/√d"]


# beside other parts


def test_copies_and_pickles_work_without_scopes():
    model = MLP(1, [2, 1], rng=0)
    with scope("block"):
        loss = squared_error(model([1.0]), 2.0) + 1
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), copy.copy(loss)):
        assert other.data == loss.data
        assert marks_of(other) == []
    assert copy.deepcopy(model)([1.0]).data == model([1.0]).data
    assert pickle.loads(pickle.dumps(model))([1.0]).data == model([1.0]).data


def test_functional_call_is_a_call_of_the_model():
    model = MLP(1, [1], rng=0)
    output = functional_call(model, [2.0, 1.0], [3.0])
    assert [call.module for call in calls_of(output)] == [model]


def test_compiled_functions_are_the_same_in_a_scope():
    model = MLP(2, [3, 1], rng=0)

    def loss(x, y):
        with scope("cost"):
            return squared_error(model(x), y)

    fast = mg.compile(loss, model.parameters())
    plain = mg.compile(lambda x, y: squared_error(model(x), y), model.parameters())
    x, y = [[0.5, 1.0]], [1.0]
    assert fast(x, y).tolist() == plain(x, y).tolist()
    assert str(fast.program) == str(plain.program)


def test_threads_record_at_the_same_time():
    model, found = MLP(1, [2, 1], rng=0), []

    def work():
        outputs = [model([float(k)]) for k in range(50)]
        found.append(all(len(calls_of(y)) == 1 and calls_of(y)[0].module is model for y in outputs))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_nodes_are_found_in_nested_lists():
    a, b, c, s = Value(1.0), Value(2.0), Value(3.0), Symbol("s")
    assert nodes_in([a, [1.0, (b, {"c": [c]})], "text", None, s]) == [a, b, c, s]
    assert nodes_in([[1.0, 2.0], 3]) == []
    around: list = [a]
    around.append(around)
    assert set(nodes_in(around)) == {a}
    numpy = pytest.importorskip("numpy")
    assert nodes_in([numpy.array([[a, 2.0], [b, None]], dtype=object)]) == [a, b]


def test_classes_without_a_call_of_their_own_are_left_alone():
    class Plain(RecordedCalls):
        pass

    assert "__call__" not in vars(Plain)


def test_a_module_that_returns_the_nodes_of_its_base_class_and_more_is_one_call():
    class Doubled(Module):
        def __call__(self, x):
            return [v * 2 for v in x]

    class AndTripled(Doubled):
        def __call__(self, x):
            return [*super().__call__(x), x[0] * 3]

    result = AndTripled()([Value(1.0), Value(2.0)])
    assert len(calls_of(result[0])) == 1
    assert calls_of(result[2]) == []


def test_what_a_function_was_given_in_lists_is_recorded_before_these_change():
    @recorded(Function("pairs", "Σ x y"))
    def pairs(xs, ys):
        return sum(x * y for x, y in zip(xs, ys))

    xs, ys = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    given = [*xs, *ys]
    result = pairs(xs, ys)
    xs.clear()
    [call] = calls_of(result)
    assert all(x is y for x, y in zip(call.inputs, given, strict=True))
