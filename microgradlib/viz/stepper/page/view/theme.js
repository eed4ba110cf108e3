// Light or dark: as chosen, else as the page around says, else as the reader prefers.

const LIGHT = "body[data-jp-theme-light=true],body.vscode-light,body.vscode-high-contrast-light,html[data-theme=light]";
const DARK = "body[data-jp-theme-light=false],body.vscode-dark,body.vscode-high-contrast," +
  "html[theme=dark],html[data-theme=dark],body[data-theme=dark]";

let told = ""; // what the page around a frame says, which the frame itself cannot see

/** Whether to be dark: `theme` is "light", "dark" or empty for what the page or the reader says. */
export function isDark(theme) {
  const chosen = theme || told;
  if (chosen === "light" || chosen === "dark") return chosen === "dark";
  if (document.querySelector(LIGHT)) return false;
  if (document.querySelector(DARK)) return true;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Call back when the page's or the reader's theme changes; returns the function that ends this. */
export function watchTheme(changed) {
  const reader = matchMedia("(prefers-color-scheme: dark)");
  const page = new MutationObserver(changed);
  const attributes = { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme", "theme"] };
  page.observe(document.documentElement, attributes);
  page.observe(document.body, attributes);
  reader.addEventListener("change", changed);
  const heard = event => {
    if (event.source !== window.parent || typeof event.data?.microgradlibTheme !== "string") return;
    told = event.data.microgradlibTheme;
    changed();
  };
  window.addEventListener("message", heard);
  return () => {
    window.removeEventListener("message", heard);
    page.disconnect();
    reader.removeEventListener("change", changed);
  };
}
