"""Attributes that a class lacks: not there for `hasattr`, words for what to write, and free to be set."""

import copy
import pickle
import pydoc

import pytest

from microgradlib import nn, training
from microgradlib._support.absent import lacking


@lacking({"size": "write len(row)", "append": "it has one"})
class Row(list):
    pass


@lacking({"size": "write len(row)"})
class Slotted:
    __slots__ = ()


def test_an_absent_attribute_is_not_there_and_says_what_to_write():
    assert not hasattr(Row(), "size")
    assert not hasattr(Row, "size")
    with pytest.raises(AttributeError, match=r"^'Row' object has no attribute 'size': write len\(row\)$"):
        _ = Row().size
    with pytest.raises(AttributeError, match="write len"):
        del Row().size
    with pytest.raises(AttributeError, match="to be set: write len"):
        Slotted().size = 3


def test_help_says_of_an_absent_attribute_what_to_write():
    assert vars(Row)["size"].__doc__ == "Not here: write len(row)."
    assert "Not here: write len(row)." in pydoc.plain(pydoc.render_doc(Row))


def test_what_a_class_has_stays():
    row = Row()
    row.append(1)
    assert row == [1]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))])
def test_an_absent_attribute_may_be_set_deleted_and_copied(duplicate):
    row = Row()
    row.size = 3
    assert (row.size, duplicate(row).size) == (3, 3)
    del row.size
    assert not hasattr(row, "size")


def test_a_model_may_have_methods_and_attributes_of_these_names():
    class Model(nn.Module):
        def __init__(self):
            self.layer = nn.Layer(2, 1, rng=0)
            self.backward = self.fit = None

        def predict(self, x):
            return self.layer(x).data

    model = Model()
    assert (model.fit, model.backward) == (None, None)
    assert model.predict([0.0, 0.0]) == 0.0
    assert len(model.parameters()) == len(copy.deepcopy(model).parameters()) == 3
    assert not hasattr(training.History(), "val_loss")
