"""The page's state and sentences, under Node: every frame of every mode, in both languages, and back."""

from __future__ import annotations

import itertools

import pytest
from page_modules import needs_node, page_modules

from microgradlib import Value, explain, relu, tanh
from microgradlib.costs import squared_error
from microgradlib.nn import MLP

needs_node()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with page_modules(tmp_path_factory.mktemp("page")) as run:
        yield run


@pytest.fixture(scope="module")
def tapes():
    x, y = Value(3.0, label="x"), Value(4.0, label="y")
    kink = Value(0.0, label="k")
    model = MLP(2, [3, 1], activation="tanh", rng=3)
    return {
        "fan_out": explain(x * x + x * y).tape,
        "kink": explain(relu(kink) * y + tanh(x)).tape,
        "network": explain(model([x, y]), model=model).tape,
        "training": explain(model, squared_error, [1.0, -2.0], 0.5).tape,
        "leaf": explain(Value(2.0, label="x")).tape,
    }


LARGE = ("network", "training")

EVERYWHERE = """
  const { Session } = await load("model/session");
  const { sentence } = await load("sentences/sentence");
  const { speaker } = await load("model/words");
  const everywhere = function* (tape) {
    const session = new Session(tape);
    for (const place of tape.levels.keys()) {
      session.open(place);
      for (const mode of session.modes()) for (const by of session.steps())
        for (const bug of mode === "reverse" ? ["", ...session.bugs()] : [""]) {
          Object.assign(session.settings, { mode, by, bug });
          session.compute();
          for (let i = 0; i < session.pass.frames.length; i += 1) { session.go(i); yield session; }
        }
    }
  };
"""


def test_every_frame_has_a_sentence_in_both_languages(run, tapes):
    body = f"""{EVERYWHERE}
      const told = [];
      for (const session of everywhere(data)) for (const language of ["en", "zh"]) {{
        const {{ parts, why, speech }} = sentence(session, speaker(language));
        told.push([JSON.stringify(parts), why.map(x => x.text).join(" "), speech]);
      }}
      return told;"""
    for tape in tapes.values():
        told = run(body, tape)
        assert told
        for text in itertools.chain.from_iterable(told):
            assert text
            assert not any(word in text for word in ("undefined", "[object", "null.", "{node}", "{n}"))


def test_the_sentence_has_the_numbers_of_its_term(run, tapes):
    body = f"""{EVERYWHERE}
      const session = new Session(data);
      session.go(session.pass.frames.length - 2);
      const {{ parts, speech }} = sentence(session, speaker("en"));
      return [parts.filter(p => p.is === "number").map(p => [p.tone, p.symbol, p.text]), speech];"""
    numbers, speech = run(body, tapes["fan_out"])
    assert numbers == [
        ["grad", "u1.grad", "1"],
        ["local", "∂u1/∂x = x", "3"],
        ["term", "term 3 of 3", "3"],
        ["grad", "x.grad", "7 + 3 = 10"],
    ]
    assert speech.startswith("x.grad += 1 · 3 = 3 → 7 + 3 = 10.")


def test_what_is_seen_at_a_frame_does_not_depend_on_the_way_there(run, tapes):
    body = f"""{EVERYWHERE}
      const {{ nodeState, edgeState, termOf }} = await load("model/states");
      const seen = session => JSON.stringify([session.level.nodes.map(n => nodeState(session, n.id)),
        session.level.edges.map((_, e) => [edgeState(session, e), termOf(session, e)])]);
      let equal = true;
      const session = new Session(data);
      for (const mode of session.modes()) {{
        session.settings.mode = mode;
        session.compute();
        const last = session.pass.frames.length - 1;
        const ahead = Array.from({{ length: last + 1 }}, (_, i) => {{ session.go(i); return seen(session); }});
        for (let i = last; i >= 0; i -= 1) {{ session.go(i); equal &&= seen(session) === ahead[i]; }}
      }}
      return equal;"""
    for tape in tapes.values():
        assert run(body, tape) is True


@pytest.mark.parametrize("name", ["fan_out", "kink", "leaf", *(pytest.param(x, marks=pytest.mark.slow) for x in LARGE)])
def test_painting_only_what_changes_misses_nothing(run, tapes, name):
    """Between any two frames, every node and edge whose state differs is among those to be painted."""
    body = f"""{EVERYWHERE}
      const {{ changes, nodeState, edgeState, circlesOf }} = await load("model/states");
      const missed = [];
      for (const session of everywhere(data)) {{
        const {{ nodes, edges }} = session.level;
        const look = () => ({{
          nodes: nodes.map(n => JSON.stringify([nodeState(session, n.id), circlesOf(session, n.id, 3)])),
          edges: edges.map((_, e) => JSON.stringify(edgeState(session, e))),
        }});
        const [i, before, old] = [session.i, session.now, look()];
        for (const j of i % 5 ? [i + 1, i - 1] : [i + 1, i - 1, i + 7, 0]) {{
          if (j < 0 || j >= session.pass.frames.length) continue;
          session.go(j);
          const only = changes(session, i, before, j, session.now);
          const now = look();
          for (const kind of only ? ["nodes", "edges"] : []) {{
            const lost = now[kind].findIndex((state, k) => state !== old[kind][k] && !only[kind].has(k));
            if (lost >= 0) missed.push([session.settings, i, j, kind, lost]);
          }}
          session.go(i);
        }}
      }}
      return missed.slice(0, 5);"""
    assert run(body, tapes[name]) == []


def test_a_training_step_ends_with_python_s_numbers(run, tapes):
    body = f"""{EVERYWHERE}
      const session = new Session(data, {{ mode: "training" }});
      const own = {{ ...session.training, parameters: [...session.training.parameters] }};
      session.rate *= 1 + 1e-15;
      session.compute();
      return [own.before, own.after, own.parameters, session.training.after, [...session.training.parameters]];"""
    before, after, parameters, page_after, page_parameters = run(body, tapes["training"])
    wanted = tapes["training"]["levels"][tapes["training"]["start"]]["training"]
    assert (before, after) == (wanted["before"], wanted["after"])
    assert dict(parameters) == {int(id_): x for id_, x in wanted["new"].items()}
    assert page_after == pytest.approx(wanted["after"], rel=1e-12)
    assert dict(page_parameters) == pytest.approx(dict(parameters), rel=1e-12)


def test_stops_of_coarser_steps_are_stops_of_finer_ones(run, tapes):
    body = f"""{EVERYWHERE}
      const session = new Session(data);
      return ["term", "node", "layer"].map(by => session.stopsBy(by));"""
    for tape in tapes.values():
        term, node, layer = map(set, run(body, tape))
        assert node <= term
        assert len(layer) <= len(node)
        assert max(term) in layer


def test_delta_of_a_layer_is_the_gradients_of_its_net_inputs(run, tapes):
    body = f"""{EVERYWHERE}
      const {{ layerRow }} = await load("sentences/terms");
      const {{ layers }} = await load("model/stops");
      const session = new Session(data);
      session.go(Infinity);
      const row = group => layerRow(session, group)[2].text;
      return layers(session.level).map(g => [g.symbol, row(g), g.row.map(id => session.finals[id])]);"""
    rows = run(body, tapes["network"])
    assert {symbol for symbol, _, _ in rows} == {"δ⁽¹⁾", "δ⁽²⁾"}
    for _, text, gradients in rows:
        assert len(text.strip("[ ]").split()) == len(gradients)


def test_predictions_hide_what_is_asked(run, tapes):
    body = f"""{EVERYWHERE}
      const {{ gradientOf, termOf }} = await load("model/states");
      const session = new Session(data, {{ predict: true, ask: 3 }});
      const i = session.pass.frames.findIndex(f => f.do === "term");
      session.ask(i);
      const texts = () => sentence(session, speaker("en")).parts.filter(p => p.is === "number").map(p => p.text);
      const seen = [texts(), gradientOf(session, session.question.row.to).kind];
      session.question.tries.push(1);
      session.settle(true, 1);
      return [...seen, texts(), termOf(session, session.question.row.edge).hidden, session.score];"""
    first, kind, second, hidden, score = run(body, tapes["fan_out"])
    assert first == ["?", "?"]
    assert kind == "hidden"
    assert second == ["1", "?"]
    assert hidden is True
    assert (score["asked"], score["right"]) == (1, 1)


def test_numbers_from_a_kernel_replace_the_page_s_own(run):
    """Sliders stay where they are, nothing is computed twice, and going back is to the numbers of the first tape."""

    def tape(x):
        x, y = Value(x, label="x"), Value(4.0, label="y")
        return explain(x * x + x * y).tape

    body = f"""{EVERYWHERE}
      const session = new Session(data[0]);
      const look = () => [session.moved.size, session.numbers.value, session.finals, [...session.leaves]];
      session.move(0, 1.5);
      const page = look();
      session.load(data[1]);
      const kernel = look();
      session.leaves.clear();
      session.compute();
      return [page, kernel, look(), session.originals.get(0)];"""
    page, kernel, back, original = run(body, [tape(3.0), tape(1.5)])
    assert page == [1, kernel[1], kernel[2], [[0, 1.5]]]
    assert kernel[0] == 0
    assert kernel[1][-1] == 1.5 * 1.5 + 1.5 * 4.0
    assert back[0] == 1  # the tape stands at 1.5, the sliders at 3 again
    assert back[1][-1] == 3.0 * 3.0 + 3.0 * 4.0
    assert original == 3.0
