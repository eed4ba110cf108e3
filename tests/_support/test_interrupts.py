"""Ctrl-C that waits: for the end of a block, of a call, of an import; and what it must not wait for."""

import signal
import sys
import threading

import pytest

from microgradlib._support.interrupts import import_whole, interrupts_held

pytestmark = pytest.mark.usefixtures("keyboard")


def press():
    signal.raise_signal(signal.SIGINT)


def test_a_block_is_run_to_its_end():
    done = []

    def work():
        with interrupts_held():
            press()
            press()
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_is_raised_and_an_error_is_the_blocks():
    with interrupts_held():
        pass
    with pytest.raises(ZeroDivisionError), interrupts_held():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_is_the_context_of_the_interrupt():
    def work():
        with interrupts_held():
            press()
            raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_an_open_hold_lets_one_through_and_keeps_the_next():
    with interrupts_held() as hold:
        hold.open()
        with pytest.raises(KeyboardInterrupt):
            press()
        press()
        assert (hold.is_open, hold.waits) == (False, True)
        with pytest.raises(KeyboardInterrupt):
            hold.open()
        assert (hold.is_open, hold.waits) == (False, False)


def test_a_call_during_which_it_waits():
    done = []
    with interrupts_held() as hold:
        hold.open()
        with pytest.raises(KeyboardInterrupt):
            hold.during(lambda: [press(), done.append(1)])
    with interrupts_held() as hold:
        with pytest.raises(ZeroDivisionError):
            hold.during(lambda: 1 / 0)
        assert hold.is_open
    assert done == [1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_raised_while_something_is_freed_is_raised_again():
    class Pressing:
        def __del__(self):
            press()

    def work():
        with interrupts_held() as hold:
            hold.open()
            Pressing()
            done.append("Python drops it")
            hold.during(done.append, "the next call")
            done.append("not reached")

    done = []
    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["Python drops it", "the next call"]


def test_holds_nest():
    done = []
    with interrupts_held() as outer:
        with interrupts_held():
            press()
            done.append("inner")
        done.append("outer")
        with pytest.raises(KeyboardInterrupt):
            outer.open()
    assert done == ["inner", "outer"]


@pytest.fixture
def handled():
    """Let Ctrl-C be noted in a list, as a program of its own may handle it."""
    found = []
    before = signal.signal(signal.SIGINT, lambda number, frame: found.append((number, frame.f_code.co_name)))
    yield found
    signal.signal(signal.SIGINT, before)


def test_a_handler_of_the_program_is_called_afterwards_each_time_while_open(handled):
    with interrupts_held() as hold:
        press()
        assert handled == []
        hold.open()
        press()
        press()
        assert len(handled) == 3
        hold.is_open = False
        press()
    assert len(handled) == 4
    assert {number for number, _ in handled} == {signal.SIGINT}


def test_a_handler_that_the_block_sets_stays(handled):
    own = []
    with interrupts_held():
        signal.signal(signal.SIGINT, lambda *_: own.append(1))
    press()
    assert (own, handled) == ([1], [])


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_the_system_does_is_left_to_it(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with interrupts_held():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_the_block_runs_as_without():
    found = []

    def work():
        with interrupts_held() as hold:
            hold.open()
            found.append(hold.during(lambda: signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_an_import_is_whole(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = "import signal\nsignal.raise_signal(signal.SIGINT)\nnumber = 1\n"
    (tmp_path / "pressed_while_imported.py").write_text(source, encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        import_whole("pressed_while_imported")
    assert sys.modules.pop("pressed_while_imported").number == 1


def test_a_module_that_is_there_is_not_held():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "signal", None)  # it would fail
        assert import_whole("math") is sys.modules["math"]
    assert before is signal.default_int_handler
