// Levels of detail: groups that open and close, and tapes that arrive from a kernel.

export class Levels {
  constructor(app) {
    this.app = app;
  }

  get all() {
    return this.app.session.tape.levels;
  }

  /** Whether there is a level, here or from the kernel, in which this group is closed. */
  canClose(id) {
    return this.app.live || this.all.some(level => level.closed.includes(id));
  }

  /** Open a closed group or close an open one: show the level that differs least from the present one otherwise. */
  toggle(id) {
    const { app } = this;
    const closed = new Set(app.session.level.closed);
    const close = !closed.has(id);
    if (close) closed.add(id);
    else closed.delete(id);
    const fitting = this.all.map((level, place) => ({ place, far: difference(level.closed, closed), level }));
    const [best] = fitting.filter(x => x.level.closed.includes(id) === close).sort((a, b) => a.far - b.far);
    if (app.live && (!best || best.far)) app.send("closed", [...closed]);
    else if (best) this.open(best.place);
  }

  open(place) {
    const { session, player } = this.app;
    const { level, i } = session;
    const { frames } = session.pass;
    player.halt();
    session.open(place);
    this.follow(level, frames[i], i / (frames.length - 1));
  }

  /** After another level was opened: go to the frame at which as much has happened, and keep the selected node. */
  follow(before, frame, share) {
    const { app } = this;
    const { session } = app;
    const { level } = session;
    const of = id => (id === undefined ? null : before.nodes[id].of);
    session.drop();
    session.settings.input = null;
    session.ghost = null;
    session.compute();
    const alike = f => f.do === frame.do && (f.node === undefined ? null : level.nodes[f.node].of) === of(frame.node);
    const same = frame.edge === undefined ? session.pass.frames.findIndex(alike) : -1;
    session.go(same >= 0 ? same : share * (session.pass.frames.length - 1));
    const selected = app.selected === null ? undefined : level.nodes.find(n => n.of === of(app.selected));
    app.selected = selected?.id ?? null;
    app.predictor.verdict = null;
    app.build();
  }

  /** A kernel's answer: numbers of the same graph are replaced in place, another level is opened. */
  renew(tape) {
    const { app } = this;
    const { session } = app;
    const { level, place, i } = session;
    const { frames } = session.pass;
    const opens = (tape.start ?? 0) !== (session.tape.start ?? 0);
    if (opens) {
      session.load(tape);
      this.follow(level, frames[i], i / (frames.length - 1));
    } else if (sameGraph(level, tape.levels[place])) {
      session.load({ ...tape, start: place });
      session.tape = tape;
      app.paint({ announce: false });
    } else {
      app.selected = null;
      session.load(tape);
      app.build();
    }
  }
}

/** In how many groups two sets of closed ones differ. */
function difference(list, closed) {
  const shared = list.filter(id => closed.has(id)).length;
  return list.length + closed.size - 2 * shared;
}

/** Whether two levels are of the same graph, so that one's numbers can replace the other's. */
function sameGraph(a, b) {
  if (!b || a.nodes.length !== b.nodes.length || a.edges.length !== b.edges.length) return false;
  return a.nodes.every((n, k) => n.full === b.nodes[k].full && n.op === b.nodes[k].op);
}
