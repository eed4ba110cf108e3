// render({model, el}): the stepper in an element, for a notebook's widget and for a file alike.
//
// model.get gives "tape" (see Python's side), "lang", "theme", "height", "live" (a kernel answers) and "page" (it fills
// the page). To a kernel go "leaves" (numbers of sliders), "closed" (groups) and "score".

import { buildCamera } from "./view/camera.js";
import { Checker } from "./control/checker.js";
import { buildControls } from "./view/controls.js";
import { h, set } from "./view/dom.js";
import { buildGraph } from "./view/graph.js";
import { buildHeader } from "./view/header.js";
import { keyboard } from "./control/keyboard.js";
import { Leaves } from "./control/leaves.js";
import { Levels } from "./control/levels.js";
import { buildMessage } from "./view/message.js";
import { buildPanel } from "./view/panel.js";
import { paths } from "./model/paths.js";
import { Player } from "./control/player.js";
import { Predictor } from "./control/predictor.js";
import { Session } from "./model/session.js";
import { STYLE } from "./style.js";
import { buildTable } from "./view/table.js";
import { isDark, watchTheme } from "./view/theme.js";
import { speaker } from "./model/words.js";

const HEIGHT = 640; // of a widget, in pixels
const WIDE = 2; // drawings at least so many times as wide as high stand above the table, others beside it
const ROOM_FOR_PANEL = [1100, 640]; // in less the panel beside the table is shut at first
const MOST_LIVELY = 60; // in larger graphs lines change at once, without a transition
const PANES = { graph: "view_graph", table: "view_table", inputs: "inputs", node: "node" };

export class Stepper {
  constructor(model, host) {
    const tape = model.get("tape");
    this.model = model;
    this.live = Boolean(model.get("live"));
    this.language = model.get("lang") || tape.lang || "en";
    this.theme = model.get("theme") || tape.theme || "";
    this.session = new Session(tape, { mode: firstMode(tape), bug: tape.bug ?? "" });
    this.selected = null; // a node
    this.showing = 0; // the request to scroll the table
    this.tab = "inputs"; // of the panel: "inputs", "node" or "" for shut
    this.pane = "graph"; // of a narrow screen
    [this.player, this.predictor, this.levels] = [new Player(this), new Predictor(this), new Levels(this)];
    [this.leaves, this.checker] = [new Leaves(this), new Checker(this)];
    this.root = h("section", { class: "app", tabindex: 0 });
    this.shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.shadow.replaceChildren(h("style", { text: STYLE }), this.root);
    host.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's keys are not for what is in here
    if (!model.get("page")) this.root.style.height = `${model.get("height") || HEIGHT}px`;
    const [width, height] = ROOM_FOR_PANEL;
    if (host.clientWidth && (host.clientWidth < width || this.root.clientHeight < height)) this.tab = "";
    this.sizes = new ResizeObserver(() => this.camera.resized());
    this.build();
    this.listen();
  }

  get tape() {
    return this.session.tape;
  }

  listen() {
    const renewed = () => this.levels.renew(this.model.get("tape"));
    this.model.on("change:tape", renewed);
    this.ends = [
      keyboard(this), watchTheme(() => this.dress()), () => this.sizes.disconnect(), () => this.player.halt(),
      () => this.checker.end(), () => this.model.off("change:tape", renewed),
    ];
  }

  end() {
    for (const end of this.ends) end();
  }

  /** Tell a kernel, if there is one. */
  send(key, value) {
    if (!this.live) return;
    this.model.set(key, value);
    this.model.save_changes();
  }

  // ---- building: once for a language, mode, bug or level

  build() {
    const focused = this.focusedKey();
    const { level, tape } = this.session;
    this.say = speaker(this.language);
    this.root.lang = this.language;
    set(this.root, "aria-label", `${tape.title ?? ""} ${this.say("graph", { n: level.nodes.length })}`);
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
    const side = h("div", { class: "side" }, this.table.element, this.panel.element);
    const { message, controls } = this;
    const parts = [this.header, this.panes, this.graph.element, message.element, message.live, controls.element, side];
    this.root.replaceChildren(h("div", { class: "page" }, ...parts));
    this.camera = buildCamera(this, this.graph);
    this.sizes.disconnect();
    this.sizes.observe(this.graph.element);
    this.paint({ announce: false });
    this.focusKey(focused);
  }

  /** On a narrow screen one of graph, table, inputs and node is seen at a time. */
  buildPanes() {
    const tabs = Object.entries(PANES).map(([pane, word]) => h("button", {
      type: "button", role: "tab", "data-k": `pane${pane}`, "data-pane": pane, text: this.say(word),
      onclick: () => this.openPane(pane),
    }));
    return h("div", { class: "panes", role: "tablist" }, ...tabs);
  }

  rebuildHeader() {
    const focused = this.focusedKey();
    const header = buildHeader(this);
    this.header.replaceWith(header);
    this.header = header;
    this.focusKey(focused);
  }

  /** The control that has the focus is found again after building by its key. */
  focusedKey() {
    return this.shadow.activeElement?.dataset?.k;
  }

  focusKey(key) {
    if (key) this.shadow.querySelector(`[data-k="${key}"]`)?.focus({ preventScroll: true });
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  dress() {
    this.root.classList.toggle("dark", isDark(this.theme));
  }

  // ---- painting: the page at the present frame, whatever came before

  /** Paint everything, or `only` some nodes and edges; `moved`: let the table follow, and the view, at once or smoothly. */
  paint({ announce = true, moved = false, smooth = true, only = null } = {}) {
    const { session } = this;
    this.checker.begin();
    for (const e of only ? only.edges : session.level.edges.keys()) this.graph.paintEdge(e);
    for (const id of only ? only.nodes : session.level.nodes.keys()) {
      this.graph.paintNode(id);
      this.table.paint(id);
    }
    if (!only) this.graph.dim(this.ways());
    this.panel.paint();
    this.controls.paint(this.message.paint(announce));
    set(this.root, "data-pane", this.pane);
    for (const tab of this.panes.children) set(tab, "aria-selected", String(tab.dataset.pane === this.pane));
    this.camera.aim(moved && smooth);
    if (moved) this.showInTable();
    this.checker.run();
  }

  /** What is seen of the graph while one node is looked at: its ways to the output. */
  ways() {
    const { level, numbers } = this.session;
    return this.tab === "node" && this.selected !== null ? paths(level, numbers.local, this.selected) : null;
  }

  showInTable() {
    const { to, fresh, from } = this.session.now;
    const [target] = to.size === 1 ? to : fresh.size ? fresh : from;
    cancelAnimationFrame(this.showing);
    const { table } = this;
    if (target !== undefined) this.showing = requestAnimationFrame(() => table.show(target)); // one layout for all
  }

  hover(id, e) {
    this.graph.hover(id, e);
    this.table.hover(id, e);
  }

  // ---- settings

  change(settings) {
    this.player.halt();
    Object.assign(this.session.settings, settings);
    this.session.drop();
    this.predictor.verdict = null;
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

  // ---- one node, and the panel

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
}

/** What to begin with: a tape of a training step begins with that. */
function firstMode(tape) {
  const { passes } = tape.levels[tape.start ?? 0];
  const own = (tape.mode ?? "reverse") !== "reverse" || tape.bug;
  return passes.training && !own ? "training" : tape.mode ?? null;
}

/** What anywidget calls. Returns the function that takes the stepper down again. */
export function render({ model, el }) {
  const stepper = new Stepper(model, el);
  el.stepper = stepper;
  return () => stepper.end();
}

export default { render };
