// The state of one stepper, and all that follows from it. No document here: this half runs under Node too.

import { arrived, beginning, finals, framesOf, trace } from "./frames.js";
import { emptyScore, questions, scored } from "./judge.js";
import { compile, evaluate, numericDerivative } from "./numerics.js";
import { decode } from "./numbers.js";
import { busy, layers, span, stops } from "./stops.js";

const FRAMES_OF_BUG = { stale: "twice", order: "order" };

export class Session {
  constructor(tape, settings = {}) {
    this.settings = { mode: null, by: "term", bug: "", input: null, predict: false, ask: 1, ...settings };
    this.leaves = new Map(); // by the index in the whole graph, so that they hold in every level
    this.rate = null;
    this.ghost = null;
    this.question = null;
    this.score = emptyScore();
    this.i = 0;
    this.load(tape);
  }

  /** Take a tape: at the start, and when Python sends new numbers or another level. Programs of known levels stay. */
  load(tape) {
    const known = this.tape?.levels ?? [];
    this.programs = tape.levels.map((level, k) => (known[k]?.program === level.program ? this.programs[k] : undefined));
    this.tape = tape;
    this.originals ??= originalNumbers(tape);
    this.open(Math.min(tape.start ?? 0, tape.levels.length - 1));
  }

  /** Show another level of detail. */
  open(place) {
    this.place = place;
    this.level = this.tape.levels[place];
    if (this.programs[place] === undefined) this.programs[place] = compile(this.level);
    this.operations = this.programs[place];
    const { settings } = this;
    if (!this.modes().includes(settings.mode)) [settings.mode] = this.modes();
    if (!this.bugs().includes(settings.bug)) settings.bug = "";
    if (!this.steps().includes(settings.by)) settings.by = "term";
    this.rate ??= this.level.training?.rate ?? null;
    this.compute();
  }

  modes() {
    const { passes } = this.level;
    return ["training", "reverse", "forward"].filter(mode => passes[mode]);
  }

  bugs() {
    const { passes } = this.level;
    const has = bug => passes[FRAMES_OF_BUG[bug] ?? "reverse"];
    return ["assign", "stale", "order"].filter(bug => this.level.bugs.includes(bug) && has(bug));
  }

  steps() {
    return ["term", "node", ...(layers(this.level).length || this.level.groups.length ? ["layer"] : [])];
  }

  /** Follow a change of mode, bug, numbers or level. The frame stays where it is if there is one of that number. */
  compute() {
    const { level, settings, operations } = this;
    this.moved = this.movedLeaves();
    this.numbers = evaluate(level, operations, this.moved);
    const bug = settings.mode === "reverse" ? settings.bug : "";
    const other = level.passes[FRAMES_OF_BUG[bug]];
    const frames = other ?? framesOf(level, settings.mode, settings.input);
    this.pass = trace(level, this.numbers, frames);
    this.reverse = settings.mode === "reverse" && !bug ? this.pass : trace(level, this.numbers, level.passes.reverse);
    this.wrong = bug === "assign" || bug === "stale" ? trace(level, this.numbers, frames, bug) : null;
    this.finals = finals(level, this.reverse);
    this.training = settings.mode === "training" ? this.update() : null;
    this.updated = new Map(frames.flatMap((f, i) => (f.do === "update" ? [[f.node, i]] : [])));
    this.after = frames.findIndex(f => f.do === "after");
    this.checks = new Map();
    this.stops = stops(level, this.pass, settings.by);
    this.go(Math.min(this.i, frames.length - 1));
  }

  /** The leaves whose number is not that of the tape (whose numbers may be at other positions of the sliders). */
  movedLeaves() {
    if (!this.operations) return new Map();
    const leaves = this.level.nodes.filter(n => !n.op && this.originals.has(n.of));
    const moved = leaves.map(n => [n.id, this.leaves.get(n.of) ?? this.originals.get(n.of), decode(n.value)]);
    return new Map(moved.filter(([, x, own]) => !Object.is(x, own)));
  }

  /** The training step: parameters w − rate · gradient, and values after it. Python's own where nothing has moved. */
  update() {
    const { level, operations } = this;
    const { training } = level;
    const own = !this.moved.size && this.rate === training.rate;
    const parameters = new Map(training.parameters.map(id => {
      const step = this.rate * (this.finals[id] ?? 0);
      return [id, own ? decode(training.new[id]) : this.numbers.value[id] - step];
    }));
    const values = operations ? evaluate(level, operations, new Map([...this.moved, ...parameters])).value : null;
    const after = own || !values ? decode(training.after) : values[level.output];
    return { parameters, values, before: this.numbers.value[level.output], after };
  }

  /** Go to a frame. What is seen there does not depend on where one came from. */
  go(i) {
    this.i = Math.max(0, Math.min(this.pass.frames.length - 1, Math.round(i) || 0));
    this.now = this.happening();
  }

  /** What happens at the present stop: edges that carry a number, where from and where to, and new values. */
  happening() {
    const [first, last] = span(this.stops, this.i);
    const now = { edges: new Set(), from: new Set(), to: new Set(), fresh: new Set(), first, rows: [] };
    for (let k = first; k <= last; k += 1) {
      const row = this.pass.rows[k];
      const frame = this.pass.frames[k];
      if (row) {
        now.rows.push(row);
        now.edges.add(row.edge);
        now.from.add(row.from);
        now.to.add(row.to);
      } else if (busy(this.level, frame) !== null) now.fresh.add(frame.node);
    }
    return now;
  }

  /** The next stop, or null at the end; the stop before, or null at the start. */
  following() {
    return this.stops.find(stop => stop > this.i) ?? null;
  }

  preceding() {
    if (this.i === 0) return null;
    const before = this.stops.filter(stop => stop < this.i);
    return before.length ? before[before.length - 1] : 0;
  }

  stopsBy(by) {
    return stops(this.level, this.pass, by);
  }

  /** The frame at which gradients begin: where predicting starts. */
  get backward() {
    return this.pass.frames.findIndex(f => f.do === "seed" || f.do === "sweep");
  }

  /** Move a leaf to a number. */
  move(id, x) {
    const { of } = this.level.nodes[id];
    if (Object.is(x, this.originals.get(of))) this.leaves.delete(of);
    else this.leaves.set(of, x);
    this.compute();
  }

  /** Keep what is seen now, to show it struck through beside what comes. */
  remember() {
    const gradient = this.level.nodes.map(n => arrived(this.pass, n.id, this.i)?.after ?? null);
    this.ghost = { value: [...this.numbers.value], gradient };
  }

  /** The numeric derivative at a leaf: Python's, or the page's own where numbers have moved; null: not checked. */
  check(id, compute = true) {
    if (!this.moved.size && this.level.checks?.[id]) return this.level.checks[id];
    if (!this.checks.has(id)) {
      if (!compute || !this.operations) return null;
      this.checks.set(id, numericDerivative(this.level, this.operations, this.moved, id));
    }
    return this.checks.get(id);
  }

  /** Ask about the term of frame i. */
  ask(i) {
    this.go(i);
    this.question = { row: this.pass.rows[i], asked: questions(this.settings.ask), step: 0, tries: [] };
  }

  /** Leave the question; nothing is counted. */
  drop() {
    this.question = null;
  }

  /** Count the answer to the present question and go on to the next one of this term, if there is one. */
  settle(solved, answer) {
    const { question, level } = this;
    const { row, asked, step, tries } = question;
    const entry = { frame: this.i, node: level.nodes[row.to].full, asked: asked[step], answer, tries, solved };
    this.score = scored(this.score, entry);
    question.step += 1;
    question.tries = [];
    if (question.step === question.asked.length) this.question = null;
  }

  /** Which numbers of the present term are hidden. */
  hides(what) {
    return this.question !== null && this.question.asked.indexOf(what) >= this.question.step;
  }

  get start() {
    return beginning(this.pass, this.i);
  }
}

/** The numbers of all leaves in the first tape: where sliders begin, and go back to. */
function originalNumbers(tape) {
  const leaves = tape.levels.flatMap(level => level.nodes.filter(n => !n.op));
  return new Map(leaves.map(n => [n.of, decode(n.value)]));
}
