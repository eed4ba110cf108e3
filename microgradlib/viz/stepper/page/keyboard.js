// Keys: ← → step, with Shift to the next node; Home End; space plays; p predicts; f fits; Escape leaves a node.

/** Listen to keys inside the stepper and keep them from the notebook around; returns the function that ends this. */
export function keyboard(app) {
  const actions = {
    ArrowRight: event => (event.shiftKey ? app.leap(true) : (app.halt(), app.next())),
    ArrowLeft: event => (event.shiftKey ? app.leap(false) : app.back()),
    Home: () => app.go(0),
    End: () => app.go(Infinity),
    p: () => app.session.settings.mode === "reverse" && app.togglePredict(),
    f: () => app.camera.fit(),
    Escape: () => app.selected !== null && app.select(app.selected),
  };
  const pressed = event => {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === " " && !isButton(event.target)) {
      event.preventDefault();
      app.play();
    } else if (Object.hasOwn(actions, event.key)) {
      event.preventDefault();
      actions[event.key](event);
    }
  };
  const kept = event => event.stopPropagation();
  app.root.addEventListener("keydown", pressed);
  app.root.addEventListener("keyup", kept);
  app.root.addEventListener("keypress", kept);
  return () => {
    app.root.removeEventListener("keydown", pressed);
    app.root.removeEventListener("keyup", kept);
    app.root.removeEventListener("keypress", kept);
  };
}

/** Whether keys belong to the element itself: text fields, lists, and sliders other than the scrub bar. */
function isTyping(target) {
  if (target.tagName === "SELECT" || target.tagName === "TEXTAREA") return true;
  return target.tagName === "INPUT" && target.dataset.k !== "scrub";
}

const isButton = target => target.tagName === "BUTTON" || target.getAttribute("role") === "button";
