"use strict";
(() => {
  let place = 0;
  let guesses = 0;
  let found = 0;
  let solved = false;
  const { element, find, replace } = Page;

  function show() {
    const bug = BUGS[place];
    guesses = 0;
    solved = false;
    find("progress").textContent = `Function ${place + 1} of ${BUGS.length}. Found so far: ${found}.`;
    replace("shown", bug.shown.map(problem));
    const options = bug.choices.map((choice, i) => element("label", {},
      element("input", { type: "radio", name: "choice", value: choice.name, id: `choice-${i}` }), ` ${choice.says}`));
    replace("choices", element("legend", {}, "What is the mistake?"), element("div", { class: "guesses" }, options));
    replace("answer");
    replace("explained");
    find("check").disabled = false;
  }

  function problem({ what, logits, labels, loss, trueLoss, gradient, trueGradient }) {
    const rows = logits.map((row, i) => [
      String(i), element("span", { class: "value" }, row.map((x) => String(x).replace("-", "−")).join(", ")), String(labels[i]),
      entries(gradient[i], trueGradient[i]), element("span", { class: "value" }, trueGradient[i].join(", ")),
    ]);
    const title = element("p", {}, element("b", {}, what), ": the loss is ", mark(loss, trueLoss), ` and should be ${trueLoss}.`);
    return element("div", { class: "bench" }, title,
      Page.table("Its gradient", ["row", "logits", "label", "gradient", "should be"], rows, "stacks"));
  }

  function mark(given, truth) {
    return given === truth ? element("span", { class: "value" }, given) : element("span", { class: "value wrong" }, `✗ ${given}`);
  }

  function entries(given, truth) {
    return element("span", { class: "value" }, given.flatMap((text, j) => [j ? ", " : "", mark(text, truth[j])]));
  }

  function check() {
    const bug = BUGS[place];
    const chosen = document.querySelector('input[name="choice"]:checked');
    if (!chosen) return replace("answer", "Choose one of the four first.");
    guesses += 1;
    if (chosen.value !== bug.name) {
      chosen.parentElement.classList.add("ruled-out");
      return replace("answer", "No: that mistake would give other numbers on at least one of these problems. Look again.");
    }
    if (!solved && guesses === 1) found += 1;
    solved = true;
    find("check").disabled = true;
    replace("answer", guesses === 1 ? "Right, at the first guess." : `Right, at guess ${guesses}.`);
    find("progress").textContent = `Function ${place + 1} of ${BUGS.length}. Found at the first guess: ${found}.`;
    replace("explained", explanation(bug));
    return undefined;
  }

  function explanation(bug) {
    const facts = [["what is wrong", bug.wrong], ["how to mend it", bug.mend], ["the check that rejects it", bug.caught], ["where it was seen", bug.seen]];
    const list = Page.table(bug.name, ["what", "answer"], facts, "stacks");
    return element("div", { class: "bench" }, list, element("pre", { tabindex: "0", "aria-label": "its code" }, bug.code));
  }

  find("check").addEventListener("click", check);
  find("next").addEventListener("click", () => {
    place = (place + 1) % BUGS.length;
    show();
    find("main").scrollIntoView();
  });
  show();
})();
