// The sentence below the graph, as elements: columns of symbol, number and caption; the form of a prediction.

import { h, put } from "./dom.js";
import { sentence } from "../sentences/sentence.js";

const TONES = { grad: "u", local: "l", term: "a", value: "v" };

/** Build the place of the sentence: {element, live, paint(announce), focus()}. */
export function buildMessage(app) {
  const formula = h("div", { class: "eq" });
  const why = h("div", { class: "why" });
  const element = h("div", { class: "msg" }, formula, why);
  const live = h("div", { class: "sr", role: "status", "aria-live": "polite" });
  const focus = () => formula.querySelector("input")?.focus({ preventScroll: true });
  let shown = "";
  return {
    element, live, focus,
    /** Paint what is told at the present frame and return it; `announce`: to screen readers too. */
    paint(announce) {
      const told = sentence(app.session, app.say);
      const { verdict } = app.predictor;
      const lines = verdict ? [{ text: verdict.text, tone: verdict.right ? "right" : "bad" }] : [];
      if (!verdict || !app.session.question) lines.push(...told.why);
      const key = JSON.stringify([told.parts, lines]);
      if (key !== shown) {
        shown = key;
        const captions = told.parts.some(part => part.caption);
        formula.replaceChildren(...told.parts.map(part => partElement(app, part, captions)));
        why.replaceChildren(...lines.flatMap(line => [h("span", { class: line.tone, text: line.text }), " "]));
        focus();
      }
      if (announce) put(live, [verdict?.text, told.speech].filter(Boolean).join(" "));
      return told;
    },
  };
}

function partElement(app, part, captions = false) {
  if (part.is === "ask") return form(app);
  if (part.is === "name") return h("span", { class: "lhs", text: part.text, title: part.text });
  if (part.is === "sign") return h("span", { class: "op1", text: part.text });
  if (part.is === "line") return h("div", { class: "eqline" }, ...part.items.map(item => partElement(app, item)));
  const bare = !part.symbol && !part.caption;
  const symbol = bare ? null : h("span", { class: "s", text: part.symbol, title: part.symbol });
  const caption = bare || !captions ? null : h("small", { text: part.caption });
  const number = h("span", { class: "n", text: part.text });
  return h("span", { class: `pt ${TONES[part.tone]}${bare ? " bare" : ""}` }, symbol, number, caption);
}

/** The form in which a prediction is typed; after a first try the answer can be shown. */
function form(app) {
  const { question } = app.session;
  const label = app.say(`ask_${question.asked[question.step]}`);
  const input = h("input", { autocomplete: "off", spellcheck: "false", "aria-label": label, placeholder: "?" });
  const giveUp = () => app.predictor.giveUp();
  const show = question.tries.length ? h("button", { type: "button", text: app.say("show"), onclick: giveUp }) : null;
  const asked = h("span", { class: "asked", text: label });
  const element = h("form", { class: "ask" }, asked, input, h("button", { text: app.say("judge") }), show);
  element.onsubmit = event => {
    event.preventDefault();
    app.predictor.answer(input.value);
  };
  return element;
}
