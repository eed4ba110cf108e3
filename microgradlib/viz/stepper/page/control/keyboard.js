// Keys: ← → step, with Shift to the next node; Home End; space plays; p predicts; f fits; Escape ends typing.

/**
 * Listen to keys inside the stepper and keep them from the notebook around; in a page of its own, to all keys, so that
 * nothing need be clicked first. Returns the function that ends this.
 */
export function keyboard(app) {
  const { player } = app;
  const forward = () => {
    player.halt();
    player.next();
  };
  const actions = {
    ArrowRight: event => (event.shiftKey ? player.leap(true) : forward()),
    ArrowLeft: event => (event.shiftKey ? player.leap(false) : player.back()),
    Home: () => player.go(0),
    End: () => player.go(Infinity),
    p: () => app.predictor.offered && app.predictor.toggle(),
    f: () => app.camera.fit(),
    Escape: () => app.selected !== null && app.select(app.selected),
  };
  const place = app.model.get("page") ? document : app.root;
  const pressed = event => {
    event.stopPropagation();
    const [target] = event.composedPath();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(target)) {
      if (event.key === "Escape") app.focus();
      return;
    }
    if (event.key === " " && !isButton(target)) {
      event.preventDefault();
      player.play();
    } else if (Object.hasOwn(actions, event.key)) {
      event.preventDefault();
      actions[event.key](event);
    }
  };
  const kept = event => event.stopPropagation();
  const listeners = [["keydown", pressed], ["keyup", kept], ["keypress", kept]];
  for (const [name, listener] of listeners) place.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of listeners) place.removeEventListener(name, listener);
  };
}

/** Whether keys belong to the element itself: text fields, lists, and sliders other than the scrub bar. */
function isTyping(target) {
  if (target.tagName === "SELECT" || target.tagName === "TEXTAREA") return true;
  return target.tagName === "INPUT" && target.dataset.k !== "scrub";
}

const isButton = target => target.tagName === "BUTTON" || target.getAttribute("role") === "button";
