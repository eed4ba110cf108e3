"""Fisher's iris data: 150 flowers of three species, four lengths each."""

import csv
from importlib import resources

from microgradlib.data.dataset import Dataset


def iris() -> Dataset:
    """Return Fisher's iris data: sepal and petal sizes in centimetres, 50 flowers of each species.

    Measured by Edgar Anderson; printed in R. A. Fisher, "The use of multiple measurements in
    taxonomic problems", Annals of Eugenics 7 (1936), Table I. The widespread UCI copy has errors in two
    rows (35 and 38); these are the numbers that Fisher printed.

    >>> flowers = iris()
    >>> len(flowers), flowers.class_names
    (150, ('setosa', 'versicolor', 'virginica'))
    >>> dict(zip(flowers.feature_names, flowers.inputs[0]))
    {'sepal length': 5.1, 'sepal width': 3.5, 'petal length': 1.4, 'petal width': 0.2}
    """
    text = resources.files("microgradlib.data").joinpath("iris.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    header, *rows = csv.reader(lines)
    class_names = tuple(dict.fromkeys(row[-1] for row in rows))
    return Dataset(
        inputs=tuple(tuple(map(float, row[:-1])) for row in rows),
        targets=tuple(class_names.index(row[-1]) for row in rows),
        feature_names=tuple(header[:-1]),
        class_names=class_names,
    )
