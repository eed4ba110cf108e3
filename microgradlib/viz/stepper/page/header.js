// The line at the top: title, mode, steps, bugs, prediction, level of detail, theme and language.

import { choice, h, iconButton } from "./dom.js";
import { saveButton } from "./panel.js";

export function buildHeader(app) {
  const { session, say } = app;
  const { settings } = session;
  const element = h("div", { class: "head" }, h("h1", { text: app.tape.title, title: app.tape.title }));
  element.append(modes(app));
  if (settings.mode === "forward" && session.level.inputs.length > 1) element.append(sweptInput(app));
  element.append(choice(say("step_by"), "by", session.steps().map(by => [by, say(`by_${by}`)]), settings.by, by => app.change({ by })));
  const { levels } = app.tape;
  if (levels.length > 1) element.append(choice(say("detail"), "level", levels.map((level, place) => [place, levelName(app, level)]), session.place, place => app.openLevel(Number(place))));
  if (settings.mode === "reverse" && session.bugs().length) {
    const bugs = ["", ...session.bugs()].map(bug => [bug, say(bug ? `bug_${bug}` : "bug_none")]);
    element.append(choice(say("compare"), "bug", bugs, settings.bug, bug => app.change({ bug, predict: bug ? false : settings.predict })));
  }
  if (settings.mode === "reverse" && !settings.bug) element.append(...prediction(app));
  element.append(
    iconButton("theme", say("theme"), () => app.toggleTheme(), { "data-k": "theme" }),
    h("button", { type: "button", "data-k": "lang", lang: app.language === "en" ? "zh" : "en", text: say("language"), onclick: () => app.toggleLanguage() }),
  );
  return element;
}

function levelName(app, level) {
  const known = { nodes: "level_nodes", neurons: "level_neuron", layers: "level_layer" }[level.key] ?? `level_${level.key}`;
  try {
    return app.say(known);
  } catch {
    return level.key;
  }
}

function modes(app) {
  const { session, say } = app;
  const buttons = session.modes().map(mode => h("button", {
    type: "button", "data-k": mode, "aria-pressed": String(session.settings.mode === mode), text: say(mode), onclick: () => app.changeMode(mode),
  }));
  return h("span", { class: "seg", role: "group" }, ...buttons);
}

function sweptInput(app) {
  const { level, settings } = app.session;
  const options = [["", "1, 2, …"], ...level.inputs.map(id => [id, level.nodes[id].full])];
  return choice(app.say("swept_input"), "input", options, settings.input ?? "", id => app.changeMode("forward", id === "" ? null : Number(id)));
}

function prediction(app) {
  const { session, say } = app;
  const { predict, ask } = session.settings;
  const { right, asked } = session.score;
  const text = asked ? `${say("predict")} · ${say("score", { k: right, n: asked })}` : say("predict");
  const parts = [h("button", { type: "button", "data-k": "predict", "aria-pressed": String(predict), text, onclick: () => app.togglePredict() })];
  if (predict) parts.push(choice(say("level"), "ask", [1, 2, 3].map(level => [level, say(`level_${level}`)]), ask, level => app.change({ ask: Number(level) })));
  if (asked) parts.push(saveButton(app));
  return parts;
}
