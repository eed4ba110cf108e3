// The sentence below the graph, as elements: columns of symbol, number and caption; the form of a prediction.

import { h, put } from "./dom.js";
import { sentence } from "./sentence.js";

/** Build the place of the sentence: {element, paint(announce)}. */
export function buildMessage(app) {
  const formula = h("div", { class: "eq" });
  const why = h("div", { class: "why" });
  const element = h("div", { class: "msg" }, formula, why);
  const live = h("div", { class: "sr", role: "status", "aria-live": "polite" });
  let shown = "";
  return {
    element, live,
    paint(announce) {
      const told = sentence(app.session, app.say);
      const { verdict } = app;
      const key = JSON.stringify([told.parts, told.why, verdict]);
      if (key !== shown) {
        shown = key;
        const captions = told.parts.some(part => part.caption);
        formula.replaceChildren(...told.parts.map(part => partElement(app, part, captions)));
        const lines = verdict ? [{ text: verdict.text, tone: verdict.right ? "right" : "bad" }, ...(app.session.question ? [] : told.why)] : told.why;
        why.replaceChildren(...lines.flatMap(line => [h("span", { class: line.tone, text: line.text }), " "]));
        formula.querySelector("input")?.focus({ preventScroll: true });
      }
      if (announce) put(live, [verdict?.text, told.speech].filter(Boolean).join(" "));
      return told;
    },
  };
}

const TONES = { grad: "u", local: "l", term: "a", value: "v" };

function partElement(app, part, captions = false) {
  if (part.is === "ask") return form(app);
  if (part.is === "name") return h("span", { class: "lhs", text: part.text });
  if (part.is === "sign") return h("span", { class: "op1", text: part.text });
  if (part.is === "line") return h("div", { class: "eqline" }, ...part.items.map(item => partElement(app, item)));
  const plain = !part.symbol && !part.caption;
  return h("span", { class: `pt ${TONES[part.tone]}${plain ? " bare" : ""}` },
    ...(plain ? [] : [h("span", { class: "s", text: part.symbol })]),
    h("span", { class: "n", text: part.text }),
    ...(plain || !captions ? [] : [h("small", { text: part.caption })]));
}

/** The form in which a prediction is typed. */
function form(app) {
  const { question } = app.session;
  const asked = question.asked[question.step];
  const label = app.say(`ask_${asked}`);
  const input = h("input", { inputmode: "text", autocomplete: "off", spellcheck: "false", "aria-label": label, placeholder: "?" });
  const show = question.tries.length ? [h("button", { type: "button", class: "tell", text: app.say("show"), onclick: () => app.giveUp() })] : [];
  const element = h("form", { class: "ask" }, h("span", { class: "asked", text: label }), input, h("button", { class: "ok", text: app.say("judge") }), ...show);
  element.onsubmit = event => {
    event.preventDefault();
    app.answer(input.value);
  };
  return element;
}
