"""Attributes of a program's own on Values, subclasses with fields, methods added to the class; copies keep them all."""

import copy
import pickle
import subprocess
import sys
from typing import ClassVar

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, topological_sort
from microgradlib.core.absent_attributes import ABSENT
from microgradlib.core.graph import GraphNode
from microgradlib.core.node import Node
from microgradlib.core.own_attributes import OWN_NAMES, OwnAttribute
from microgradlib.engine import declare_attributes

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {n}": lambda node, n=n: pickle.loads(pickle.dumps(node, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}
every_way = pytest.mark.parametrize("duplicate", WAYS.values(), ids=WAYS.keys())


def nodes():
    """Return a node of each kind: with no parents, one, two, more, made by hand, under no_grad."""
    x, y = Value(2.0), Value(3.0, label="y")
    with mg.no_grad():
        constant = x * y
    by_hand = Value(4.0, (x, y), (1.0, 2.0), "f")
    return [x, -x, x * y, x * x, mg.dot([x, y], [y, y]), by_hand, constant]


def test_nodes_are_no_larger_than_their_ten_slots():
    class TenSlots:
        __slots__ = ("_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "__weakref__")

    assert sys.getsizeof(Value(2.0)) == sys.getsizeof(Value(2.0) * 3.0) == sys.getsizeof(TenSlots())
    assert not hasattr(Value(2.0), "__dict__")


def test_declared_names_hide_none_of_the_nodes_own():
    taken = {name for kind in (Node, GraphNode, Value, Symbol) for name in vars(kind)} | {"data", "grad"}
    assert not taken.intersection(OWN_NAMES)
    assert len(set(OWN_NAMES)) == len(OWN_NAMES)


@pytest.mark.parametrize("i", range(7))
@pytest.mark.parametrize("name", ["m", "velocity", "color", "name", "exp_avg_sq", "visited"])
def test_attributes_of_any_node(name, i):
    node = nodes()[i]
    before = node.data, node.op, node.parents, node.local_derivatives, node.label, repr(node)
    assert not hasattr(node, name)
    assert name not in dir(node)
    with pytest.raises(AttributeError, match=f"no attribute {name!r}"):
        getattr(node, name)
    setattr(node, name, 0.0)
    setattr(node, name, getattr(node, name) + 1.5)
    assert getattr(node, name) == 1.5
    assert name in dir(node)
    assert (node.data, node.op, node.parents, node.local_derivatives, node.label, repr(node)) == before
    delattr(node, name)
    assert not hasattr(node, name)
    with pytest.raises(AttributeError):
        delattr(node, name)


@settings(max_examples=30)
@given(
    marks=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(OWN_NAMES), st.floats()), max_size=8),
    way=st.sampled_from(["none", "deepcopy", "pickle"]),
)
def test_attributes_change_no_gradient_and_survive_copies(marks, way):
    def output(made):
        return mg.sum([node * float(i + 1) for i, node in enumerate(made)])

    marked, plain = nodes(), nodes()
    for i, name, content in marks:
        setattr(marked[i], name, content)
    wanted = {(i, name): content for i, name, content in marks}
    out = output(marked)
    if way != "none":
        marked, out = (copy.deepcopy if way == "deepcopy" else WAYS["pickle 5"])((marked, out))
    out.backward()
    output(plain).backward()
    assert [node.grad for node in marked] == [node.grad for node in plain]
    assert {(i, name): repr(getattr(marked[i], name)) for i, name in wanted} == {k: repr(v) for k, v in wanted.items()}


def test_an_optimiser_that_keeps_its_state_on_the_parameters():
    model = mg.nn.MLP(2, [3, 1], rng=0)
    for p in model.parameters():
        p.m, p.v = 0.0, 0.0
    model([1.0, 2.0]).backward()
    for p in model.parameters():
        p.m = 0.9 * p.m + 0.1 * p.grad
        p.v = 0.99 * p.v + 0.01 * p.grad**2
    assert [p.m for p in model.parameters()] == [0.1 * p.grad for p in model.parameters()]
    twin = copy.deepcopy(model)
    twin.parameters()[0].m = 7.0
    assert model.parameters()[0].m != 7.0
    assert [p.v for p in twin.parameters()] == [p.v for p in model.parameters()]


@every_way
def test_attributes_may_hold_nodes_of_the_graph(duplicate):
    x = Value(2.0, label="x")
    y = x * x
    y.consumers, x.consumers = [], [y]
    y.best = y
    twin = duplicate(y)
    if duplicate is copy.copy:
        assert twin.best is y
        return
    assert twin.best is twin
    assert twin.parents[0].consumers == [twin]
    assert y.best is y


def test_other_names_are_declared():
    x = Value(2.0)
    with pytest.raises(AttributeError):
        x.not_declared_yet = 1
    declare_attributes("not_declared_yet", "another_one")
    x.not_declared_yet = 1
    assert x.not_declared_yet == 1
    declare_attributes("another_one")
    for name in ("data", "grad", "relu", "backward", "_left", "__add__", "not a name", "_prev"):
        with pytest.raises(ValueError, match="a name that Values do not use themselves"):
            declare_attributes("fine_by_itself", name)
    with pytest.raises(AttributeError):
        x.fine_by_itself = 1


class Weight(Value):
    """A subclass with a field, as a program writes it."""

    def __init__(self, data, name):
        super().__init__(data)
        self.name, self.anything = name, [name]


class Slotted(Value):
    __slots__ = ("m", "unset")


class WithDefault(Value):
    color = "red"


class LikeMicrograd(Value):
    """A subclass that sets what micrograd's constructor sets."""

    def __init__(self, data, _children=(), _op=""):
        super().__init__(data)
        self.data, self.grad = data, 0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __mul__(self, other):
        out = LikeMicrograd(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out


@every_way
def test_copies_of_subclasses_keep_class_and_fields(duplicate):
    w = Weight(2.0, "w")
    w.grad, w.velocity = 3.0, 0.5
    twin = duplicate(w)
    assert (type(twin), twin.data, twin.grad, twin.name, twin.anything, twin.velocity) == (
        Weight,
        2.0,
        3.0,
        "w",
        ["w"],
        0.5,
    )
    assert vars(twin) == vars(w)
    s = Slotted(2.0, label="s")
    s.m = 1.5
    twin = duplicate(s)
    assert (type(twin), twin.m, twin.label, hasattr(twin, "unset")) == (Slotted, 1.5, "s", False)


def test_operators_on_subclasses_give_values():
    w = Weight(2.0, "w")
    out = (w * 3.0 + w).tanh()
    assert type(out) is Value
    out.backward()
    assert w.grad == pytest.approx(4 * (1 - out.data**2), rel=1e-15)
    d = WithDefault(1.0)
    assert d.color == "red"
    d.color = "blue"
    assert (d.color, WithDefault.color) == ("blue", "red")


def test_a_subclass_with_operators_of_its_own():
    a, b = LikeMicrograd(2.0), LikeMicrograd(-3.0)
    out = a * b * b
    out.backward()
    assert type(out) is LikeMicrograd
    assert (a.grad, b.grad, out._op, out._prev == {*out.parents}) == (9.0, -12.0, "*", True)


class Counted(Value):
    """A subclass with + and * of its own, but not with a number on the left."""

    calls = 0

    def __add__(self, other):
        Counted.calls += 1
        return super().__add__(other)

    def __mul__(self, other):
        return Counted(self.data * getattr(other, "data", other))


class CountedTwice(Counted):
    def __add__(self, other):
        return super().__add__(other) * 2


class FromTheRight(Counted):
    def __radd__(self, other):
        return "from the right"


def test_operators_of_a_subclass_serve_with_a_number_on_the_left():
    """As micrograd's, whose `__radd__` is `self + other`."""
    x = Counted(3.0)
    assert ((1 + x).data, (x + 1).data, Counted.calls, sum([x, x]).data, Counted.calls) == (4.0, 4.0, 2, 6.0, 4)
    assert type(2 * x) is type(x * 2) is Counted
    assert (1 + CountedTwice(3.0)).data == (CountedTwice(3.0) + 1).data == 8.0
    assert 1 + FromTheRight(3.0) == "from the right"
    assert type(2 * Weight(3.0, "w")) is Value


class LeftOfOwn(FromTheRight):
    """Has an operator of its own; the reflected one is its parent's, which a program wrote too."""

    def __add__(self, other):
        return "from the left"


class TimesOnly(Value):
    def __mul__(self, other):
        return "times"


class Registered:
    names: ClassVar[list[str]] = []

    def __init_subclass__(cls, name="none", **keywords):
        super().__init_subclass__(**keywords)
        Registered.names.append(name)


class RegisteredValue(Value, Registered, name="mine"):
    """A class of Values with a keyword for a class beside Value."""


def test_only_the_operators_that_a_subclass_defines_serve_on_the_left():
    assert (1 + LeftOfOwn(3.0), LeftOfOwn(3.0) + 1) == ("from the right", "from the left")
    assert (2 * TimesOnly(3.0), TimesOnly(3.0) * 2) == ("times", "times")
    assert (1 + TimesOnly(3.0)).data == (TimesOnly(3.0) + 1).data == 4.0
    assert "__radd__" not in vars(TimesOnly)
    assert not {"__radd__", "__rmul__"} & {*vars(RegisteredValue)}
    assert (1 + RegisteredValue(3.0)).data == 4.0


def test_keywords_of_a_subclass_reach_the_classes_beside_value():
    assert Registered.names == ["mine"]


def test_methods_added_to_the_class(monkeypatch):
    def cube(self):
        out = Value(self.data**3, (self,), "cube")

        def _backward():
            self.grad += 3 * self.data**2 * out.grad

        out._backward = _backward
        return out

    monkeypatch.setattr(Value, "cube", cube, raising=False)
    monkeypatch.setattr(Value, "twice", property(lambda self: self + self), raising=False)
    x = Value(2.0)
    (x.cube() + x.twice).backward()
    assert x.grad == 14.0
    assert [node._op for node in topological_sort(x.cube() + x.twice)].count("cube") == 1


def test_a_declared_attribute_of_the_class_is_a_descriptor():
    assert Value.velocity.name == "velocity"
    assert isinstance(Value.velocity, OwnAttribute)


# Attributes of other libraries' numbers, which nodes have not


@pytest.mark.parametrize("node", [Value(3.0), Symbol("s"), Value(3.0) * 2])
def test_absent_attributes_do_not_exist_and_say_what_to_write(node):
    assert {"item", "shape", "sum", "zero_grad"} <= ABSENT
    for name in ABSENT:
        assert not hasattr(node, name)
        assert not hasattr(type(node), name)
        assert name not in dir(node)
        with pytest.raises(AttributeError, match=rf"^'{type(node).__name__}' object has no attribute '{name}': \S+"):
            getattr(node, name)


def test_a_program_may_have_attributes_that_are_absent():
    class Weight(Value):
        pass

    w = Weight(1.0)
    assert not hasattr(w, "shape")
    w.shape = (1,)
    assert w.shape == (1,)
    assert not hasattr(Weight(1.0), "shape")
    with pytest.raises(
        AttributeError, match=r"to be set: declare it first, by microgradlib\.engine\.declare_attributes"
    ):
        Value(1.0).shape = (1,)


def test_absent_attributes_can_be_declared():
    run_alone(
        "from microgradlib import Value, engine\n"
        "engine.declare_attributes('T')\n"
        "x = Value(1.0)\n"
        "assert not hasattr(x, 'T') and 'T' not in dir(x)\n"
        "x.T = 300.0\n"
        "assert x.T == 300.0 and 'T' in dir(x)\n"
    )


def run_alone(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
