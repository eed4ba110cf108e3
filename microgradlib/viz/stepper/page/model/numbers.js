// Numbers written to be read: the rules of Python's viz/numbers.py, held equal by a test.

export const NOT_REACHED = "—";
const MINUS = "\u2212";
const MORE_DIGITS = 3; // so many digits more are tried before a number near a whole one is written with ≈

/** A number with so many significant digits: never −0, never a whole number that it is not. */
export function format(value, digits = 4) {
  if (value === null || value === undefined) return NOT_REACHED;
  if (Number.isNaN(value)) return "nan";
  if (value === 0) return "0";
  const sign = value < 0 ? MINUS : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}inf`;
  if (size >= 1e-4 && size < 1e6) return signed(sign, fixed(size, digits));
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  return `${sign}${trimmed(mantissa)}e${exponent.replace("+", "").replace("-", MINUS)}`;
}

function fixed(size, digits) {
  if (Number.isInteger(size)) return String(size);
  const whole = String(Math.floor(size)).length;
  const least = size >= 1 ? Math.max(digits, whole) : digits;
  for (let count = least; count <= least + MORE_DIGITS; count += 1) {
    const text = size.toPrecision(count);
    if (!Number.isInteger(Number(text))) return trimmed(text);
  }
  return `≈${Math.round(size)}`;
}

const trimmed = text => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const signed = (sign, text) => (text.startsWith("≈") ? `≈${sign}${text.slice(1)}` : sign + text);

/** A number of the tape: nan and the infinities are texts there; null is the structural zero, or "not reached". */
export const decode = x => (x === null || x === undefined ? null : Number(x));

/** The opposite of decode, for what goes to Python. */
export const encode = x => (x === null || Number.isFinite(x) ? x : String(x));

const CHARACTERS = { "−": "-", "–": "-", "，": ".", ",": ".", "。": ".", "∞": "inf", "·": "*", "×": "*" };

/**
 * What a student typed, as a number: −0.5, 0,5, 1/3, 2e-3, 3*0.5, inf; null if it is none.
 * One product or quotient is allowed, because that is what the term asked for is.
 */
export function parse(text) {
  const plain = [...text.toLowerCase()].map(c => CHARACTERS[c] ?? c).join("").replace(/[\s()]/g, "");
  const parts = plain.split(/([*/])/);
  const numbers = parts.filter((_, place) => place % 2 === 0).map(oneNumber);
  if (numbers.length > 2 || numbers.some(x => x === null)) return null;
  if (numbers.length === 1) return numbers[0];
  return parts[1] === "*" ? numbers[0] * numbers[1] : numbers[0] / numbers[1];
}

function oneNumber(text) {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text)) return Number(text);
  if (/^[+-]?inf(inity)?$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return text === "nan" ? NaN : null;
}
