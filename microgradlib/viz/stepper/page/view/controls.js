// The line at the bottom: step buttons, the scrub bar with the passes marked on it, and the speed.

import { choice, h, icon, iconButton, put, set } from "./dom.js";

const SPEEDS = [0.5, 1, 2, 4];
const LONG_SPEECH = 200;
const LEAST_NAMED = 0.05; // part of the bar; shorter ones have their name as a tooltip
const MANY_SWEEPS = 6; // from here on they are marked by their numbers alone

export function buildControls(app) {
  const { say, player, session } = app;
  const buttons = {
    first: iconButton("first", say("first"), () => player.go(0), { "data-k": "first" }),
    back: iconButton("back", say("back"), () => player.back(), { "data-k": "back" }),
    play: iconButton("play", say("play"), () => player.play(), { "data-k": "play" }),
    next: iconButton("next", say("next"), () => player.next(), { "data-k": "next", class: "main" }),
    last: iconButton("last", say("last"), () => player.go(Infinity), { "data-k": "last" }),
  };
  const length = session.pass.frames.length - 1;
  const label = say("position");
  const scrub = h("input", { type: "range", min: 0, max: length, step: 1, "data-k": "scrub", "aria-label": label });
  scrub.oninput = () => player.scrub(Number(scrub.value));
  const count = h("span", { class: "count num" });
  const more = session.training && session.operations ? nextStep(app) : null;
  const track = h("div", { class: "track" }, bands(app, length), scrub);
  const element = h("div", { class: "ctl" }, ...Object.values(buttons), track, count, more, speed(app));
  const paintPlay = () => {
    const key = player.playing ? "pause" : "play";
    if (buttons.play.dataset.icon === key) return;
    buttons.play.dataset.icon = key;
    buttons.play.replaceChildren(icon(key));
    set(buttons.play, "title", say(key));
    set(buttons.play, "aria-label", say(key));
  };
  return {
    element, paintPlay,
    /** Paint the place in the pass; `told` is what the sentence says. */
    paint(told) {
      scrub.value = session.i;
      set(scrub, "aria-valuetext", told.speech.slice(0, LONG_SPEECH));
      put(count, `${session.i} / ${length}`);
      buttons.back.disabled = session.i === 0;
      buttons.next.disabled = session.i === length && !session.question;
      if (more) more.hidden = session.i !== length;
      paintPlay();
    },
  };
}

function nextStep(app) {
  const onclick = () => app.leaves.nextStep();
  return h("button", { type: "button", class: "again", "data-k": "again", text: app.say("next_step"), onclick });
}

function speed(app) {
  const { player } = app;
  const options = SPEEDS.map(x => [x, `${x}×`]);
  const element = choice(app.say("speed"), "speed", options, player.speed, x => { player.speed = Number(x); });
  element.classList.add("speed");
  return element;
}

/** Marks above the scrub bar: where the forward pass, the backward pass, each sweep and the update begin. */
function bands(app, length) {
  const marks = beginnings(app);
  const sweeps = marks.filter(mark => mark.sweep).length;
  const box = h("div", { class: "bands", "aria-hidden": "true" });
  const percent = part => `${(100 * part) / Math.max(1, length)}%`;
  marks.forEach(({ i, text, sweep }, k) => {
    const end = marks[k + 1]?.i ?? length;
    const named = (end - i) / Math.max(1, length) > LEAST_NAMED ? text : "";
    const short = sweep && sweeps > MANY_SWEEPS ? String(sweep) : named;
    box.append(h("span", { text: short, title: text, style: `left:${percent(i)};width:${percent(end - i)}` }));
  });
  return box;
}

/** The frames at which something begins: {i, text, sweep}. */
function beginnings({ session, say }) {
  const marks = [];
  const seen = { seed: 0, update: 0 };
  const add = (i, text, sweep = 0) => marks.push({ i, text, sweep });
  session.pass.frames.forEach((frame, i) => {
    if (frame.do === "start") add(i, say("forward_pass"));
    if (frame.do === "seed") add(i, say(seen.seed++ ? "second_pass" : "backward_pass"));
    if (frame.do === "sweep") add(i, say("sweep", { k: frame.sweep + 1, n: frame.of }), frame.sweep + 1);
    if (frame.do === "update" && !seen.update++) add(i, say("update"));
    if (frame.do === "after") add(i, say("loss_after"));
  });
  return marks;
}
