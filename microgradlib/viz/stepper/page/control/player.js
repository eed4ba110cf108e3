// Moving between frames: step, back, play, jump. A frame's look never depends on the way there.

import { calm } from "../view/dom.js";
import { fly } from "../view/edges.js";
import { changes, lastArrival } from "../model/states.js";

const FLIGHT = 620; // milliseconds in which a number travels along its edge
const TERM = 1900; // milliseconds that a term is shown while playing, and any other stop
const OTHER = 1500;

export class Player {
  constructor(app) {
    this.app = app;
    this.speed = 1;
    this.playing = false;
    this.timer = 0;
  }

  /** Go to a frame; only what may have changed is painted. A question is left, unless it is the one that is asked. */
  go(i, { smooth = true, asks = false } = {}) {
    const { app } = this;
    const { session } = app;
    const [from, before] = [session.i, session.now];
    const whole = session.ghost !== null || session.question !== null;
    if (!asks) session.drop();
    session.ghost = null;
    app.predictor.verdict = null;
    session.go(i);
    app.paint({ moved: true, smooth, only: whole ? null : changes(session, from, before, session.i, session.now) });
  }

  scrub(i) {
    this.halt();
    this.go(i, { smooth: false });
  }

  /** The next stop; in predict mode its term is asked for first. */
  next() {
    const { app } = this;
    const { session } = app;
    if (session.question) {
      app.message.focus();
      return;
    }
    const stop = session.following();
    if (stop === null) {
      this.halt();
      return;
    }
    const row = session.pass.rows[stop];
    if (session.settings.predict && row) {
      this.halt();
      app.predictor.ask(stop);
      return;
    }
    this.go(stop);
    if (row && session.now.rows.length === 1) this.fly(row);
  }

  back() {
    this.halt();
    const stop = this.app.session.preceding();
    if (stop !== null) this.go(stop);
  }

  /** To the next or the last stop by nodes, whatever the steps are. */
  leap(forward) {
    this.halt();
    const { session } = this.app;
    const stops = session.stopsBy("node");
    const stop = forward ? stops.find(i => i > session.i) : stops.filter(i => i < session.i).pop();
    if (stop !== undefined) this.go(stop);
  }

  /** To the frame in which a node gets its gradient, or its value if there is none; the node stays selected. */
  jump(id) {
    const { pass } = this.app.session;
    const arrival = lastArrival(pass, id) || pass.known[id];
    this.halt();
    if (this.app.selected !== id) this.app.select(id);
    this.go(arrival);
  }

  /** Let the upstream number travel to where it becomes a term. */
  fly(row) {
    if (!calm()) fly(this.app.graph, row, this.app.session.settings.mode !== "forward", FLIGHT / this.speed);
  }

  play() {
    if (this.playing) {
      this.halt();
      return;
    }
    const { session } = this.app;
    if (session.following() === null) this.go(0);
    this.playing = true;
    const beat = () => {
      this.next();
      if (this.playing) this.timer = setTimeout(beat, (session.pass.rows[session.i] ? TERM : OTHER) / this.speed);
    };
    beat();
    this.app.controls.paintPlay();
  }

  halt() {
    clearTimeout(this.timer);
    if (!this.playing) return;
    this.playing = false;
    this.app.controls.paintPlay();
  }
}
