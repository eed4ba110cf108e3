"""Results in cells: a rich form, a short plain one, none longer than a screen, the long form within reach."""

import re
import subprocess
import sys
from functools import cache

import pytest
from hash_seeds import outputs_by_hash_seed

import microgradlib as mg
from microgradlib import Symbol, Value
from microgradlib.data import Dataset, iris, moons, sine
from microgradlib.nn import MLP, Layer, Sequential
from microgradlib.training.history import History
from microgradlib.viz.cells import WRITERS, render
from microgradlib.viz.theme import LIGHT

SCREEN_LINES, SCREEN_CHARACTERS = 45, 6_000


def deep():
    return MLP(2, [2] * 100, rng=0)


@cache
def report(count):
    return mg.gradcheck(lambda *xs: mg.sum([mg.tanh(x) for x in xs]), [0.1 * i for i in range(count)])


def compiled():
    model = MLP(2, [3, 1], rng=0, activation="tanh")
    fast = mg.compile(lambda x, y: mg.relu(1 - y * model(x)), model.parameters())
    fast([[0.5, -1.0]], [1.0])
    return fast


LONG = {
    "a deep model": deep,
    "a wide model": lambda: MLP(64, [128, 10], rng=0),
    "a layer": lambda: Layer(3, 100, rng=0),
    "a sequence": lambda: Sequential(*[Layer(2, 2, rng=0) for _ in range(50)]),
    "a summary": lambda: deep().summary(),
    "parameters": lambda: deep().parameters(),
    "a report": lambda: report(32),
    "a Taylor test": lambda: report(2).taylor,
    "kinks": lambda: mg.kinks(mg.sum([mg.relu(Value(0.0)) for _ in range(100)])),
    "iris": iris,
    "moons": lambda: moons(1000, rng=0),
    "sine": lambda: sine(1000, rng=0),
    "a compiled function": compiled,
    "a program": lambda: compiled().program,
    "a history": lambda: History(loss=[1.0 / (i + 1) for i in range(1000)]),
    "a gradient table": lambda: mg.grad_table(mg.sum([mg.relu(Value(1.0)) for _ in range(100)])),
}


made = cache(lambda name: LONG[name]())


@pytest.mark.parametrize("name", LONG)
def test_nothing_is_longer_than_a_screen(name):
    thing = made(name)
    for text in (repr(thing), str(thing)):
        assert len(text) <= SCREEN_CHARACTERS
        assert len(text.splitlines()) <= SCREEN_LINES
    html = thing._repr_html_()
    assert html.count("<tr>") <= 34
    assert len(repr(thing)) < 700 or "\n" in repr(thing)


@pytest.mark.parametrize("name", LONG)
def test_the_colours_of_a_cell_are_defined_in_it(name):
    html = made(name)._repr_html_()
    used = set(re.findall(r"var\(--mg-([\w-]+)\)", html))
    defined = set(re.findall(r"--mg-([\w-]+):", html))
    assert used <= defined
    assert defined <= {role.replace("_", "-") for role in LIGHT}


def test_the_long_form_is_within_reach():
    assert len(repr(report(32).show()).splitlines()) > 32
    assert repr(iris().show()).count("virginica") >= 50
    assert len(repr(deep().summary().show()).splitlines()) > 100
    assert len(repr(deep().parameters().show()).splitlines()) > 500
    assert "100" in repr(mg.kinks(mg.sum([mg.relu(Value(0.0)) for _ in range(100)])).show()).splitlines()[0]


def test_values_show_name_formula_number_and_gradient():
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    y = w * x
    y.label = "y"
    plain = re.sub(r"<style>.*?</style>|<[^>]+>", "", y._repr_html_())
    assert plain == "y = w · x = 6, gradient —"
    y.backward()
    assert re.sub(r"<style>.*?</style>|<[^>]+>", "", w._repr_html_()) == "w = 2, gradient 3"
    assert y._repr_latex_() is None
    assert repr(y) == "Value(data=6.0, grad=1.0, op='*', label='y')"


def test_a_value_of_a_large_graph_is_one_line():
    x = Value(0.5)
    y = x
    for _ in range(5000):
        y = y + 1.0
    assert re.sub(r"<style>.*?</style>|<[^>]+>", "", y._repr_html_()) == "4999.5 + 1 = 5000.5, gradient —"


def test_symbols_are_typeset():
    w = Symbol("w1")
    assert mg.tanh(w * 2)._repr_latex_() == r"$\displaystyle \tanh(w_{1} \cdot 2)$"
    assert w._repr_html_() is None
    long = w
    for _ in range(200):
        long = long * w
    assert long._repr_latex_() is None


def test_a_failed_derivative_stays_in_a_short_report(temporary_op):
    wrong = temporary_op("wrong", lambda xp, x: x * x, [lambda xp, z, x: 3 * x], formula="x²", sample=((0.5, 2.0),))
    with pytest.raises(mg.errors.GradcheckError) as caught:
        mg.gradcheck(lambda *xs: mg.sum([*[mg.tanh(x) for x in xs[:-1]], wrong(xs[-1])]), [0.5] * 32)
    text = str(caught.value)
    assert "x31" in text
    assert "FAIL" in text
    assert "traced to wrong(0.5)" in text
    assert len(text.splitlines()) <= SCREEN_LINES


def test_a_numeric_derivative_is_one_line():
    def plain(f):
        return re.sub(r"<style>.*?</style>|<[^>]+>", "", mg.numeric.numeric_derivative(f, 0.0)._repr_html_())

    assert re.fullmatch(r"1 ± [\d.e−]+ \(step [\d.]+\)", plain(lambda x: mg.sin(x)))
    assert plain(abs).startswith("0 ± 1 (step ")
    assert plain(abs).endswith(": a kink, 2 more to the right than to the left")


def test_data_sets_say_what_they_hold():
    assert repr(iris()) == (
        "<Dataset: 150 examples, 4 inputs (sepal length, sepal width, petal length, petal width), "
        "3 classes (setosa, versicolor, virginica)>"
    )
    assert repr(Dataset(((0.0,),), (0,), ("x",), ("a",))) == "<Dataset: 1 example, 1 input (x), 1 class (a)>"
    html = iris()._repr_html_()
    assert html.count("setosa</span>") == 6
    assert "144 more examples" in html


def test_compiled_functions_say_what_runs():
    fast = compiled()
    assert repr(fast) == "<compiled <lambda>: 13 parameters, float64, 6 instructions for examples of 3 numbers>"
    assert "compiled &lt;lambda&gt;: 13 parameters" in fast._repr_html_()
    assert "h1 = tanh(layers.0.w @ x + layers.0.b)" in fast._repr_html_()
    assert repr(mg.compile(lambda x: x)) == "<compiled <lambda>: 0 parameters, float64, not called yet>"
    assert "not called yet" in mg.compile(lambda x: x)._repr_html_()
    assert repr(fast.program.show(4)).count("\n") == 4


def test_histories_show_first_last_and_best():
    html = History(loss=[1.0, 0.25, 0.5], accuracy=[0.0, 0.5, 1.0])._repr_html_()
    plain = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html.split("</table>")[0])
    assert re.sub(r"\s+", " ", plain).strip().endswith("loss 1 0.5 0.25 (epoch 1) accuracy 0 1 1 (epoch 2)")
    assert "<svg" in html
    assert History()._repr_html_() is not None


def test_every_writer_exists():
    for name, writer in WRITERS.items():
        module, _, function = writer.rpartition(".")
        assert callable(getattr(__import__(f"microgradlib.viz.cells.{module}", fromlist=[function]), function)), name
    assert render("html", object(), None) is None


def test_subclasses_of_users_are_shown_too():
    class Mine(MLP):
        pass

    assert "Mine" in Mine(2, [1], rng=0)._repr_html_()


PROGRAM = """
import microgradlib as mg
from microgradlib.nn import MLP
model = MLP(2, [3, 1], rng=0)
print(mg.grad_table((model([1.0, 2.0]) - 1) ** 2)._repr_html_(), model._repr_html_())
"""


@pytest.mark.slow
def test_the_same_result_gives_the_same_bytes():
    assert len(outputs_by_hash_seed(PROGRAM, 0, 4242)) == 1


@pytest.mark.slow
def test_nothing_of_it_is_imported_with_the_package():
    code = "import sys, microgradlib; print([name for name in sys.modules if name.startswith('microgradlib.viz')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
