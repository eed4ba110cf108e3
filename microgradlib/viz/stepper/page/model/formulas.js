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

const SUPERSCRIPT = /^[\^⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/;
const OPERATOR = /[-+*/<>=·\u2212×÷\s]/;
const POWER = /\^|[⁰¹²³⁴-⁾]$/;

/**
 * The text of the place at `index` of the pieces, in parentheses where it would be read wrongly: a negative number
 * after something, an expression, a power below a power. Python's fill has the same rule, held equal by a test.
 */
export function placed(list, index, text) {
  const [before, after] = [list[index - 1], list[index + 1]].map(x => (typeof x === "string" ? x : ""));
  const inPower = SUPERSCRIPT.test(after);
  const alone = /[(|]$/.test(before) && /^[)|,]/.test(after);
  if (alone || (index === 0 && text.startsWith("\u2212") && !inPower)) return text;
  const wrong = /^[\u2212≈]/.test(text) || OPERATOR.test(text) || (inPower && POWER.test(text));
  return wrong && list.length > 1 ? `(${text})` : text;
}

/** Put texts into a template: `texts` by the place of the input, `own` for {z}, the output itself. */
export function fill(template, texts, own = "") {
  const list = pieces(template);
  const written = list.map((piece, index) => (
    typeof piece === "string" ? piece : placed(list, index, piece.place === "z" ? own : texts[piece.place] ?? "?")
  ));
  return written.join("");
}
