"""Equal groups drawn once, series with their middle left out, and sums that read them."""

from scoped_graphs import Recorder, batch, recurrent

from microgradlib import mean, tanh
from microgradlib.viz.boxes.choice import Step, choose_states
from microgradlib.viz.boxes.folding import can_fold, is_series
from microgradlib.viz.boxes.groups import find_groups
from microgradlib.viz.boxes.structure import find_structure, find_sums


def outermost(groups):
    return list(groups.children[None])


def test_examples_that_a_mean_reads_are_folded():
    groups = find_groups(batch(5))
    assert can_fold(groups, outermost(groups), {})


def test_examples_that_a_chain_of_additions_reads_are_folded_with_it():
    recorder = Recorder()
    errors = []
    for k in range(6):
        with recorder.scope(f"example {k}"):
            x = recorder.leaf(0.1 * k, "x")
            errors.append(recorder.note(tanh(recorder.note(x * x))))
    total = errors[0]
    for error in errors[1:]:
        total = recorder.note(total + error)
    groups = find_groups(recorder.snapshot(total))
    sums = find_sums(groups)
    assert [len(tree) for tree in sums.values()] == [5]
    assert can_fold(groups, outermost(groups), sums)
    assert not can_fold(groups, outermost(groups), {})


def folding_of(read):
    """Say whether four equal groups can be folded if `read(recorder, results)` reads their results."""
    recorder = Recorder()
    results = []
    for k in range(4):
        with recorder.scope(f"part {k}"):
            x = recorder.leaf(0.1 * k, "x")
            results.append(recorder.note(tanh(recorder.note(x * x))))
    groups = find_groups(recorder.snapshot(*read(recorder, results)))
    return can_fold(groups, outermost(groups), {})


def test_groups_that_are_read_one_by_one_are_not_folded():
    assert folding_of(lambda recorder, results: [recorder.note(mean(results))])
    assert not folding_of(lambda recorder, results: [recorder.note(mean(results[:3])), results[3]])
    assert not folding_of(lambda recorder, results: results)
    assert not folding_of(
        lambda recorder, results: [recorder.note(recorder.note(mean(results)) * recorder.note(results[0] * results[1]))]
    )


def test_steps_that_depend_on_one_another_are_a_series_and_not_folded():
    groups = find_groups(recurrent(6))
    same = outermost(groups)[1:-1]
    assert is_series(groups, same)
    assert not can_fold(groups, same, {})
    examples = find_groups(batch(6))
    assert not is_series(examples, outermost(examples))


def test_groups_that_depend_on_one_another_are_not_folded_although_they_are_read_whole():
    recorder = Recorder()
    results = [recorder.leaf(0.5, "x")]
    for k in range(4):
        with recorder.scope(f"part {k}"):
            results.append(recorder.note(tanh(recorder.note(results[-1] * 2.0))))
    groups = find_groups(recorder.snapshot(recorder.note(mean(results[1:]))))
    assert not can_fold(groups, outermost(groups), {})


def test_the_middle_of_a_long_series_is_left_out():
    structure = find_structure(recurrent(20))
    choice = choose_states(structure, Step(fold=True, ends=2))
    left_out = [scope.name for scope, state in choice.states.items() if state == "left out"]
    assert left_out == [f"step {t}" for t in range(3, 18)]  # step 20 differs: only one of its units is read


def test_a_fold_shows_the_first_and_counts_all():
    structure = find_structure(batch(7))
    choice = choose_states(structure, Step(fold=True))
    states = [choice.states[scope] for scope in structure.groups.children[None]]
    assert states == ["folded"] + ["hidden"] * 6
    assert list(choice.folded.values()) == [7]


def test_two_equal_groups_are_both_drawn():
    structure = find_structure(batch(2))
    assert not choose_states(structure, Step(fold=True)).folded
