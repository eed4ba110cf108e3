// The pieces that sentences are made of.
//
// A part is {is: "name", text} (what is computed), {is: "sign", text}, {is: "number", tone, symbol, text, caption},
// {is: "ask"} (here the form of a prediction stands) or {is: "line", items} (one of several steps at once).
// A tone is a colour: "value", "grad", "local", "term" or "bad".

export const name = text => ({ is: "name", text });
export const sign = text => ({ is: "sign", text });
export const numberPart = (tone, symbol, text, caption = "") => ({ is: "number", tone, symbol, text, caption });
export const line = (...items) => ({ is: "line", items });

/** A piece of the line that says why. */
export const plain = (text, tone = "") => ({ text, tone });

/** So many lines of several steps at once are shown. */
export const MOST_LINES = 4;
