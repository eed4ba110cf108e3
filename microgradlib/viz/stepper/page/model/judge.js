// Predict mode: whether a typed number is right, and if not, which mistake it is.

/** Whether two numbers agree as well as three digits can say. */
export function near(typed, right) {
  if (Number.isNaN(right)) return Number.isNaN(typed);
  if (!Number.isFinite(right)) return typed === right;
  if (right === 0) return Math.abs(typed) < 5e-5;
  const coarse = Math.abs(right) < 1 && Math.abs(right) >= 1e-3 ? 5e-5 : 0;
  return Math.abs(typed - right) <= 0.006 * Math.abs(right) + coarse;
}

/** The known mistakes in a term upstream · local, the more telling first: [key of the hint, what it would give]. */
function mistakes(asked, row) {
  const [up, local] = [row.up ?? 0, row.local ?? 0];
  if (asked === "upstream") return [["is_local", local], ["sign", -up], ["is_term", row.add]];
  if (asked === "local") return [["is_upstream", up], ["sign", -local], ["is_term", row.add]];
  return [
    ["sign", -row.add], ["upstream", up], ["local", local], ["sum", row.after], ["plus", up + local],
    ["minus", up - local], ["divide", up / local], ["divide", local / up], ["before", row.before],
  ];
}

/** The right answer to a question about a row of the trace. */
export function answer(asked, row) {
  if (asked === "upstream") return row.up ?? 0;
  if (asked === "local") return row.local ?? 0;
  return row.add;
}

/** Judge a typed number: {right, hint}; hint is the key of the sentence that names the mistake. */
export function judge(asked, typed, row) {
  if (near(typed, answer(asked, row))) return { right: true, hint: "" };
  const known = mistakes(asked, row).find(([, x]) => x !== null && x !== undefined && x !== 0 && near(typed, x));
  const other = asked === "term" ? "mistake_other" : `mistake_other_${asked}`;
  return { right: false, hint: known ? `mistake_${known[0]}` : other };
}

/** The questions of a prediction by level: the term alone, or its factors first. */
export const questions = level => [["term"], ["local", "term"], ["upstream", "local", "term"]][level - 1];

/** A score that counts first tries: record(question) → new score; questions are kept to be exported. */
export const emptyScore = () => ({ asked: 0, right: 0, answers: [] });

/** The score after a question was answered or given up: `tries` are the numbers typed, in order. */
export function scored(score, entry) {
  const first = entry.solved && entry.tries.length === 1;
  return { asked: score.asked + 1, right: score.right + (first ? 1 : 0), answers: [...score.answers, entry] };
}

/** The score as a table of comma-separated values, for a spreadsheet. */
export function scoreTable(score) {
  const quoted = x => `"${String(x).replace(/"/g, '""')}"`;
  const fields = a => [a.frame, quoted(a.node), a.asked, a.answer, quoted(a.tries.join(" ")), a.solved];
  const lines = score.answers.map(a => fields(a).join(","));
  return ["frame,node,asked,answer,typed,solved", ...lines].join("\n");
}
