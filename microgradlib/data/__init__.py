"""Small data sets; functions to split, standardise and augment them; a tokeniser for text."""

import typing as _typing

from microgradlib._support.lookup import missing_names as _missing_names
from microgradlib.data.alphabet import Alphabet
from microgradlib.data.augmentation import augmented, chain, gaussian_noise, mirror, mu_law, rotate, scale, shift
from microgradlib.data.curves import circles, moons, sine, spirals
from microgradlib.data.dataset import Dataset, RegressionDataset
from microgradlib.data.digits import as_image, digits
from microgradlib.data.iris import iris
from microgradlib.data.names import names
from microgradlib.data.preparation import split, standardise
from microgradlib.data.regions import blobs, xor, yin_yang

__all__ = [
    "Alphabet",
    "Dataset",
    "RegressionDataset",
    "as_image",
    "augmented",
    "blobs",
    "chain",
    "circles",
    "digits",
    "gaussian_noise",
    "iris",
    "mirror",
    "moons",
    "mu_law",
    "names",
    "rotate",
    "scale",
    "shift",
    "sine",
    "spirals",
    "split",
    "standardise",
    "xor",
    "yin_yang",
]

if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist
    __getattr__ = _missing_names(__name__, __all__)
