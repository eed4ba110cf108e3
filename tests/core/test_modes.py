"""no_grad and detect_anomaly: effects, messages, and scope."""

import asyncio
import contextvars
import inspect
import math
import sys
import threading

import pytest

import microgradlib as mg
from microgradlib import Value, detect_anomaly, no_grad, topological_sort
from microgradlib.core.modes import Mode, current_mode
from microgradlib.errors import AnomalyError, MicrogradError


def line_after(count=1):
    """Return the number of the line `count` lines after the caller's."""
    return inspect.currentframe().f_back.f_lineno + count


# no_grad


def test_no_grad_gives_leaves_with_the_same_numbers():
    x, y = Value(3.0), Value(4.0)
    with no_grad():
        results = [x + y, x * y, x / y, x**2, x.relu(), mg.exp(x), mg.dot([x], [y]), mg.sum([x, y]), -x]
    assert [r.data for r in results] == [7.0, 12.0, 0.75, 9.0, 3.0, math.exp(3.0), 12.0, 7.0, -3.0]
    assert all((r.op, r.parents, r.local_derivatives) == (None, (), ()) for r in results)
    assert (x * y).parents == (x, y)


def test_no_grad_cuts_the_graph():
    x = Value(3.0)
    with no_grad():
        constant = x * x
    out = constant * x
    out.backward()
    assert x.grad == 9.0


def test_no_grad_as_a_decorator_applies_to_each_call():
    @no_grad()
    def square(x):
        """Square it."""
        return x * x

    x = Value(3.0)
    assert square(x).parents == square(x).parents == ()
    assert square.__name__ == "square"
    assert (x * x).parents == (x, x)


@pytest.mark.parametrize("mode", [no_grad, detect_anomaly])
def test_modes_nest_and_end(mode):
    assert current_mode() is None
    with mode():
        outer = current_mode()
        with mode():
            assert current_mode() is not None
        assert current_mode() is outer
    assert current_mode() is None


@pytest.mark.parametrize("mode", [no_grad, detect_anomaly])
def test_modes_end_with_an_exception(mode):
    with pytest.raises(KeyError), mode():
        raise KeyError
    assert current_mode() is None
    with mode():
        outer = current_mode()
        with pytest.raises(KeyError), mode():
            raise KeyError
        assert current_mode() is outer


def test_an_anomaly_error_ends_the_mode():
    with pytest.raises(AnomalyError), detect_anomaly():
        mg.log(Value(-1.0))
    assert current_mode() is None
    assert math.isnan(mg.log(Value(-1.0)).data)


def test_no_grad_and_detect_anomaly_combine_in_either_order():
    x = Value(-1.0)
    with no_grad(), detect_anomaly():
        assert (x * x).parents == ()
        with pytest.raises(AnomalyError):
            mg.log(x)
    with detect_anomaly(), no_grad():
        assert (x * x).parents == ()
        with pytest.raises(AnomalyError):
            mg.log(x)


@pytest.mark.parametrize("mode", [no_grad, detect_anomaly])
def test_other_threads_do_not_see_the_mode(mode):
    x, seen = Value(3.0), []

    def elsewhere():
        seen.append((current_mode(), (x * x).parents, mg.log(Value(0.0)).data))

    with mode():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert seen == [(None, (x, x), -math.inf)]


def test_other_tasks_do_not_see_the_mode():
    x = Value(3.0)

    async def recording(started, done):
        await started.wait()
        parents = (x * x).parents
        done.set()
        return parents

    async def not_recording(started, done):
        with no_grad():
            started.set()
            await done.wait()
            return (x * x).parents

    async def both():
        events = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(recording(*events), not_recording(*events))

    assert asyncio.run(both()) == [(x, x), ()]


@pytest.mark.parametrize("mode", [no_grad, detect_anomaly])
def test_a_context_copied_in_the_block_keeps_the_mode(mode):
    with mode():
        context = contextvars.copy_context()
    assert current_mode() is None
    assert context.run(lambda: type(current_mode())) is Mode
    x = Value(3.0)
    assert (x * x).parents == x.tanh().parents * 2 == (x, x)
    assert context.run(lambda: (x * x).parents) == (() if mode is no_grad else (x, x))


def test_threads_build_graphs_while_others_enter_modes():
    x, seen = Value(3.0), set()
    interval = sys.getswitchinterval()

    def build():
        for _ in range(500):
            y = (x * x + 1).tanh() / 2
            seen.add((len(topological_sort(y)), mg.log(Value(0.0)).data))

    def change():
        for _ in range(500):
            with no_grad():
                seen.add(((x * x).op, x.tanh().parents))
            with detect_anomaly(), pytest.raises(AnomalyError):
                mg.log(Value(0.0))

    threads = [threading.Thread(target=target) for target in (build, change, build, change)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert seen == {(7, -math.inf), (None, ())}


# detect_anomaly


def test_finite_programs_raise_nothing():
    x = Value(3.0)
    with detect_anomaly():
        y = mg.log(x) * x
        y.backward()
    assert x.grad == math.log(3.0) + 1


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda: mg.log(Value(-1.0, label="x")), r"log gave nan from x = -1\.0"),
        (lambda: mg.log(Value(0.0, label="x")), r"log gave -inf from x = 0\.0"),
        (lambda: 1 / Value(0.0, label="rate"), r"/ gave inf from an input = 1\.0, rate = 0\.0"),
        (lambda: Value(0.0) / Value(0.0), r"/ gave nan from an input = 0\.0, an input = 0\.0"),
        (lambda: Value(1e200) ** 2, r"\*\*2 gave inf from an input = 1e\+200"),
        (lambda: mg.exp(Value(1000.0)), r"exp gave inf from an input = 1000\.0"),
        (lambda: Value(math.inf) + 1, r"\+ gave inf from an input = inf, an input = 1\.0"),
    ],
)
def test_the_message_names_the_op_and_its_inputs(operation, message):
    operation()
    with detect_anomaly(), pytest.raises(AnomalyError, match=message):
        operation()


def test_the_message_names_the_users_line():
    x = Value(-1.0)
    line = line_after(2)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        mg.log(x)
    assert str(caught.value).endswith(f"{__file__}:{line}, in test_the_message_names_the_users_line")


def test_the_reported_line_is_outside_the_library():
    inputs = [Value(math.inf), Value(0.0)]
    line = line_after(2)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        mg.softmax(inputs)
    assert f"{__file__}:{line}" in str(caught.value)


def test_an_infinite_gradient_is_reported_with_the_lines_that_made_it():
    with detect_anomaly():
        x = Value(0.0, label="x")
        line = line_after()
        root = mg.sqrt(x)
        out = root * 2
        with pytest.raises(AnomalyError) as caught:
            out.backward()
    message = str(caught.value)
    assert message.startswith("the gradient of x = 0.0 is inf")
    assert f"the local derivative of sqrt at {__file__}:{line}, in " in message
    assert " is inf; √x has an infinite derivative at 0" in message
    assert (x.grad, root.grad) == (0.0, 0.0)


def test_an_infinite_gradient_of_a_result_names_the_line_of_that_result():
    with detect_anomaly():
        line = line_after()
        zero = Value(1.0) - 1
        with pytest.raises(AnomalyError) as caught:
            mg.sqrt(zero).backward()
    assert f"the gradient of a result of - = 0.0 is inf, made at {__file__}:{line}" in str(caught.value)


def test_graphs_recorded_before_the_mode_are_checked_without_lines():
    out = mg.sqrt(Value(0.0))
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"^the gradient of a leaf = 0\.0 is inf; the local"):
        out.backward()


def test_a_gradient_that_overflows_without_an_infinite_local_derivative():
    x = Value(1e200)
    with detect_anomaly():
        out = (x * 1e100) * 1e-100
        with pytest.raises(AnomalyError, match="is inf"):
            (out * 1e-300 * 1e300).backward(1e300)


def test_an_anomaly_is_an_error_of_the_library_and_of_floating_point():
    assert issubclass(AnomalyError, MicrogradError)
    assert issubclass(AnomalyError, FloatingPointError)
