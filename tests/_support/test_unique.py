"""One object for equal arguments: in all threads, after many others, and anew once it is forgotten or dropped."""

import gc
import threading

from microgradlib._support.unique import unique
from microgradlib.ops import TABLE


class Thing:
    def __init__(self, *arguments):
        self.arguments = arguments


def test_threads_that_ask_together_get_one_object():
    made, both, found = [], threading.Barrier(2, timeout=10), []

    @unique
    def thing(name):
        made.append(name)
        return Thing(name)

    def ask():
        both.wait()
        found.append([thing(k) for k in range(500)])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == list(range(500))
    assert all(one is other for one, other in zip(*found))


def test_the_object_is_found_after_more_others_than_are_cached():
    @unique
    def thing(name):
        return Thing(name)

    first = thing(-1)
    for k in range(5000):
        thing(k)
    assert thing(-1) is first


def test_what_nobody_holds_is_made_anew_and_so_is_what_is_forgotten():
    @unique
    def thing(name):
        return Thing(name)

    first = thing("a")
    thing.cache_clear()
    assert thing("a") is not first
    second, again = thing("a"), thing("a")
    assert second is again
    del second, again
    thing.cache_clear()
    gc.collect()
    assert thing("a").arguments == ("a",)


def test_bound_ops_are_such_objects():
    """Ops are compared by identity: two for one power would be two instructions of a program."""
    cube = TABLE["pow"].bind(3.0)
    for k in range(5000):
        TABLE["pow"].bind(k + 0.25)
    assert TABLE["pow"].bind(3.0) is cube
