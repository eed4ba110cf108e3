// Formula templates such as "{0} · {1}" and "1 − {z}²", filled with names or with numbers.

/** A negative number gets parentheses where it follows something. */
export const bracketed = text => (/^≈?\u2212/.test(text) ? `(${text})` : text);

/** The template in pieces: plain texts as they are, places as {place: 0} or {place: "z"}. */
export function pieces(template) {
  const found = [];
  template.split(/\{(\w+)\}/).forEach((text, index) => {
    if (index % 2) found.push({ place: text === "z" ? "z" : Number(text) });
    else if (text) found.push(text);
  });
  return found;
}

const OPENING = /[(|,=]\s*$/;
const POWER = /^[²³⁴⁵⁶⁷⁸⁹⁻^′]/;

/** Whether what stands after piece `index` is a power, so that a negative number there needs parentheses. */
function powered(list, index) {
  return typeof list[index + 1] === "string" && POWER.test(list[index + 1]);
}

/** The text of the place at `index` of the pieces, in parentheses where a minus sign could be misread. */
export function placed(list, index, text) {
  const before = list[index - 1];
  const free = index === 0 || (typeof before === "string" && OPENING.test(before));
  if (powered(list, index)) return /^[\p{L}\d.]+[₀-₉]*$/u.test(text) ? text : `(${text})`;
  return free ? text : bracketed(text);
}

/** Put texts into a template: `texts` by the place of the input, `own` for {z}, the output itself. */
export function fill(template, texts, own = "") {
  const list = pieces(template);
  const written = list.map((piece, index) => (
    typeof piece === "string" ? piece : placed(list, index, piece.place === "z" ? own : texts[piece.place] ?? "?")
  ));
  return written.join("");
}
