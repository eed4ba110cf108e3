"""Copies of modules, however deep they are nested, and pickles, whatever their classes say of copying themselves."""

import copy
import copyreg
import pickle
import sys

import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.nn import MLP, Layer, Module

DEEP = 3000


class Part(Module):
    """A module that holds another, or several."""

    def __init__(self, number, inner=None):
        self.w = Value(float(number))
        self.inner = inner


class WithState(Part):
    """A class that says what its state is, and how it is set."""

    def __getstate__(self):
        return {"number": self.w.data, "inner": self.inner}

    def __setstate__(self, state):
        self.w, self.inner = Value(state["number"]), state["inner"]
        self.depth = 0 if self.inner is None else getattr(self.inner, "depth", -1) + 1


class WithArguments(Part):
    """A class that is made by `__new__` with an argument."""

    def __new__(cls, *_):
        made = super().__new__(cls)
        made.marked = True
        return made

    def __getnewargs__(self):
        return (0.0,)


class WithSlots(Part):
    __slots__ = ("extra",)


class Rebuilt(Part):
    def __reduce__(self):
        return Rebuilt, (self.w.data, self.inner)


class Single(Part):
    """A class whose objects are all the same one."""

    def __reduce__(self):
        return "SINGLE"


SINGLE = Single(5.0)


class Copied(Part):
    def __deepcopy__(self, memo):
        return type(self)(-1.0, copy.deepcopy(self.inner, memo))


class Shared(Part):
    """A class that extends the copy that it has by default."""

    def __deepcopy__(self, memo):
        twin = super().__deepcopy__(memo)
        twin.is_twin = True
        return twin


class Stack(Module, list):
    """A module that is a list, and compares as one."""


class Registered(Part):
    pass


copyreg.pickle(Registered, lambda part: (Registered, (part.w.data, part.inner)))


def nested(depth, kinds=(Part,), hold=lambda inner: inner):
    """Return a module that holds another, and so on; the innermost has the number 0."""
    module = kinds[0](0.0)
    for i in range(1, depth):
        module = kinds[i % len(kinds)](float(i), hold(module))
    return module


def chain(module):
    """Return the modules from the outermost to the innermost."""
    found = []
    while module is not None:
        found.append(module)
        inner = module.inner
        while isinstance(inner, (list, dict)):
            inner = inner[0]
        module = inner
    return found


def take_apart(*parts):
    """Let go of what modules hold, as Python frees nested objects by recursion."""
    for part in parts:
        part.inner = None


WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle 0": lambda thing: pickle.loads(pickle.dumps(thing, 0)),
    "pickle 2": lambda thing: pickle.loads(pickle.dumps(thing, 2)),
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)),
}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.mark.parametrize("hold", [lambda inner: inner, lambda inner: [inner], lambda inner: {0: [[inner]]}])
def test_modules_nested_deeper_than_the_stack_are_copied(hold):
    given = nested(DEEP, hold=hold)
    before, after = chain(given), chain(copy.deepcopy(given))
    assert [part.w.data for part in after] == [part.w.data for part in before] == [*map(float, reversed(range(DEEP)))]
    assert not set(map(id, after)) & set(map(id, before))
    take_apart(*before, *after)


@pytest.mark.parametrize("depth", [4, 60])
@pytest.mark.parametrize("kind", [WithState, WithArguments, Rebuilt, Registered])
def test_classes_that_say_how_they_are_copied_are_asked(way, depth, kind):
    given = nested(depth, (Part, kind))
    before, after = chain(given), chain(way(given))
    assert [type(part) for part in after] == [type(part) for part in before]
    assert [part.w.data for part in after] == [part.w.data for part in before]
    for i, part in enumerate(after):
        assert not isinstance(part, WithArguments) or part.marked
        assert not isinstance(part, WithSlots) or part.extra == [i]
        assert not isinstance(part, WithState) or part.depth == 0


@pytest.mark.parametrize("name", ["deepcopy", "pickle 2", "pickle"])
def test_slots_are_copied(name):
    given = nested(60, (WithSlots, Part))
    for part in chain(given)[1::2]:
        part.extra = [part.w.data]
    assert [part.extra for part in chain(WAYS[name](given))[1::2]] == [[part.w.data] for part in chain(given)[1::2]]


def test_the_state_of_an_outer_module_is_set_behind_that_of_an_inner(way):
    assert [part.depth for part in chain(way(nested(60, (WithState,))))] == [*reversed(range(60))]


@pytest.mark.parametrize("depth", [1, 60])
def test_an_object_that_stands_for_itself_is_not_copied(way, depth):
    given = nested(depth)
    chain(given)[-1].inner = SINGLE
    assert chain(way(given))[-1] is SINGLE
    assert way(SINGLE) is SINGLE
    assert copy.copy(SINGLE) is SINGLE


def test_a_deep_copy_of_the_users_own_is_called():
    after = chain(copy.deepcopy(Part(1.0, Copied(2.0, Part(3.0, Copied(4.0))))))
    assert [part.w.data for part in after] == [1.0, -1.0, 3.0, -1.0]
    twin = copy.deepcopy(Part(1.0, Shared(2.0, Part(3.0)))).inner
    assert (twin.is_twin, twin.inner.w.data) == (True, 3.0)


@pytest.mark.parametrize("depth", [3, 60])
def test_what_is_shared_and_what_goes_in_circles_stays_so(way, depth):
    shared = Layer(2, 3, rng=0)
    outer = nested(depth, hold=lambda inner: (inner, shared, [shared.neurons]))
    outer.self = outer
    outer.optimised = [*shared.parameters(), outer.w * 2]
    model, parameters = way((outer, shared.parameters()))
    assert model.self is model
    first, second = model.inner[1], model.inner[0].inner[1]
    assert first is second
    assert model.inner[2][0] is first.neurons
    assert [*map(id, first.parameters())] == [*map(id, model.optimised[:-1])] == [*map(id, parameters)]
    assert model.optimised[-1].parents[0] is model.w
    del outer.self, model.self


@pytest.mark.parametrize("depth", [1, 60])
def test_modules_that_are_lists_keep_their_members(way, depth):
    stack = Stack()
    stack.w = Value(3.0)
    stack.extend([Value(1.0), [stack.w]])
    given = nested(depth)
    chain(given)[-1].inner = None
    chain(given)[-1].stack = stack
    after = chain(way(given))[-1].stack
    assert type(after) is Stack
    assert (after.w.data, after[0].data) == (3.0, 1.0)
    assert after[1][0] is after.w


def test_several_modules_of_one_nest_are_pickled_in_any_order():
    parts = chain(nested(60))
    for given in (parts, parts[::-1], parts[30:] + parts[:30]):
        after = pickle.loads(pickle.dumps(given))
        assert [part.w.data for part in after] == [part.w.data for part in given]
        by_number = {part.w.data: part for part in after}
        assert all(part.inner is by_number.get(part.w.data - 1) for part in after)


def test_a_shallow_copy_has_the_same_attributes():
    model = Part(1.0, MLP([2, 1], rng=0))
    twin = copy.copy(model)
    assert twin is not model
    assert vars(twin) == vars(model)
    twin.w = Value(2.0)
    assert model.w.data == 1.0
    deep = nested(DEEP)
    assert copy.copy(deep).inner is deep.inner
    kept = WithState(2.0)
    assert copy.copy(kept).depth == 0
    stack = Stack([1.0, 2.0])
    assert [*copy.copy(stack)] == [1.0, 2.0]
    take_apart(*chain(deep))


def test_a_copy_in_a_transform_shares_the_inputs():
    def f(w):
        part = Part(0.0, Part(1.0))
        part.inner.w = w
        return copy.deepcopy(part).inner.w ** 2

    assert mg.grad(f)(3.0) == 6.0


def test_the_work_of_a_copy_is_proportional_to_the_depth():
    def calls(function, depth):
        given, count = nested(depth), 0

        def on_call(*_):
            nonlocal count
            count += 1

        sys.setprofile(on_call)
        try:
            function(given)
        finally:
            sys.setprofile(None)
        return count

    assert calls(copy.deepcopy, 800) < 2.2 * calls(copy.deepcopy, 400)
