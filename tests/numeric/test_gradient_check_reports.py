"""The report of gradcheck: its lines and rows, and the causes, kinks and edges that it names."""

import math
import random

import pytest

import microgradlib as mg
from microgradlib.errors import GradcheckError
from microgradlib.numeric.gradient_check import gradcheck
from microgradlib.ops import TABLE


def failed(f, point):
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, point)
    return caught.value.report


@pytest.mark.parametrize(
    ("count", "point"),
    [
        (6, "x0 = 0.0, x1 = 1.0, x2 = 2.0, x3 = 3.0, x4 = 4.0, x5 = 5.0"),
        (7, "x0 = 0.0, x1 = 1.0, x2 = 2.0, x3 = 3.0, x4 = 4.0, …, x6 = 6.0"),
    ],
)
def test_the_headline_lists_six_arguments(count, point):
    report = gradcheck(lambda *xs: mg.sum(xs), [float(i) for i in range(count)])
    assert report.headline() == f"gradcheck at {point}: f = {report.value}; {count} of {count} derivatives agree"


def test_so_many_rows_are_shown_those_that_agree_last():
    report = gradcheck(lambda x, y, z: x * x + abs(y) + z, [1.0, 0.0, 2.0])
    rows, left_out = report.rows(1)
    assert ([row.argument for row in rows], left_out) == (["y"], 2)
    assert [row.argument for row in report.rows(2)[0]] == ["x", "y"]
    assert [row.argument for row in report.rows(3)[0]] == [row.argument for row in report.rows(None)[0]] == [*"xyz"]


def test_a_good_report_says_no_more_than_the_taylor_remainder():
    report = gradcheck(mg.exp, [1.0])
    assert report.notes() == [str(report.taylor)]


def test_with_nothing_decided_the_taylor_remainder_considers_no_step():
    report = gradcheck(abs, [0.0])
    assert (report.taylor.widest, report.taylor.refutes) == (0.0, False)


def test_what_is_undecided_does_not_spoil_the_taylor_remainder_of_the_rest():
    report = gradcheck(lambda x, y: mg.sin(x) + y * y, [1e17, 1.0])
    assert [check.verdict for check in report.checks] == ["cannot tell", "ok"]
    assert report.taylor.slope == pytest.approx(2, abs=0.01)


def test_a_derivative_that_is_nan_gives_its_reason_to_no_other():
    report = gradcheck(lambda x, y: abs(x) + mg.sqrt(y * y), [0.0, 0.0])
    of_x, of_y = report.checks
    assert (of_x.verdict, of_x.reason) == ("kink", "")
    assert "indeterminate" in of_y.reason


def test_a_kink_is_named_where_nothing_changes_branch():
    report = gradcheck(lambda x, y: mg.norm([x, y]), [0.0, 0.0])
    assert [(check.verdict, check.crossed) for check in report.checks] == [("kink", "norm")] * 2


def test_the_edge_of_a_domain_is_told_from_what_cannot_be_told():
    assert gradcheck(lambda x: x**1.1, [0.0]).checks[0].verdict == "edge"  # undefined below 0
    assert gradcheck(lambda x: (-x) ** 1.1, [0.0]).checks[0].verdict == "edge"  # above
    assert gradcheck(mg.sin, [1e17]).checks[0].verdict == "cannot tell"


@pytest.mark.parametrize("detached", [lambda x: x.detach(), TABLE["detach"]], ids=["a leaf", "a node"])
def test_a_dependency_that_detach_hides_is_found(detached):
    assert "a dependency is missing" in failed(lambda x: x * detached(x), [1.5]).checks[0].reason


def test_it_is_found_at_an_edge_too():
    assert "a dependency is missing" in failed(lambda x: (1 - x) ** 1.5 + 3 * x.data, [1.0]).checks[0].reason


@pytest.mark.parametrize("x", [1e11, 1e12, 1e13, 1e14])
def test_it_is_found_in_an_oscillation_too(x):
    report = failed(lambda x: mg.sin(x) + mg.cos(x).detach(), [x])
    slope = math.cos(x) - math.sin(x)
    assert abs(report.checks[0].numeric.value - slope) <= 5 * report.checks[0].numeric.error < 0.1


def test_the_arguments_of_a_function_that_has_no_signature_are_numbered():
    assert [check.argument for check in gradcheck(max, [1.0, 2.0]).checks] == ["x0", "x1"]


def rounded(at, size):
    return size * random.Random(at.data).random()  # as irregular as rounding, and not in the graph


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6])
@pytest.mark.parametrize("x", [0.0, 1.0, 3.0])
def test_rounding_of_which_the_graph_does_not_know_is_seen_beside_an_edge(x, size):
    report = gradcheck(lambda at: (at - x) ** 1.5 + 2 * at + rounded(at, size), [x])
    assert report.checks[0].verdict == "ok"
    assert report.checks[0].numeric.error > size


@pytest.mark.parametrize("size", [1e-13, 1e-11, 1e-10])
@pytest.mark.parametrize("width", [100, 1.5 * 2.0**-12])
def test_it_is_seen_at_the_edge_of_a_bounded_domain_too(width, size):
    report = gradcheck(lambda x: x**1.5 + mg.sqrt(width - x) + rounded(x, size), [0.0])
    assert report.checks[0].verdict == "ok"
    assert report.checks[0].numeric.error > size


def test_what_another_argument_contributes_makes_no_derivative_certain():
    report = gradcheck(lambda x, y: (1e20 * y + x) - 1e20, [0.5, 1.0])
    assert [check.verdict for check in report.checks] == ["cannot tell", "ok"]
