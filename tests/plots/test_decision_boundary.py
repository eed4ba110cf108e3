import numpy as np
import pytest

from microgradlib import Value, compile as compiled, nn, plot_decision_boundary
from microgradlib.data import RegressionDataset, blobs, xor
from microgradlib.plots.axes import CLASS_COLOURS

colors = pytest.importorskip("matplotlib.colors")


def line(w, b):
    neuron = nn.Neuron(2, "linear", init="zeros")
    for parameter, number in zip(neuron.w, w):
        parameter.data = number
    neuron.b.data = b
    return neuron


def boundary(axes):
    """The points of the contour line."""
    (contour,) = [c for c in axes.collections if hasattr(c, "levels")]
    return contour.get_paths()[0].vertices


def test_the_line_is_where_the_output_is_the_threshold():
    points = boundary(plot_decision_boundary(line((2.0, -1.0), 0.25), ([[0, 0], [1, 1], [1, 0]], [-1, 1, 1])))
    assert len(points) > 20
    np.testing.assert_allclose(2 * points[:, 0] - points[:, 1] + 0.25, 0, atol=1e-9)
    shifted = boundary(plot_decision_boundary(line((2.0, -1.0), 0.25), xor(), threshold=0.5))
    np.testing.assert_allclose(2 * shifted[:, 0] - shifted[:, 1] + 0.25, 0.5, atol=1e-9)


def test_probabilities_are_divided_at_one_half():
    model = nn.Sequential(nn.Layer(2, 1, "sigmoid", init="zeros"))
    model.parameters()[0].data, model.parameters()[2].data = 4.0, -2.0
    np.testing.assert_allclose(boundary(plot_decision_boundary(model, xor()))[:, 0], 0.5, atol=1e-3)


def test_several_outputs_show_the_class_of_the_largest():
    data, model = blobs(30, rng=1), nn.MLP([2, 5, 3], activation="tanh", rng=0)
    axes = plot_decision_boundary(model, data, resolution=12)
    image = axes.images[0]
    left, right, bottom, top = image.get_extent()
    colours = np.array([colors.to_rgb(c) for c in CLASS_COLOURS[:3]])
    for row, y in enumerate(np.linspace(bottom, top, 25)[1::2]):
        for column, x in enumerate(np.linspace(left, right, 25)[1::2]):
            best = int(np.argmax([output.data for output in model([x, y])]))
            np.testing.assert_array_equal(image.get_array()[row, column, :3], colours[best])


def test_all_examples_are_drawn_with_their_classes():
    axes = plot_decision_boundary(line((1.0, 1.0), -1.0), xor())
    examples = [points for points in axes.collections if len(points.get_offsets()) == 2]
    drawn = {points.get_label(): sorted(map(tuple, points.get_offsets().tolist())) for points in examples}
    assert drawn == {"equal": [(0.0, 0.0), (1.0, 1.0)], "different": [(0.0, 1.0), (1.0, 0.0)]}


def test_a_function_that_cannot_be_compiled_is_called_example_by_example():
    def model(row):
        return row[0] if float(row[0]) > 0.5 else -row[0]

    assert plot_decision_boundary(model, xor(), resolution=8).get_xlabel() == "a"


def test_compiled_models_are_called_with_rows():
    model = nn.MLP([2, 3], rng=0)
    fast = compiled(lambda x: model(x), model.parameters())
    pictures = [plot_decision_boundary(f, blobs(rng=0), resolution=6).collections[0] for f in (model, fast)]
    np.testing.assert_array_equal(pictures[0].get_array(), pictures[1].get_array())


def test_the_model_keeps_its_modes_and_numbers():
    model = nn.Sequential(nn.Layer(2, 4, rng=0), nn.Dropout(0.5, rng=0), nn.Layer(4, 1, rng=1))
    model.train()
    before = model.state_dict()
    axes = plot_decision_boundary(model, xor(), resolution=6)
    assert all(module.training for _, module in model.named_modules())
    assert model.state_dict() == before
    again = plot_decision_boundary(model, xor(), resolution=6)  # without dropout both pictures are the same
    np.testing.assert_array_equal(axes.collections[0].get_array(), again.collections[0].get_array())


def test_numbers_to_predict_are_a_surface_or_a_curve():
    plane = RegressionDataset(((0.0, 0.0), (1.0, 2.0)), (0.5, 3.0), ("a", "b"))
    surface = plot_decision_boundary(line((1.0, 1.0), 0.0), plane, resolution=5).collections[0]
    assert surface.get_array().max() == pytest.approx(3 + 2 * 0.12 * 1.5)
    curve = plot_decision_boundary(nn.MLP([1, 2, 1], rng=0, output="gaussian"), ([[0.0], [1.0]], [0.2, 0.9]))
    assert [text.get_text() for text in curve.get_legend().get_texts()] == ["±2σ", "output", "examples"]


@pytest.mark.parametrize(
    ("model", "data", "error", "words"),
    [
        (line((1, 1), 0), ([[1.0, 2.0, 3.0]], [0]), ValueError, "one or two inputs, these data have 3"),
        (line((1, 1), 0), ([[1.0, 2.0]], [0, 1]), ValueError, "one target for each row"),
        (line((1, 1), 0), ([], []), ValueError, "at least one"),
        (line((1, 1), 0), ([[1.0, float("nan")]], [0]), ValueError, "finite"),
        (line((1, 1), 0), [[1.0, 2.0]], TypeError, "a data set or a pair"),
        (line((1, 1), 0), ([["a", "b"]], [0]), TypeError, "inputs and targets that are numbers"),
        (3, xor(), TypeError, "a Module or a function of one row"),
    ],
)
def test_wrong_arguments(model, data, error, words):
    with pytest.raises(error, match=words):
        plot_decision_boundary(model, data)
    with pytest.raises(TypeError, match="ax must be matplotlib Axes"):
        plot_decision_boundary(lambda row: Value(row[0]), xor(), ax=3)
