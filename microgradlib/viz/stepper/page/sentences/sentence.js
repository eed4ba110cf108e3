// The sentence of a frame, as data: {parts, why, speech}. It says one step with its numbers, and why it is next.

import { afterUpdate, done, sweep, update } from "./end.js";
import { again, seed, term, users } from "./terms.js";
import { start, value } from "./values.js";
import { arrived } from "../model/frames.js";
import { format } from "../model/numbers.js";
import { plain } from "./parts.js";
import { mistakeOf } from "../model/states.js";

const TELLERS = { start, value, seed, term, tangent: term, again, sweep, update, after: afterUpdate, done };

/** What stands at the present frame: parts and why (see parts.js), and all of it as one text for screen readers. */
export function sentence(session, say) {
  const frame = session.pass.frames[session.i];
  const { parts, why } = TELLERS[frame.do](session, say, frame);
  const story = bugStory(session, say);
  const told = story.length && session.now.rows.length ? story : [...story, ...why];
  const lines = told.map(piece => ({ ...piece, text: ended(piece.text) }));
  const words = parts.flatMap(part => (part.is === "line" ? part.items : [part])).map(part => part.text ?? "");
  return { parts, why: lines, speech: [ended(words.join(" ").trim()), ...lines.map(piece => piece.text)].join(" ") };
}

/** A text with the mark that ends a sentence. */
const ended = text => (/[.!?。！？]$/.test(text) ? text : text + (/[\u4e00-\u9fff]/.test(text) ? "。" : "."));

/** What the bug does: in this very frame, or in general; and how many gradients are wrong so far. */
function bugStory(session, say) {
  const { bug, mode } = session.settings;
  if (mode !== "reverse" || !bug || session.i < session.backward) return [];
  const { level, now } = session;
  const wrong = level.nodes.filter(n => mistakeOf(session, n.id)).length;
  const tally = plain(wrong ? say("differs", { n: wrong }) : say("no_difference"), wrong ? "bad" : "");
  const general = bug === "order" && level.order_kind === "unreversed" ? "unreversed_why" : `${bug}_why`;
  const target = level.nodes[now.rows.length ? now.rows[0].to : level.output].full;
  return [plain(happened(session, say, bug) ?? say(general, { node: target }), "bad"), tally];
}

/** What the bug does to the number of this frame; null if nothing. */
function happened(session, say, bug) {
  const row = session.pass.rows[session.i];
  if (!row) return null;
  if (bug === "order") return tooEarly(session, say, row);
  const other = session.wrong.rows[session.i];
  if ((other.before ?? 0) === 0 || Object.is(other.after, row.after)) return null;
  const { full } = session.level.nodes[row.to];
  const numbers = { node: full, before: format(other.before), after: format(other.after ?? 0) };
  return say(bug === "assign" ? "lost" : "kept", numbers);
}

/** A node passes on before all that it waits for has arrived. */
function tooEarly(session, say, row) {
  const last = arrived(session.pass, row.from, session.i);
  const due = users(session, row.from).length || 1;
  const node = session.level.nodes[row.from].full;
  if (!last) return say("too_early_nothing", { node, m: due });
  return last.k < due ? say("too_early", { node, n: due - last.k, m: due, upstream: format(last.after ?? 0) }) : null;
}
