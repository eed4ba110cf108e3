// Numeric derivatives beside gradients: each reruns the graph, so a few are made while painting, others later.

const AT_ONCE = 6;
const PAUSE = 30; // milliseconds

export class Checker {
  constructor(app) {
    this.app = app;
    this.waiting = new Set();
    this.left = 0;
    this.timer = 0;
  }

  /** Begin to paint: so many checks may be made. */
  begin() {
    this.left = AT_ONCE;
  }

  /** Whether one more may be made now. */
  allows() {
    this.left -= 1;
    return this.left >= 0;
  }

  /** Make the check of a node later, and paint its lines of the table again. */
  later(id) {
    if (this.app.session.operations) this.waiting.add(id);
  }

  clear() {
    this.waiting.clear();
  }

  /** Go on with the waiting ones, a few at a time. */
  run() {
    if (!this.waiting.size || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.begin();
      for (const id of [...this.waiting].slice(0, AT_ONCE)) {
        this.waiting.delete(id);
        this.app.table.paint(id);
      }
      this.run();
    }, PAUSE);
  }

  end() {
    clearTimeout(this.timer);
  }
}
