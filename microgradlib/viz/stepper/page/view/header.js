// The line at the top: title, mode, steps, bugs, prediction, level of detail, theme and language.

import { choice, h, iconButton } from "./dom.js";

export function buildHeader(app) {
  const { session, say } = app;
  const { settings, level } = session;
  const title = app.tape.title || say("steps_title");
  const forward = settings.mode === "forward" && level.inputs.length > 1;
  const compared = settings.mode === "reverse" && session.bugs().length > 0;
  return h(
    "div", { class: "head" },
    h("h1", { text: title, title }),
    modes(app),
    forward ? sweptInput(app) : null,
    steps(app),
    app.tape.levels.length > 1 ? detail(app) : null,
    compared ? bugs(app) : null,
    ...(app.predictor.offered ? prediction(app) : []),
    iconButton("theme", say("theme"), () => app.toggleTheme(), { "data-k": "theme" }),
    languageButton(app),
  );
}

function modes(app) {
  const { session, say } = app;
  const button = mode => h("button", {
    type: "button", "data-k": mode, "aria-pressed": String(session.settings.mode === mode), text: say(mode),
    onclick: () => app.changeMode(mode),
  });
  return h("span", { class: "seg", role: "group" }, ...session.modes().map(button));
}

/** Forward mode: all inputs one after another, or one of them. */
function sweptInput(app) {
  const { level, settings } = app.session;
  const options = [["", "1, 2, …"], ...level.inputs.map(id => [id, level.nodes[id].full])];
  const choose = id => app.changeMode("forward", id === "" ? null : Number(id));
  return choice(app.say("swept_input"), "input", options, settings.input ?? "", choose);
}

function steps(app) {
  const options = app.session.steps().map(by => [by, app.say(`by_${by}`)]);
  return choice(app.say("step_by"), "by", options, app.session.settings.by, by => app.change({ by }));
}

function detail(app) {
  const options = app.tape.levels.map((level, place) => [place, app.say(`level_${level.key}`)]);
  return choice(app.say("detail"), "level", options, app.session.place, place => app.levels.open(Number(place)));
}

function bugs(app) {
  const { session, say } = app;
  const options = ["", ...session.bugs()].map(bug => [bug, say(`bug_${bug || "none"}`)]);
  const choose = bug => app.change({ bug, predict: false });
  return choice(say("compare"), "bug", options, session.settings.bug, choose);
}

/** The button of predict mode with the score; while it is on, what is asked for; and the score as a file. */
function prediction(app) {
  const { session, say, predictor } = app;
  const { predict, ask } = session.settings;
  const { right, asked } = session.score;
  const text = asked ? `${say("predict")} · ${say("score", { k: right, n: asked })}` : say("predict");
  const onclick = () => predictor.toggle();
  const button = h("button", { type: "button", "data-k": "predict", "aria-pressed": String(predict), text, onclick });
  const options = [1, 2, 3].map(level => [level, say(`level_${level}`)]);
  const asks = choice(say("level"), "ask", options, ask, level => app.change({ ask: Number(level) }));
  const save = iconButton("save", say("save_score"), () => predictor.save(), { "data-k": "save" });
  return [button, ...(predict ? [asks] : []), ...(asked ? [save] : [])];
}

function languageButton(app) {
  const other = app.language === "en" ? "zh" : "en";
  const onclick = () => app.toggleLanguage();
  return h("button", { type: "button", "data-k": "lang", lang: other, text: app.say("language"), onclick });
}
