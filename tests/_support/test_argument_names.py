"""The names of the arguments of a function, for messages and drawings."""

from microgradlib._support.argument_names import argument_names


def test_functions_that_do_not_name_their_arguments_have_them_numbered():
    assert argument_names(lambda x, *, y: x, 1) == ["x"]
    for function in (type, 3, lambda *xs: xs, lambda x: x):
        assert argument_names(function, 2) == ["x0", "x1"]
