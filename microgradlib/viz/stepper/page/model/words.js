// Sentences: templates of the table WORDS (from Python, which holds both languages) filled with what is named.

import { WORDS } from "../words_table.js";

const PLACE = /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g;

/**
 * A function that says things in one language: say("term_of", {k: 2, n: 3}) → "term 2 of 3".
 * A place {n:term|terms} is the first word if n is 1, otherwise the second.
 */
export function speaker(language) {
  const table = WORDS[language] ?? WORDS.en;
  return (key, values = {}) => {
    const template = table[key];
    if (template === undefined) throw new Error(`no sentence named "${key}" in the language "${language}"`);
    return template.replace(PLACE, (_, name, one, many) => {
      if (one === undefined) return String(values[name] ?? "");
      return Number(values[name]) === 1 ? one : many;
    });
  };
}

/** The first few of a list of names, and how many more there are. */
export function some(names, most = 4) {
  const list = [...new Set(names)];
  return list.length > most ? `${list.slice(0, most).join(", ")} … (${list.length})` : list.join(", ");
}

/** A long name without its middle. */
export function clip(text, most) {
  if (text.length <= most) return text;
  return `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(1 - Math.floor(most / 2))}`;
}

/** How many columns a text has in a fixed-pitch font: Chinese characters have two. */
export const textColumns = text => [...text].reduce((count, c) => count + (c >= "\u2e80" ? 2 : 1), 0);
