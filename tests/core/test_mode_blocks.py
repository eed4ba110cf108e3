"""Where blocks of modes end: generators that wait in them, other orders and contexts, tasks, Ctrl-C."""

import asyncio
import contextlib
import contextvars
import gc
import random
import signal
import threading

import pytest
from hypothesis import given, strategies as st
from interrupted import interrupted, leftovers, moments_of

from microgradlib import Value, detect_anomaly, no_grad, scope
from microgradlib.core.mode_blocks import MODES_IN_USE, changed_mode, current_mode
from microgradlib.core.modes import is_recording, is_watching

BLOCKS = {"no_grad": no_grad, "detect_anomaly": detect_anomaly, "scope": lambda: scope("block")}


def waiting(block):
    """Yield once in the block, which ends when the generator is closed."""
    with block():
        yield


def is_recorded():
    return (Value(2.0) * 3).parents != ()


def begun(block):
    generator = waiting(block)
    next(generator)
    return generator


# What the documentation says


def test_while_a_generator_waits_in_a_block_its_caller_does_not_record():
    generator = begun(no_grad)
    assert not is_recorded()
    generator.close()
    assert is_recorded()


def test_a_generator_that_yields_outside_of_the_block_leaves_its_caller_alone():
    def outputs(rows):
        for row in rows:
            with no_grad():
                output = Value(row) * 2
            yield output

    for output in outputs([1.0, 2.0]):
        assert output.parents == ()
        assert is_recorded()


def test_a_function_of_blocks_is_a_block():
    @contextlib.contextmanager
    def quiet():
        with no_grad(), scope("quiet"):
            yield

    with quiet():
        assert not is_recorded()
    assert is_recorded()


def test_a_generator_run_in_a_context_of_its_own_leaves_its_caller_alone():
    context = contextvars.copy_context()
    generator = waiting(no_grad)
    context.run(next, generator)
    assert is_recorded()
    context.run(generator.close)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_documentation_of_each_block_tells_of_generators(name):
    block = {"no_grad": no_grad, "detect_anomaly": detect_anomaly, "scope": scope}[name]
    assert "generator waits at a `yield` in the block" in " ".join(block.__doc__.split())


# Other orders


def test_a_block_that_ends_before_one_inside_it_leaves_that_ones_changes():
    generator = begun(no_grad)
    with detect_anomaly():
        assert (is_recording(), is_watching()) == (False, True)
        generator.close()
        assert (is_recording(), is_watching()) == (True, True)
    assert current_mode() is None


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["recording", "watching", "scope"])), max_size=12), st.randoms()
)
def test_in_any_order_the_mode_is_that_of_the_blocks_that_have_not_ended(steps, rng):
    """Blocks begin and end at random; a block inside another wins."""
    alive = []
    for is_end, field in steps:
        if is_end and alive:
            alive.pop(rng.randrange(len(alive)))[1].close()
        else:
            changes = {field: rng.choice([True, False])}
            alive.append((changes, begun(lambda changes=changes: changed_mode(**changes))))
        expected = {"recording": True, "watching": False, "scope": None}
        for changes, _ in alive:
            expected |= changes
        mode = current_mode()
        found = expected if mode is None and not alive else {name: getattr(mode, name) for name in expected}
        assert found == expected
        del mode
    for _, generator in alive:
        generator.close()
    assert current_mode() is None
    gc.collect()  # older versions of Hypothesis keep frames in cycles
    assert not MODES_IN_USE


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_that_ends_in_another_context_changes_nothing_there(block):
    generator = waiting(block)
    contextvars.copy_context().run(next, generator)
    with detect_anomaly():
        mode = current_mode()
        generator.close()
        assert current_mode() is mode
    assert current_mode() is None


# Tasks


def test_tasks_do_not_see_one_anothers_blocks():
    async def work(seed):
        rng, wrong = random.Random(seed), 0
        for _ in range(20):
            block = rng.choice([no_grad, contextlib.nullcontext])
            with block():
                await asyncio.sleep(0)
                wrong += is_recorded() is not (block is contextlib.nullcontext)
            await asyncio.sleep(0)
            wrong += not is_recorded()
        return wrong

    async def main():
        return sum(await asyncio.gather(*map(work, range(10))))

    assert asyncio.run(main()) == 0
    assert current_mode() is None


def test_a_task_keeps_the_block_that_it_was_made_in():
    async def later():
        await asyncio.sleep(0)
        return is_recorded()

    async def main():
        with no_grad():
            task = asyncio.create_task(later())
        return is_recorded(), await task

    assert asyncio.run(main()) == (True, False)


def test_an_asynchronous_generator_that_is_left_ends_its_block():
    async def rows():
        with no_grad():
            yield 1
            yield 2

    async def main():
        async for _ in rows():
            break

    asyncio.run(main())
    assert is_recorded()
    gc.collect()  # asyncio of Python 3.13.0 leaves the context in which the generator ended in a cycle
    assert not MODES_IN_USE


# Ctrl-C


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_wherever_ctrl_c_comes_the_block_is_over_once_the_error_is_gone(block):
    def work():
        with block():
            Value(2.0) * 3

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread, and this is another one")
    before, (count, _) = signal.signal(signal.SIGINT, signal.default_int_handler), moments_of(work)
    try:
        raised = [interrupted(work, moment)[1] for moment in range(1, count) if not leftovers()]
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(raised) == count - 1 > 10
    assert sum(raised) > 10
