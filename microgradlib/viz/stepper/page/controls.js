// The line at the bottom: step buttons, the scrub bar with the passes marked on it, and the speed.

import { choice, h, icon, iconButton, put, set } from "./dom.js";

export function buildControls(app) {
  const { say } = app;
  const buttons = {
    first: iconButton("first", say("first"), () => app.go(0), { "data-k": "first" }),
    back: iconButton("back", say("back"), () => app.back(), { "data-k": "back" }),
    play: iconButton("play", say("play"), () => app.play(), { "data-k": "play" }),
    next: iconButton("next", say("next"), () => app.next(), { "data-k": "next", class: "main" }),
    last: iconButton("last", say("last"), () => app.go(Infinity), { "data-k": "last" }),
  };
  const length = app.session.pass.frames.length - 1;
  const scrub = h("input", { type: "range", min: 0, max: length, step: 1, "data-k": "scrub", "aria-label": say("position") });
  scrub.oninput = () => app.scrub(Number(scrub.value));
  const count = h("span", { class: "count num" });
  const speeds = [0.5, 1, 2, 4].map(speed => [speed, `${speed}×`]);
  const speed = choice(say("speed"), "speed", speeds, app.speed, value => { app.speed = Number(value); });
  speed.classList.add("speed");
  const track = h("div", { class: "track" }, bands(app, length), scrub);
  const more = app.session.training && app.session.operations
    ? h("button", { type: "button", class: "again", "data-k": "again", text: say("next_step"), onclick: () => app.nextTrainingStep() }) : null;
  const element = h("div", { class: "ctl" }, ...Object.values(buttons), track, count, more, speed);
  return {
    element,
    paint(playing, told) {
      const { session } = app;
      scrub.value = session.i;
      set(scrub, "aria-valuetext", told.speech.slice(0, 200));
      put(count, `${session.i} / ${length}`);
      buttons.back.disabled = session.i === 0;
      buttons.next.disabled = session.i === length && !session.question;
      const key = playing ? "pause" : "play";
      if (buttons.play.dataset.icon !== key) {
        buttons.play.dataset.icon = key;
        buttons.play.replaceChildren(icon(key));
        set(buttons.play, "title", say(key));
        set(buttons.play, "aria-label", say(key));
      }
      if (more) more.hidden = session.i !== length;
    },
  };
}

/** Marks above the scrub bar: where the forward pass, the backward pass, each sweep and the update begin. */
function bands(app, length) {
  const { session, say } = app;
  const names = {
    start: () => say("forward_pass"), seed: (_, nth) => say(nth ? "second_pass" : "backward_pass"),
    sweep: frame => say("sweep", { k: frame.sweep + 1, n: frame.of }), update: () => say("update"), after: () => say("loss_after"),
  };
  const marks = [];
  const seen = {};
  session.pass.frames.forEach((frame, i) => {
    if (!names[frame.do] || (frame.do === "update" && seen.update)) return;
    marks.push([i, names[frame.do](frame, seen[frame.do] ?? 0)]);
    seen[frame.do] = (seen[frame.do] ?? 0) + 1;
  });
  const box = h("div", { class: "bands", "aria-hidden": "true" });
  marks.forEach(([i, text], k) => {
    const end = marks[k + 1]?.[0] ?? length;
    const share = (end - i) / Math.max(1, length);
    const label = seen.sweep > 6 && frameSweep(session, i) ? String(k) : text;
    box.append(h("span", { text: label, title: text, style: `left:${(100 * i) / Math.max(1, length)}%;width:${100 * share}%` }));
  });
  return box;
}

const frameSweep = (session, i) => session.pass.frames[i].do === "sweep";
