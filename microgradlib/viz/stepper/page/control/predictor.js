// Predict mode: ask, judge what is typed, name the mistake, keep the score.

import { h } from "../view/dom.js";
import { answer, judge, scoreTable } from "../model/judge.js";
import { format, parse } from "../model/numbers.js";

const NOTHING = { nodes: [], edges: [] };

export class Predictor {
  constructor(app) {
    this.app = app;
    this.verdict = null; // {right, text}: what is said about the last answer
  }

  /** Only right backward passes are predicted. */
  get offered() {
    const { mode, bug } = this.app.session.settings;
    return mode === "reverse" && !bug;
  }

  toggle() {
    const { app } = this;
    const { session } = app;
    const predict = !session.settings.predict;
    if (predict && session.i < session.backward) session.i = session.backward;
    app.change({ predict, by: predict ? "term" : session.settings.by });
    app.focus();
  }

  /** Ask for the term of a frame. */
  ask(i) {
    this.app.session.ask(i);
    this.app.player.go(i, { asks: true });
  }

  /** Judge what was typed. */
  answer(text) {
    const { session, say } = this.app;
    const { question } = session;
    const typed = parse(text);
    if (typed === null) {
      this.tell(false, say("not_a_number"));
      return;
    }
    const asked = question.asked[question.step];
    question.tries.push(typed);
    const { right, hint } = judge(asked, typed, question.row);
    if (right) this.settle(true, say("right"));
    else this.tell(false, `${say("not_yet")} ${say(hint)}`);
  }

  giveUp() {
    this.settle(false, this.app.say("answer", { value: format(this.wanted()) }));
  }

  wanted() {
    const { question } = this.app.session;
    return answer(question.asked[question.step], question.row);
  }

  tell(right, text) {
    this.verdict = { right, text };
    this.app.paint({ only: NOTHING });
  }

  /** Count the answer; the term is shown when nothing more is asked about it. */
  settle(solved, text) {
    const { app } = this;
    const { session } = app;
    session.settle(solved, this.wanted());
    this.verdict = { right: solved, text };
    app.send("score", { asked: session.score.asked, right: session.score.right });
    app.rebuildHeader();
    app.paint();
    if (session.question) return;
    app.focus();
    app.player.fly(session.pass.rows[session.i]);
  }

  /** Offer all answers as a file for a spreadsheet. */
  save() {
    const table = new Blob([scoreTable(this.app.session.score)], { type: "text/csv" });
    const link = h("a", { href: URL.createObjectURL(table), download: "score.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
