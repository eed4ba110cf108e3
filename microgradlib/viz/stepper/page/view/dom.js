// Elements of HTML and SVG. Texts are always set as text, never as markup, so that no label can break out.

const SVG = "http://www.w3.org/2000/svg";

function apply(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") element.textContent = value;
    else if (typeof value === "function") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  return element;
}

/** An element of HTML: h("b", {class: "u", text: "3", onclick: …}, children). */
export function h(tag, attributes = {}, ...children) {
  const element = apply(document.createElement(tag), attributes);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** An element of SVG. */
export function s(tag, attributes = {}, ...children) {
  const element = apply(document.createElementNS(SVG, tag), attributes);
  element.append(...children);
  return element;
}

/** Set a text, an attribute or a class only where it differs: writing is what costs. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function set(element, key, value) {
  const text = String(value);
  if (element.getAttribute(key) !== text) element.setAttribute(key, text);
}

/** A button with one of the own icons, named for screen readers and shown as a tooltip. */
export function iconButton(key, label, onclick, attributes = {}) {
  return h("button", { type: "button", title: label, "aria-label": label, onclick, ...attributes }, icon(key));
}

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11.5 2.5 5 8l6.5 5.5-1.6 1.6L1.8 8l8.1-7.1z",
  play: "M4 3l9 5-9 5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M4.5 2.5 11 8l-6.5 5.5 1.6 1.6L14.2 8 6.1.9z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  theme: "M8 1a7 7 0 1 0 0 14zM8 1a7 7 0 0 1 0 14v-1.4A5.6 5.6 0 0 0 8 2.4z",
  fit: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
  plus: "M7 2h2v5h5v2H9v5H7V9H2V7h5z",
  minus: "M2 7h12v2H2z",
  open: "M2 2h12v12H2zM3.5 3.5v9h9v-9zM7.2 5h1.6v2.2H11v1.6H8.8V11H7.2V8.8H5V7.2h2.2z",
  close: "M2 2h12v12H2zM3.5 3.5v9h9v-9zM5 7.2h6v1.6H5z",
  save: "M7 1h2v7l2.5-2.5 1.4 1.4L8 11.8 3.1 6.9l1.4-1.4L7 8zM2 13h12v2H2z",
};

/** An icon in a square of 16; drawn, since many fonts lack ⏮ ⏵ ⏭. */
export function icon(key) {
  const path = s("path", { fill: "currentColor", "fill-rule": "evenodd", d: ICONS[key] });
  return s("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, path);
}

/** A button inside a drawing that opens or closes a group ("open", "close"), by click, Enter or space. */
export function toggle(key, label, x, y, act) {
  const button = s("g", {
    class: "tog", role: "button", tabindex: 0, "aria-label": label, "aria-expanded": String(key === "close"),
    transform: `translate(${x} ${y})`,
  });
  const back = s("rect", { x: -3, y: -3, width: 22, height: 22, rx: 4 });
  button.append(back, s("path", { d: ICONS[key] }), s("title", { text: label }));
  button.onclick = event => {
    event.stopPropagation();
    act();
  };
  button.onkeydown = event => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  return button;
}

/** A choice from a list: options are [value, text]. */
export function choice(label, key, options, chosen, onchoose) {
  const select = h("select", { "aria-label": label, "data-k": key });
  for (const [value, text] of options) {
    select.append(h("option", { value, text, selected: String(value) === String(chosen) }));
  }
  select.onchange = () => onchoose(select.value);
  return h("label", {}, h("span", { text: label }), select);
}

/** Whether the reader asked for less movement. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
