// What of the graph is in view: all of it where it can be read, else what is happening; by hand, by zoom, by overview.

import { calm, h, iconButton, s, set } from "./dom.js";

const READABLE = 0.7; // below this scale the view follows what happens
const LEAST = 0.62; // at no smaller scale, except for a layer at once
const LARGEST = 1.7;
const BELOW = 16; // room for what stands below the lowest card: the number of a bug
const LEAST_FOR_MAP = 260; // in a lower drawing an overview would cover what it shows
const CORNERS = ["map", "map up", "map up right"]; // of the overview; the fourth is the buttons'
const MAP_FRAME = 18; // around the overview: its distance from the edges, padding and border

/** The smallest box around some boxes. */
function around(boxes) {
  const [x0, y0] = [0, 1].map(k => Math.min(...boxes.map(box => box[k])));
  const [x1, y1] = [0, 1].map(k => Math.max(...boxes.map(box => box[k] + box[k + 2])));
  return [x0, y0, x1 - x0, y1 - y0];
}

/** The length that two intervals have in common, each given by its start and its length. */
const common = (a, length, b, other) => Math.max(0, Math.min(a + length, b + other) - Math.max(a, b));

export function buildCamera(app, graph) {
  const { level } = app.session;
  const { svg, element } = graph;
  const [width, height] = [level.size[0], level.size[1] + BELOW];
  let view = null; // [x, y, width, height] in the graph's units
  let manual = ""; // "" follows, "fit" shows all, "free" stays where the reader put it
  let glide = 0;
  let drawn = 0; // the scale of the drawing
  const map = overview();
  element.append(map.element, h("div", { class: "zoom" },
    iconButton("minus", app.say("zoom_out"), () => zoom(1.25), { "data-k": "out" }),
    iconButton("fit", app.say("fit"), () => fit(), { "data-k": "fit" }),
    iconButton("plus", app.say("zoom_in"), () => zoom(0.8), { "data-k": "in" })));
  drag();

  set(svg, "viewBox", `0 0 ${width} ${height}`);

  /** The drawing is as large as the scale makes it and is shifted: a shift needs no new layout of its texts. */
  function show(next) {
    view = next;
    const scale = room()[0] / next[2];
    if (scale !== drawn) {
      drawn = scale;
      svg.style.width = `${(width * scale).toFixed(2)}px`;
      svg.style.height = `${(height * scale).toFixed(2)}px`;
    }
    svg.style.transform = `translate(${(-next[0] * scale).toFixed(1)}px,${(-next[1] * scale).toFixed(1)}px)`;
    map.paint(next);
  }

  let size = null; // read once until the page changes: reading it makes the browser lay out everything anew
  const room = () => (size ??= [element.clientWidth || 800, element.clientHeight || 400]);

  function whole() {
    const [w, h2] = room();
    const scale = Math.min(w / width, h2 / height, LARGEST);
    return { scale, view: [(width - w / scale) / 2, (height - h2 / scale) / 2, w / scale, h2 / scale] };
  }

  /** The boxes of the nodes that take part in the present stop, that of the node whose turn it is first. */
  function happening() {
    const { now, question, pass, i } = app.session;
    const first = i === 0 ? [pass.frames[1]?.node].filter(id => id !== undefined) : [];
    const inputs = [...now.fresh, ...first].flatMap(id => (level.nodes[id].in ?? []).map(e => level.edges[e].tail));
    const parts = question ? [question.row.from, question.row.to] : [...now.from, ...now.fresh, ...first, ...now.to];
    const ids = parts.length || app.selected === null ? parts : [app.selected];
    const card = node => node.box ?? level.nodes[node.row_of?.[0]]?.box;
    return [...ids, ...inputs].map(id => card(level.nodes[id])).filter(Boolean);
  }

  /** The largest scale, at most 1, at which a part [x, y, width, height] of the drawing is in view. */
  function fitting([, , w, h2]) {
    const [width_, height_] = room();
    return Math.min(1, width_ / (w + 80), height_ / (h2 + 60));
  }

  /** What should be in view, and how large: all that happens, else the node whose turn it is, else what it reaches. */
  function aimed(boxes, least) {
    const parts = [around(boxes), boxes[0], boxes[1] ?? boxes[0]];
    const part = parts.find(box => fitting(box) >= least) ?? parts[2];
    return { part, best: Math.max(least, fitting(part)) };
  }

  function wanted() {
    const all = whole();
    const boxes = happening();
    if (all.scale >= READABLE || manual === "fit") return all.view;
    if (!boxes.length) return view ?? all.view;
    const { part, best } = aimed(boxes, app.session.settings.by === "layer" ? all.scale : LEAST);
    const [x, y, w, h2] = part;
    const [roomX, roomY] = room();
    const kept = (w + 20) * drawn <= roomX && (h2 + 20) * drawn <= roomY && drawn >= 0.75 * best && drawn <= 1;
    const inView = x >= view?.[0] && y >= view[1] && x + w <= view[0] + view[2] && y + h2 <= view[1] + view[3];
    if (kept && inView) return view;
    const scale = kept ? drawn : best; // a change of scale is costly, and restless
    const [vw, vh] = [roomX / scale, roomY / scale];
    const inside = (low, size, span) => (size >= span ? (span - size) / 2 : Math.max(0, Math.min(span - size, low)));
    return [inside(x + (w - vw) / 2, vw, width), inside(y + (h2 - vh) / 2, vh, height), vw, vh];
  }

  /** Move to what should be seen; `smooth`: in a quarter of a second. */
  function aim(smooth) {
    if (manual === "free" && view) return;
    const next = wanted();
    map.avoid(next, happening());
    cancelAnimationFrame(glide);
    if (!smooth || calm() || !view) {
      show(next);
      return;
    }
    if (next.every((x, k) => Math.abs(x - view[k]) < 0.5)) return;
    const from = view;
    const begun = performance.now();
    const move = time => {
      const part = Math.min(1, Math.max(0, (time - begun) / 260)); // the frame may have begun before
      show(next.map((x, k) => from[k] + (x - from[k]) * part * (2 - part)));
      if (part < 1) glide = requestAnimationFrame(move);
    };
    glide = requestAnimationFrame(move);
  }

  function zoom(factor) {
    manual = "free";
    const [x, y, w, h2] = view;
    show([x + (w * (1 - factor)) / 2, y + (h2 * (1 - factor)) / 2, w * factor, h2 * factor]);
  }

  /** All of the graph; once more: what is happening. */
  function fit() {
    manual = manual === "fit" ? "" : "fit";
    aim(true);
  }

  function drag() {
    let from = null;
    svg.onpointerdown = event => { from = { x: event.clientX, y: event.clientY, view: [...view] }; };
    svg.onpointermove = event => {
      if (!from || !(event.buttons & 1)) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (Math.hypot(dx, dy) < 4) return;
      const scale = view[2] / room()[0];
      manual = "free";
      show([from.view[0] - dx * scale, from.view[1] - dy * scale, view[2], view[3]]);
    };
    svg.onpointerup = () => { from = null; };
    svg.addEventListener("wheel", event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.1 : 0.9);
    }, { passive: false });
  }

  /** A small picture of all cards, shown while only a part is in view. */
  function overview() {
    const cards = level.nodes.filter(n => n.box && !n.row_of).map(n => n.box);
    const boxes = cards.map(([x, y, w, h2]) => s("rect", { x, y, width: w, height: h2, rx: 8 }));
    const window_ = s("rect", { class: "view" });
    const small = s("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, s("g", {}, ...boxes), window_);
    const box = h("div", { class: "map", title: app.say("map") }, small);
    const longest = Math.max(width / 160, height / 90);
    const own = [width / longest, height / longest];
    small.style.width = `${own[0].toFixed(0)}px`;
    small.style.height = `${own[1].toFixed(0)}px`;
    box.onclick = event => {
      const area = small.getBoundingClientRect();
      manual = "free";
      const [, , w, h2] = view;
      const [px, py] = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
      show([px * width - w / 2, py * height - h2 / 2, w, h2]);
    };
    const paint = ([x, y, w, h2]) => {
      box.hidden = (w >= width - 1 && h2 >= height - 1) || room()[1] < LEAST_FOR_MAP;
      for (const [key, value] of Object.entries({ x, y, width: w, height: h2 })) set(window_, key, value.toFixed(0));
    };
    /** Go to the corner where the overview covers least of what happens, else of all cards; stay if none is better. */
    const avoid = ([x, y, w, h2], happens) => {
      const boxes = happens.length ? happens : cards;
      const [roomX] = room();
      const [mapW, mapH] = own.map(length => ((length + MAP_FRAME) * w) / roomX); // in the graph's units, as boxes are
      const covered = corner => {
        const left = corner.includes("right") ? x + w - mapW : x;
        const top = corner.includes("up") ? y : y + h2 - mapH;
        return boxes.reduce((sum, b) => sum + common(left, mapW, b[0], b[2]) * common(top, mapH, b[1], b[3]), 0);
      };
      const least = Math.min(...CORNERS.map(covered));
      set(box, "class", [box.className, ...CORNERS].find(corner => covered(corner) === least));
    };
    return { element: box, paint, avoid };
  }

  /** The place for the graph has changed its size. */
  function resized() {
    size = null;
    aim(false);
  }

  return { aim, fit, resized };
}
