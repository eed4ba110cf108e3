// The cards of nodes: tall in small graphs, flat in large ones; rows inside a card, closed groups, constants.
// A function here builds one card and returns what paints it: paint(state), with a state of states.js.

import { put, s, set, toggle } from "./dom.js";
import { format } from "../model/numbers.js";
import { clip } from "../model/words.js";

const CIRCLES = 6; // up to so many uses have a circle each; more share one bar
const BAR = 40; // its height
const LONGEST_ON_CARD = 24; // cards are made wide enough for so many letters

/** A number short enough for a card: fewer digits where it would be long. */
function short(x, most = 8) {
  const texts = [4, 3, 2].map(digits => format(x, digits));
  return texts.find(text => text.length <= most) ?? texts[2];
}

/** The outline of a card: inputs round, parameters with cut corners, ops nearly square. */
function outline(node) {
  const [x, y, width, height] = node.box;
  if (node.role === "parameter") {
    const c = 9;
    const d = `M${x + c} ${y}H${x + width - c}l${c} ${c}V${y + height - c}l${-c} ${c}H${x + c}l${-c} ${-c}V${y + c}z`;
    return s("path", { class: "box", d });
  }
  const rx = { input: 16, constant: 8, target: 8 }[node.role] ?? 5;
  return s("rect", { class: "box", x, y, width, height, rx });
}

const text = (group, className, x, y, size, anchor = "start", content = "") => {
  const element = s("text", { class: className, x, y, "font-size": size, "text-anchor": anchor, text: content });
  group.append(element);
  return element;
};

/** Build the card of a node into `group`; `context` is {uses, tall, gradientName, hiddenLabel, openLabel, open}. */
export function card(node, group, context) {
  if (node.role === "constant" || node.role === "target") return quietCard(node, group);
  if (node.row_of) return rowCard(node, group);
  if (node.closed) sheet(node, group);
  group.append(outline(node));
  const paint = context.tall ? tallCard(node, group, context) : flatCard(node, group, context);
  const circles = useMarks(node, group, context.uses);
  return state => {
    paint(state);
    circles(state.circles);
  };
}

/** Constants and targets get no gradient: a name or a number in a dashed outline. */
function quietCard(node, group) {
  const [x, y, width, height] = node.box;
  group.append(outline(node));
  const label = text(group, "m", x + width / 2, y + height / 2 + 5, 14, "middle");
  const prefix = node.role === "target" && node.name ? `${clip(node.name, 12)} = ` : "";
  return state => put(label, prefix + short(state.value));
}

/** A second sheet behind a closed group. */
function sheet(node, group) {
  const [x, y, width, height] = node.box;
  group.append(s("rect", { class: "sheet", x: x + 5, y: y + 5, width, height, rx: 5 }));
}

/** The small button with which a closed group opens. */
function opener(node, group, x, y, context) {
  group.append(toggle("open", context.openLabel, x, y, context.open));
}

function heading(node, group, x, y, width, size, context) {
  const indent = node.closed ? 22 : 0;
  if (node.closed) opener(node, group, x, y - 13, context);
  text(group, "nm", x + indent, y, size, "start", clip(node.name, LONGEST_ON_CARD));
  text(group, "sg", x + width, y, size - 3, "end", clip(node.sign ?? "", 16));
}

function tallCard(node, group, context) {
  const [x, y, width, height] = node.box;
  const top = y + height / 2 - 46;
  const [left, right] = [x + 12, x + width - 12];
  heading(node, group, left, top + 24, width - 24, 18, context);
  const back = s("rect", { class: "gbg", x: x + 4, y: top + 58, width: width - 8, height: 28, rx: 6 });
  group.append(back);
  const oldValue = text(group, "gh m", left, top + 49, 12);
  const value = text(group, "m", right, top + 50, 18, "end");
  const caption = text(group, "cap", left, top + 77, 12);
  const gradient = text(group, "gr m", right, top + 79, 18, "end");
  const wrong = text(group, "bg m halo", right, y + height + 15, 14, "end");
  return state => {
    put(value, state.known ? short(state.value, 11) : "?");
    put(oldValue, state.oldValue === null ? "" : short(state.oldValue, 6));
    cardGradient(gradient, state.gradient, 10);
    const room = Math.floor((width - 30 - gradient.textContent.length * 11) / 7.3); // characters beside the number
    const name = context.gradientName.length <= room ? context.gradientName : "";
    put(caption, state.oldGradient === null ? name : short(state.oldGradient, room));
    set(caption, "class", state.oldGradient === null ? "cap" : "gh m");
    paintMistake(wrong, state.mistake);
  };
}

function flatCard(node, group, context) {
  const [x, y, width, height] = node.box;
  const rows = node.rows?.length ?? 0;
  const top = rows ? y : y + height / 2 - 25;
  if (rows) group.append(s("line", { class: "rule", x1: x, x2: x + width, y1: y + 49, y2: y + 49 }));
  heading(node, group, x + 10, top + 20, width - 22, 15, context);
  group.append(s("rect", { class: "gbg", x: x + width - 70, y: top + 26, width: 66, height: 21, rx: 5 }));
  const value = text(group, "m", x + 9, top + 42, 13);
  const gradient = text(group, "gr m", x + width - 9, top + 42, 13, "end");
  const below = y + height + 12;
  const oldValue = text(group, "gh m halo", x + 10, below, 11);
  const oldGradient = text(group, "gh m halo", x + width - 10, below, 11, "end");
  const wrong = text(group, "bg m halo", x + width - 10, y + height + 14, 13, "end");
  if (node.hidden) text(group, "cap", x + 10, y + height - 6, 11, "start", context.hiddenLabel);
  return state => {
    put(value, state.known ? short(state.value, 7) : "?");
    put(oldValue, state.oldValue === null ? "" : short(state.oldValue, 6));
    put(oldGradient, state.oldGradient === null || state.mistake ? "" : short(state.oldGradient, 6));
    cardGradient(gradient, state.gradient, 7);
    paintMistake(wrong, state.mistake);
  };
}

/** A parameter as a row of the card that uses it: name, value, local derivative, gradient. */
function rowCard(node, group) {
  const [x, y, width, height] = node.box;
  const column = width / 4;
  const base = y + 16;
  group.append(s("rect", { class: "box", x, y, width, height, rx: 5 }));
  text(group, "nm", x + 6, base, 13, "start", clip(node.name, 9));
  const value = text(group, "m", x + column * 1.95, base, 12.5, "end");
  const high = { y: y + 2.5, height: 18, rx: 4 };
  const back = (name, at, wide) => s("rect", { class: name, x: x + column * at, width: column * wide, ...high });
  const slopeBack = back("lbg", 2.05, 0.98);
  group.append(slopeBack, back("gbg", 3.07, 0.92));
  const slope = text(group, "lv m", x + column * 2.95, base, 12.5, "end");
  const gradient = text(group, "gr m", x + width - 6, base, 12.5, "end");
  const wrong = text(group, "bg m halo", x + width + 12, base, 12.5);
  return state => {
    put(value, short(state.value, 8));
    put(slope, state.slope === null ? "" : state.slope.hidden ? "?" : short(state.slope.value, 7));
    set(slopeBack, "class", state.slope?.lit ? "lbg hot" : "lbg");
    cardGradient(gradient, state.gradient, 7);
    paintMistake(wrong, state.mistake);
  };
}

function cardGradient(element, gradient, most) {
  const { kind, value } = gradient;
  put(element, kind === "hidden" ? "?" : short(kind === "none" ? null : value, most));
  set(element, "class", `gr m ${gradient.kind}`);
}

/** Beside a right number the wrong one; beside a wrong one, which a wrong order shows, the right one. */
function paintMistake(element, mistake) {
  if (!mistake) put(element, "");
  else put(element, mistake.shown === "wrong" ? `≠ ${short(mistake.right)}` : `✗ ${short(mistake.wrong)}`);
}

/** A circle for each use on the card's right edge, which fills when its term arrives; one bar for many. */
function useMarks(node, group, count) {
  if (!count) return () => {};
  const [x, y, width, height] = node.box;
  const [right, middle] = [x + width, y + height / 2];
  if (count > CIRCLES) return useBar(group, right, middle, count);
  const at = k => middle + (k - (count - 1) / 2) * 12;
  const dots = Array.from({ length: count }, (_, k) => s("circle", { class: "pip", r: 4.5, cx: right, cy: at(k) }));
  group.append(...dots);
  return circles => dots.forEach((dot, k) => {
    set(dot, "class", `pip ${circles[k] ?? ""}`);
    set(dot, "visibility", circles.length ? "visible" : "hidden");
  });
}

function useBar(group, right, middle, count) {
  const frame = { x: right - 4, y: middle - BAR / 2, width: 8, height: BAR, rx: 4 };
  const fill = s("rect", { ...frame, class: "pip on" });
  group.append(s("rect", { ...frame, class: "pip" }), fill);
  return circles => {
    const part = (BAR * circles.filter(Boolean).length) / count;
    set(fill, "class", circles.includes("now") ? "pip now" : "pip on");
    set(fill, "height", part);
    set(fill, "y", middle + BAR / 2 - part);
  };
}
