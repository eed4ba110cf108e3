// render({model, el}): the stepper in an element, for a notebook's widget and for a file alike.
//
// model.get gives "tape" (see Python's side), "lang", "theme", "live" (a kernel answers) and "page" (it fills a page).

import { buildCamera } from "./camera.js";
import { buildControls } from "./controls.js";
import { calm, h, set } from "./dom.js";
import { buildGraph, fly } from "./graph.js";
import { buildHeader } from "./header.js";
import { answer, judge, scoreTable } from "./judge.js";
import { keyboard } from "./keyboard.js";
import { buildMessage } from "./message.js";
import { encode, format, parse } from "./numbers.js";
import { buildPanel } from "./panel.js";
import { paths } from "./paths.js";
import { Session } from "./session.js";
import { changes } from "./states.js";
import { STYLE } from "./style.js";
import { buildTable } from "./table.js";
import { isDark, watchTheme } from "./theme.js";
import { speaker } from "./words.js";

const WIDGET_HEIGHT = 640;
const WIDE = 2; // drawings at least so many times as wide as high stand above the table, others beside it
const MOST_LIVELY = 60; // in larger graphs lines change at once, without a transition
const CHECKS_AT_ONCE = 6;

export class Stepper {
  constructor(model, host) {
    this.model = model;
    this.host = host;
    this.tape = model.get("tape");
    this.live = Boolean(model.get("live"));
    this.language = model.get("lang") || this.tape.lang || "en";
    this.theme = model.get("theme") || this.tape.theme || "";
    this.session = new Session(this.tape, { mode: firstMode(this.tape), bug: this.tape.bug ?? "" });
    this.selected = null;
    this.tab = "inputs";
    this.pane = "graph"; // of a narrow screen
    this.speed = 1;
    this.verdict = null;
    this.playing = false;
    this.timer = 0;
    this.losses = [];
    this.checkBudget = 0;
    this.checkQueue = new Set();
    this.shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.root = h("section", { class: "app", tabindex: 0 });
    this.shadow.replaceChildren(h("style", { text: STYLE }), this.root);
    host.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's keys are not for what is in here
    if (!model.get("page")) host.style.height = `${model.get("height") || WIDGET_HEIGHT}px`;
    if (host.clientWidth && (host.clientWidth < 1100 || host.clientHeight < 640)) this.tab = "";
    this.ends = [keyboard(this), watchTheme(() => this.dress())];
    this.build();
    this.observe();
  }

  observe() {
    const sizes = new ResizeObserver(() => this.camera.resized());
    sizes.observe(this.root);
    this.sizes = sizes;
    sizes.observe(this.graph.element);
    const renewed = () => this.renew(this.model.get("tape"));
    this.model.on("change:tape", renewed);
    this.ends.push(() => sizes.disconnect(), () => this.model.off("change:tape", renewed), () => this.halt());
  }

  end() {
    for (const end of this.ends) end();
  }

  // ---- building: once for a language, mode, bug or level

  build() {
    const focused = this.shadow.activeElement?.dataset?.k;
    this.say = speaker(this.language);
    const { level } = this.session;
    this.root.lang = this.language;
    set(this.root, "aria-label", `${this.tape.title ?? ""} ${this.say("graph", { n: level.nodes.length })}`);
    this.root.classList.toggle("lively", level.nodes.length <= MOST_LIVELY);
    this.root.classList.toggle("flat", level.size[0] / level.size[1] >= WIDE);
    this.dress();
    this.graph = buildGraph(this);
    this.table = buildTable(this);
    this.panel = buildPanel(this);
    this.message = buildMessage(this);
    this.controls = buildControls(this);
    this.header = buildHeader(this);
    this.panes = this.buildPanes();
    this.side = h("div", { class: "side" }, this.table.element, this.panel.element);
    const parts = [this.header, this.panes, this.graph.element, this.side, this.message.element, this.message.live, this.controls.element];
    this.root.replaceChildren(h("div", { class: "page" }, ...parts));
    this.camera = buildCamera(this, this.graph);
    this.sizes?.observe(this.graph.element);
    this.paint({ announce: false });
    if (focused) this.shadow.querySelector(`[data-k="${focused}"]`)?.focus({ preventScroll: true });
  }

  /** On a narrow screen one of graph, table, inputs and node is seen at a time. */
  buildPanes() {
    const keys = [["graph", "view_graph"], ["table", "view_table"], ["inputs", "inputs"], ["node", "node"]];
    const tabs = keys.map(([key, word]) => h("button", { type: "button", role: "tab", "data-k": `pane${key}`, "data-pane": key, text: this.say(word), onclick: () => this.openPane(key) }));
    return h("div", { class: "panes", role: "tablist" }, ...tabs);
  }

  rebuildHeader() {
    const focused = this.shadow.activeElement?.dataset?.k;
    const header = buildHeader(this);
    this.header.replaceWith(header);
    this.header = header;
    if (focused) this.shadow.querySelector(`[data-k="${focused}"]`)?.focus({ preventScroll: true });
  }

  dress() {
    this.root.classList.toggle("dark", isDark(this.theme));
  }

  // ---- painting: the page at the present frame, whatever came before

  paint({ announce = true, moved = false, only = null } = {}) {
    const { session } = this;
    this.checkBudget = CHECKS_AT_ONCE;
    const nodes = only ? only.nodes : session.level.nodes.keys();
    const edges = only ? only.edges : session.level.edges.keys();
    for (const e of edges) this.graph.paintEdge(e);
    for (const id of nodes) {
      this.graph.paintNode(id);
      this.table.paint(id);
    }
    if (!only) this.graph.dim(this.tab === "node" && this.selected !== null ? paths(session.level, session.numbers.local, this.selected) : null);
    this.panel.paint();
    const told = this.message.paint(announce);
    this.controls.paint(this.playing, told);
    this.paintPanes();
    this.camera.aim(moved);
    if (moved) this.showInTable();
    this.runChecks();
  }

  paintPanes() {
    set(this.root, "data-pane", this.pane);
    for (const tab of this.panes.children) set(tab, "aria-selected", String(tab.dataset.pane === this.pane));
  }

  showInTable() {
    const { to, fresh, from } = this.session.now;
    const [target] = to.size === 1 ? to : fresh.size ? fresh : from;
    if (target !== undefined) this.table.show(target);
  }

  // ---- numeric derivatives: a few while painting, the others when there is time

  mayCheck() {
    this.checkBudget -= 1;
    return this.checkBudget >= 0;
  }

  checkLater(id) {
    if (this.session.operations) this.checkQueue.add(id);
  }

  runChecks() {
    if (!this.checkQueue.size || this.checkTimer) return;
    this.checkTimer = setTimeout(() => {
      this.checkTimer = 0;
      this.checkBudget = CHECKS_AT_ONCE;
      const some = [...this.checkQueue].slice(0, CHECKS_AT_ONCE);
      for (const id of some) {
        this.checkQueue.delete(id);
        this.table.paint(id);
      }
      this.runChecks();
    }, 30);
  }

  // ---- moving between frames

  /** Go to a frame; only what may have changed is painted. */
  go(i, { moved = true, keepQuestion = false } = {}) {
    const { session } = this;
    const [from, before] = [session.i, session.now];
    const full = session.ghost !== null || session.question !== null || keepQuestion;
    if (!keepQuestion) session.drop();
    session.ghost = null;
    this.verdict = null;
    session.go(i);
    this.paint({ moved, only: full ? null : changes(session, from, before, session.i, session.now) });
  }

  scrub(i) {
    this.halt();
    this.go(i, { moved: false });
  }

  next() {
    const { session } = this;
    if (session.question) {
      this.shadow.querySelector(".ask input")?.focus();
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
      session.ask(stop);
      this.go(stop, { keepQuestion: true });
      return;
    }
    this.go(stop);
    if (row && session.now.rows.length === 1) this.flight(row);
  }

  back() {
    this.halt();
    const stop = this.session.preceding();
    if (stop !== null) this.go(stop);
  }

  /** To the next or the last stop by nodes, whatever the steps are. */
  leap(forward) {
    this.halt();
    const { session } = this;
    const by = session.stopsBy("node");
    const stop = forward ? by.find(i => i > session.i) : by.filter(i => i < session.i).pop();
    if (stop !== undefined) this.go(stop);
  }

  flight(row) {
    if (!calm()) fly(this.graph, row, this.session.settings.mode !== "forward", 620 / this.speed);
  }

  play() {
    if (this.playing) {
      this.halt();
      return;
    }
    const { session } = this;
    if (session.following() === null) this.go(0);
    this.playing = true;
    const beat = () => {
      this.next();
      if (this.playing) this.timer = setTimeout(beat, (session.pass.rows[session.i] ? 1900 : 1500) / this.speed);
    };
    beat();
    if (this.playing) this.controls.paint(true, { speech: "" });
  }

  halt() {
    clearTimeout(this.timer);
    if (!this.playing) return;
    this.playing = false;
    this.controls.paint(false, { speech: "" });
  }

  // ---- settings

  change(settings) {
    this.halt();
    Object.assign(this.session.settings, settings);
    this.session.drop();
    this.verdict = null;
    this.session.compute();
    this.build();
  }

  changeMode(mode, input = null) {
    this.session.i = 0;
    this.change({ mode, input, predict: false, bug: mode === "reverse" ? this.session.settings.bug : "" });
  }

  toggleTheme() {
    this.theme = isDark(this.theme) ? "light" : "dark";
    this.dress();
  }

  toggleLanguage() {
    this.language = this.language === "en" ? "zh" : "en";
    this.build();
  }

  // ---- groups

  /** Whether there is a level, here or from the kernel, in which this group is closed. */
  canClose(id) {
    return this.live || this.tape.levels.some(level => level.closed?.includes(id));
  }

  /** Open a closed group or close an open one: go to the level that differs least from the present one otherwise. */
  toggleGroup(id) {
    const { level } = this.session;
    const closed = new Set(level.closed ?? []);
    const wanted = !closed.has(id);
    if (wanted) closed.add(id);
    else closed.delete(id);
    const distance = other => {
      const set_ = new Set(other.closed ?? []);
      return [...set_].filter(g => !closed.has(g)).length + [...closed].filter(g => !set_.has(g)).length;
    };
    const fitting = this.tape.levels.map((other, place) => ({ place, other, far: distance(other) })).filter(x => (x.other.closed ?? []).includes(id) === wanted);
    fitting.sort((a, b) => a.far - b.far || a.place - b.place);
    if (this.live && (!fitting.length || fitting[0].far)) {
      this.model.set("closed", [...closed]);
      this.model.save_changes();
    } else if (fitting.length) this.openLevel(fitting[0].place);
  }

  /** Show another level of detail. */
  openLevel(place) {
    const { level, i, pass } = this.session;
    this.halt();
    this.session.open(place);
    this.follow(level, i, pass.frames);
  }

  /** After another level was opened: go to the frame at which as much has happened, and keep the selected node. */
  follow(before, i, frames = before.passes[this.session.settings.mode]) {
    const { session } = this;
    const { level } = session;
    const at = frames[i] ?? frames[frames.length - 1];
    const sameNode = frame => frame.node === undefined || level.nodes[frame.node].of === before.nodes[at.node].of;
    const same = at.edge === undefined ? session.pass.frames.findIndex(f => f.do === at.do && (at.node === undefined || sameNode(f))) : -1;
    session.drop();
    session.settings.input = null;
    session.ghost = null;
    session.compute();
    session.go(same >= 0 ? same : Math.round((i / (frames.length - 1)) * (session.pass.frames.length - 1)));
    const kept = this.selected === null ? null : before.nodes[this.selected].of;
    this.selected = kept === null ? null : level.nodes.find(n => n.of === kept)?.id ?? null;
    this.verdict = null;
    this.build();
  }

  /** Python's numbers for the same graph replace the page's in place; another level is opened, another graph built. */
  renew(tape) {
    const { session } = this;
    const before = this.tape;
    const place = tape.start ?? 0;
    this.tape = tape;
    if (place !== (before.start ?? 0)) {
      const shown = session.level;
      session.load(tape);
      this.follow(shown, session.i);
    } else if (before.levels.length === tape.levels.length && alike(before.levels[session.place], tape.levels[session.place])) {
      const { place: open } = session;
      session.load({ ...tape, start: open });
      this.paint({ announce: false });
    } else {
      this.selected = null;
      session.load(tape);
      this.build();
    }
  }

  // ---- sliders

  moveLeaf(id, x) {
    const { session } = this;
    if (!session.operations) return this.sendLeaf(id, x);
    session.drop();
    session.move(id, x);
    this.sendLeaves();
    this.checkQueue.clear();
    this.paint({ announce: false });
    return undefined;
  }

  typeLeaf(id, text) {
    const x = parse(text);
    if (x !== null) this.moveLeaf(id, x);
    this.panel.paint();
  }

  resetLeaves() {
    this.session.leaves.clear();
    this.session.ghost = null;
    this.session.rate = this.session.level.training?.rate ?? null;
    this.losses = [];
    this.session.compute();
    this.sendLeaves();
    this.paint({ announce: false });
  }

  setRate(rate) {
    this.session.rate = rate;
    this.session.compute();
    this.paint({ announce: false });
  }

  sendLeaf(id, x) {
    this.session.leaves.set(this.session.level.nodes[id].of, x);
    this.sendLeaves();
  }

  sendLeaves() {
    if (!this.live) return;
    this.model.set("leaves", Object.fromEntries([...this.session.leaves].map(([of, x]) => [of, encode(x)])));
    this.model.save_changes();
  }

  /** Take the updated parameters as the starting point of another training step. */
  nextTrainingStep() {
    const { session } = this;
    const { parameters, before } = session.training;
    this.losses.push(before);
    session.i = 0;
    for (const [id, x] of parameters) session.leaves.set(session.level.nodes[id].of, x);
    session.compute();
    this.sendLeaves();
    this.build();
  }

  // ---- predictions

  togglePredict() {
    const { session } = this;
    const predict = !session.settings.predict;
    if (predict && session.i < session.backward) session.i = session.backward;
    this.change({ predict, by: predict ? "term" : session.settings.by });
    this.root.focus({ preventScroll: true });
  }

  answer(text) {
    const { session, say } = this;
    const { question } = session;
    const typed = parse(text);
    if (typed === null) {
      this.verdict = { right: false, text: say("not_a_number") };
      this.paint({ only: { nodes: [], edges: [] } });
      return;
    }
    const asked = question.asked[question.step];
    question.tries.push(typed);
    const { right, hint } = judge(asked, typed, question.row);
    if (right) {
      session.settle(true, answer(asked, question.row));
      this.verdict = { right: true, text: say("right") };
      this.settled();
    } else {
      this.verdict = { right: false, text: `${say("not_yet")} ${say(hint)}` };
      this.paint({ only: { nodes: [], edges: [] } });
    }
  }

  giveUp() {
    const { session, say } = this;
    const value = answer(session.question.asked[session.question.step], session.question.row);
    session.settle(false, value);
    this.verdict = { right: false, text: say("answer", { value: format(value) }) };
    this.settled();
  }

  settled() {
    const { session } = this;
    if (this.live) {
      this.model.set("score", { asked: session.score.asked, right: session.score.right });
      this.model.save_changes();
    }
    this.rebuildHeader();
    this.paint({});
    if (session.question) return;
    this.root.focus({ preventScroll: true });
    this.flight(session.pass.rows[session.i]);
  }

  saveScore() {
    const text = scoreTable(this.session.score);
    const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "score.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // ---- one node

  select(id) {
    const same = this.selected === id && this.tab === "node";
    this.selected = same ? null : id;
    this.openTab(same ? "" : "node");
  }

  openTab(tab) {
    this.tab = tab;
    if (this.pane === "inputs" || this.pane === "node") this.pane = tab || "graph";
    this.panel.rebuild();
    this.paint({ announce: false });
  }

  openPane(pane) {
    this.pane = pane;
    if (pane === "inputs" || pane === "node") this.tab = pane;
    this.panel.rebuild();
    this.paint({ announce: false });
  }

  hover(id, e) {
    this.graph.hover(id, e);
    this.table.hover(id, e);
  }

  markWay(edges) {
    this.graph.mark(edges);
  }
}

/** What to begin with: a tape of a training step begins with that. */
function firstMode(tape) {
  const { passes } = tape.levels[tape.start ?? 0];
  return passes.training && (tape.mode ?? "reverse") === "reverse" && !tape.bug ? "training" : tape.mode ?? null;
}

/** Whether two levels are of the same graph, so that one's numbers can replace the other's. */
function alike(a, b) {
  return a.nodes.length === b.nodes.length && a.edges.length === b.edges.length && a.nodes.every((n, k) => n.full === b.nodes[k].full && n.op === b.nodes[k].op);
}

/** What anywidget calls. Returns the function that takes the stepper down again. */
export function render({ model, el }) {
  const stepper = new Stepper(model, el);
  el.stepper = stepper;
  return () => stepper.end();
}

export default { render };
