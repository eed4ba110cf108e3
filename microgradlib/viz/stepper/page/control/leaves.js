// Numbers that a reader changes: sliders, the learning rate, and parameters after a training step.

import { encode, parse } from "../model/numbers.js";

export class Leaves {
  constructor(app) {
    this.app = app;
    this.losses = []; // before each training step that was made
  }

  /** Move a leaf. The page computes at once where it can; a kernel's numbers replace its own when they arrive. */
  move(id, x) {
    const { session } = this.app;
    session.drop();
    session.move(id, x);
    this.changed();
  }

  /** Take a number that was typed; what is no number changes nothing. */
  type(id, text) {
    const x = parse(text);
    if (x !== null) this.move(id, x);
    this.app.panel.paint();
  }

  reset() {
    const { session } = this.app;
    session.leaves.clear();
    session.ghost = null;
    session.rate = session.level.training?.rate ?? null;
    session.compute();
    this.losses = [];
    this.changed();
  }

  setRate(rate) {
    this.app.session.rate = rate;
    this.app.session.compute();
    this.app.paint({ announce: false });
  }

  /** Take the updated parameters as the starting point of another training step. */
  nextStep() {
    const { session } = this.app;
    const { parameters, before } = session.training;
    this.losses.push(before);
    for (const [id, x] of parameters) session.leaves.set(session.level.nodes[id].of, x);
    session.i = 0;
    session.compute();
    this.send();
    this.app.build();
  }

  changed() {
    this.send();
    this.app.checker.clear();
    this.app.paint({ announce: false });
  }

  send() {
    const leaves = [...this.app.session.leaves].map(([of, x]) => [of, encode(x)]);
    this.app.send("leaves", Object.fromEntries(leaves));
  }
}
