// The cells of the table: value, terms, gradient, the number with a bug, and the numeric derivative.

import { h, put, set } from "./dom.js";
import { bracketed } from "../model/formulas.js";
import { format } from "../model/numbers.js";
import { agrees, says } from "../model/numerics.js";
import { flowing } from "../sentences/terms.js";
import { slopeText, termOf, termText } from "../model/states.js";

const shown = new WeakMap(); // what stands in a cell of several parts

/** A number, with the one before a slider moved struck through beside it. */
function withOld(cell, old, text, className = "") {
  const key = `${old}|${text}|${className}`;
  if (shown.get(cell) === key) return;
  shown.set(cell, key);
  const before = old === null ? null : h("span", { class: "was", text: format(old) });
  cell.replaceChildren(...[before, h("span", { class: className, text })].filter(Boolean));
}

export function paintValue(cell, state) {
  withOld(cell, state.oldValue, state.known ? format(state.value) : "?");
}

const GRADIENT_TONES = { full: "u", part: "a part", hidden: "a part", wall: "q", none: "q" };

/** A final gradient, a running sum with how much of it has arrived, or — where every route is closed. */
export function paintGradient(app, cell, state) {
  const { kind, value, k, of } = state.gradient;
  const counted = kind === "part" && of > 1;
  const mark = counted ? ` ${k}/${of}` : kind === "wall" ? " ⊣" : "";
  const number = kind === "hidden" ? "?" : format(kind === "none" ? null : value);
  const wrong = state.mistake?.shown === "wrong";
  withOld(cell, state.oldGradient, number + mark, wrong ? "b" : GRADIENT_TONES[kind]);
  const title = kind === "wall" ? app.say("never_reached") : counted ? app.say("terms_arrived", { k, n: of }) : "";
  set(cell, "title", title);
}

/** The number with the bug; for a wrong order, where the shown run is the wrong one, the right number. */
export function paintWrong(cell, state) {
  const { mistake, gradient } = state;
  const order = mistake?.shown === "wrong";
  if (mistake) put(cell, order ? format(mistake.right) : `✗ ${format(mistake.wrong)}`);
  else put(cell, gradient.kind === "none" ? "—" : "=");
  set(cell, "class", `num g ${mistake ? (order ? "u" : "b") : "q"}`);
}

/** The cell of a term in pieces, so that painting sets texts alone: from whom, factors = term, or all in symbols. */
export function termCell() {
  const [who, first, second, result, symbols] = ["q who", "", "", "a", "q sy"].map(name => h("span", { class: name }));
  const [product, equal] = [h("span", {}, first, " · ", second), h("span", {}, "= ", result)];
  const numbers = h("span", { class: "term" }, product, " ", equal);
  const cell = h("td", { class: "t num" }, h("div", { class: "tl" }, who, numbers, symbols));
  return { who, first, second, result, symbols, numbers, cell };
}

export function paintTerm(app, node, line) {
  const { session } = app;
  const forward = session.settings.mode === "forward";
  const term = line.edge === null ? null : termOf(session, line.edge);
  line.numbers.hidden = !term;
  line.symbols.hidden = Boolean(term);
  set(line.cell, "class", `t num${term?.here ? " lit" : ""}`);
  const [who, first, second, result] = term ? numbersOf(session, term) : ["", ["", ""], ["", ""], ""];
  put(line.who, who);
  put(line.first, first[0]);
  set(line.first, "class", first[1]);
  put(line.second, second[0]);
  set(line.second, "class", second[1]);
  put(line.result, result);
  const itself = node.id === session.level.output && !forward ? `∂${node.full}/∂${node.full} = 1` : "";
  put(line.symbols, term ? "" : line.edge === null ? itself : inSymbols(session, line.edge));
}

/** Who passes it on, the two factors with their tones, and the term. */
function numbersOf(session, term) {
  const hidden = what => term.hidden && session.hides(what);
  const up = [hidden("upstream") ? "?" : bracketed(format(term.up)), "u"];
  const local = [hidden("local") ? "?" : bracketed(format(term.local ?? 0)), "l"];
  const factors = session.settings.mode === "forward" ? [local, up] : [up, local];
  return [session.level.nodes[term.from].full, ...factors, term.hidden ? "?" : termText(term)];
}

function inSymbols(session, e) {
  const edge = session.level.edges[e];
  const slope = slopeText(session, e).symbol;
  if (session.settings.mode === "forward") return `${slope} · ${flowing(session, edge.tail)}`;
  return `${flowing(session, edge.head)} · ${slope}`;
}

/** The numeric derivative beside a final gradient: agreement, disagreement, or a kink; of a sweep, after its result. */
export function paintCheck(app, cell, node, state) {
  const { session, checker } = app;
  const gradient = checkable(session, node, state);
  const check = gradient === null ? null : session.check(node.id, checker.allows());
  let [text, title, right] = ["", "", true];
  if (check && !check.kink && !says(check)) {
    [text, title] = [format(Number(check.value)), app.say("not_checked")];
  } else if (check) {
    right = agrees(check, gradient) && !check.kink;
    [text, title] = checkTexts(app, check, right);
  } else if (gradient !== null && session.operations) {
    text = "…";
    checker.later(node.id);
  }
  const found = check && session.settings.mode === "forward" ? `${format(session.pass.answers.get(node.id).value)} ` : "";
  if (cell.textContent !== found + text) {
    cell.replaceChildren(...(found ? [h("span", { class: "u g", text: found })] : []), text);
  }
  set(cell, "title", title);
  set(cell, "class", `num wide ${right ? "q" : "b"}`);
}

/** The gradient that can be checked now; null where there is none, or a bug is shown. */
function checkable(session, node, state) {
  const { mode, bug } = session.settings;
  if (bug || mode === "training" || !session.level.inputs.includes(node.id)) return null;
  if (mode === "reverse") return ["full", "wall"].includes(state.gradient.kind) ? state.gradient.value ?? 0 : null;
  const answer = session.pass.answers.get(node.id);
  return answer && answer.i <= session.i ? answer.value ?? 0 : null;
}

function checkTexts(app, check, right) {
  const [left, above] = [side(check.left), side(check.right)];
  if (check.kink) return [`⚠ ${left} | ${above}`, app.say("kink_title", { left, right: above })];
  const error = Number(check.error).toExponential(0);
  const title = app.say("check_title", { value: format(Number(check.value)), error });
  return [`${rounded(check.value)} ${right ? "✓" : "✗"}`, title];
}

/** A number found by differences: what lies below their error is not shown. */
const rounded = x => format(Math.abs(Number(x)) < 1e-9 ? 0 : Number(Number(x).toPrecision(5)));

/** The derivative from one side, which is only as good as its step. */
const side = x => format(Math.abs(Number(x)) < 1e-4 ? 0 : Number(Number(x).toPrecision(3)));
