"use strict";
(() => {
  const A = Arithmetic;
  const STEPS = 60;
  const POINTS = [
    [0.9, 0.2], [1.3, -0.1], [0.7, 0.5], [1.1, 0.4], [1.5, 0.1],
    [-0.6, 0.8], [-0.9, 1.1], [-0.3, 1.3], [-0.7, 0.5], [-1.1, 0.9],
    [-0.5, -0.9], [-0.1, -1.2], [-0.8, -0.7], [0.2, -1.0], [-0.4, -1.4],
  ];
  const y = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2];
  const DATA = { scaled: POINTS, unscaled: POINTS.map(([u, v]) => [u, 30 * v]) };
  const MENDS = {
    labels: "subtract one-hot rows",
    divides: "divide dW by N",
    dividesBias: "divide db by N",
    sum: "sum over each row",
    shift: "shift each row by its largest logit",
    loss: "take the loss from the shifted logits",
  };
  let mended = new Set();

  const code = Page.choice("code", {
    legend: "the code", value: "a", options: Object.entries(Teaching.CODES).map(([name, { words }]) => [name, words]),
  }, startAgain);
  const data = Page.choice("data", { legend: "the features", value: "scaled", options: [["scaled", "scaled"], ["unscaled", "one of them 30 times as large"]] }, update);
  const dtype = Page.dtypeChoice("dtype", update, ["float32", "float64"]);
  const rate = Page.slider("rate", { label: "learning rate", min: 0.05, max: 2, step: 0.05, value: 0.5 }, update);

  const faultsOf = () => Object.keys(MENDS).filter((part) => Teaching.CODES[code.get()].parts[part] !== Teaching.MENDED[part]);

  function startAgain() {
    mended = new Set();
    const boxes = faultsOf().map((part) => {
      const box = Page.element("input", { type: "checkbox", id: `mend-${part}` });
      box.addEventListener("change", () => {
        if (box.checked) mended.add(part);
        else mended.delete(part);
        update();
      });
      return Page.element("label", {}, box, ` ${MENDS[part]}`);
    });
    Page.replace("mends", Page.element("legend", {}, "mend it"), boxes);
    update();
  }

  function partsNow() {
    const parts = { ...Teaching.CODES[code.get()].parts };
    for (const part of mended) parts[part] = Teaching.MENDED[part];
    return parts;
  }

  function update() {
    const problem = { X: DATA[data.get()], y, nClasses: 3 };
    const plan = { rate: rate.get(), steps: STEPS };
    const own = Teaching.train(partsNow(), problem, plan, A.FORMATS[dtype.get()]);
    const right = Teaching.train(Teaching.MENDED, problem, plan, A.FORMATS.float64);
    Page.replace("curve", figure(own.curve, right.curve), Plot.legend([
      { color: "var(--ink)", words: "the true loss of its weights" },
      { color: "var(--warn)", words: "the loss that it reports", dash: "3 4" },
      { color: "var(--accent)", words: "the code with all mends, in float64", dash: "9 5" },
    ]));
    Page.replace("table", Page.table("The losses, step by step", ["step", "true loss", "reported", "all mended"],
      own.curve.map((one, i) => [String(i), ...[one.exact, one.said, right.curve[i].exact].map(short)]).filter((_, i) => i % 5 === 0)));
    Page.replace("listing", listing());
    const sentence = sentenceOn(own, right);
    Page.find("says").textContent = sentence;
    Page.say(sentence);
  }

  const short = (x) => (Number.isNaN(x) ? "NaN" : Number.isFinite(x) ? x.toPrecision(4) : "inf");

  function sentenceOn(own, right) {
    const left = faultsOf().length - mended.size;
    const faults = left === 0 ? "All faults are mended." : `${left} ${left === 1 ? "fault is" : "faults are"} left.`;
    const broken = own.curve.findIndex(({ said, exact }) => !Number.isFinite(said) || !Number.isFinite(exact));
    const reached = `After ${STEPS} steps ${Math.round(100 * own.accuracy)}% of the examples are classified right, and ${Math.round(100 * right.accuracy)}% with all mends.`;
    if (broken < 0) return `${faults} ${reached}`;
    const weights = own.curve.findIndex(({ exact }) => !Number.isFinite(exact));
    if (weights < 0) return `${faults} From step ${broken} on the loss that it reports is ${short(own.curve[broken].said)}. ${reached}`;
    return `${faults} At step ${Math.max(weights - 1, 0)} a weight becomes NaN, and stays so: nothing is learned from then on.`;
  }

  function figure(own, right) {
    const points = (curve, key) => curve.map((one, i) => [i, one[key]]);
    const all = [...own, ...right].map(({ exact }) => exact).filter(Number.isFinite);
    const top = Math.min(Math.max(1.2, ...all) * 1.1, 2000);
    return Plot.draw({
      x: { range: [0, STEPS - 1], log: false, words: "step" },
      y: top > 20 ? { range: [1e-4, top], log: true, words: "loss" } : { range: [0, top], log: false, words: "loss" },
      lines: [
        { points: points(right, "exact"), color: "var(--accent)", dash: "9 5" },
        { points: points(own, "exact"), color: "var(--ink)", width: 2.5 },
        { points: points(own, "said"), color: "var(--warn)", dash: "3 4" },
      ],
      words: "The loss against the step: of this code's weights, as it reports it, and of the code with all mends. The table has the values.",
    });
  }

  // ---- the code, line by line -----------------------------------------------------------------------------------------

  const LINES = [
    ["", () => "def softmax(Z):"],
    ["shift", ({ shift }) => ({ none: "    E = np.exp(Z)", batch: "    E = np.exp(Z - Z.max())", row: "    E = np.exp(Z - Z.max(axis=1, keepdims=True))" })[shift]],
    ["sum", ({ sum }) => (sum === "row" ? "    return E / E.sum(axis=1, keepdims=True)" : "    return E / E.sum()")],
    ["", () => ""],
    ["", () => "Z = X @ W + b"],
    ["", () => "P = softmax(Z)"],
    ["loss", ({ loss }) => ({
      "log p": "loss = -np.log(P[rows, y]).mean()",
      "one-hot times log p": "loss = -np.sum(Y * np.log(P)) / n",
      "shifted logits": "loss = (np.log(np.exp(D).sum(axis=1)) - D[rows, y]).mean()   # D = Z - Z.max(axis=1, keepdims=True)",
    })[loss]],
    ["labels", ({ labels }) => (labels === "numbers" ? "delta = P - y[:, None]" : "delta = P - Y   # Y: one-hot rows")],
    ["divides", ({ divides }) => `dW = X.T @ delta${divides ? " / n" : ""}`],
    ["dividesBias", ({ dividesBias }) => `db = delta.sum(axis=0)${dividesBias ? " / n" : ""}`],
    ["", () => "W, b = W - rate * dW, b - rate * db"],
  ];

  function listing() {
    const parts = partsNow();
    const faults = faultsOf();
    return LINES.map(([part, text]) => {
      const state = !faults.includes(part) ? " " : mended.has(part) ? "✓" : "✗";
      return Page.element("span", { class: { " ": "", "✓": "right", "✗": "wrong" }[state] }, `${state} ${text(parts)}\n`);
    });
  }

  // ---- what an inaccurate gradient does ---------------------------------------------------------------------------------

  const SHOWN = {
    mean_weight: { words: "class mean of W", range: [0.01, 100], log: true },
    loss: { words: "loss", range: [1e-10, 10], log: true },
    margin: { words: "median margin", range: [-5, 25], log: false },
    exact_zeros: { words: "entries that are 0", range: [0, 0.7], log: false },
    row_sum: { words: "row sum of the gradient", range: [1e-9, 1], log: true },
  };
  const COLORS = { shifted: "var(--bad)", accurate: "var(--accent)" };
  const quantity = Page.choice("quantity", { legend: "what is shown", value: "mean_weight", options: Object.entries(SHOWN).map(([name, { words }]) => [name, words]) }, collapse);
  const at = Page.slider("at", { label: "at step", min: 0, max: 30000, step: 1000, value: 20000 }, collapse);

  function collapse() {
    const { words, range, log } = SHOWN[quantity.get()];
    const steps = COLLAPSE.trainings[0].step;
    const place = Math.min(Math.round(at.get() / 1000), steps.length - 1);
    const step = steps[place];
    const lines = COLLAPSE.trainings.map((training) => ({
      points: training.step.map((x, i) => [x, training[quantity.get()][i]]), color: COLORS[training.target], width: 1.6,
      dash: training.target === "shifted" ? "" : "7 4",
    }));
    Page.replace("collapse", Plot.draw({
      x: { range: [0, 30000], log: false, words: "step" }, y: { range, log, words }, lines, upright: { x: step },
      words: `${words} against the step, for five trainings with each gradient. The table has the values at the chosen step.`,
    }), Plot.legend([
      { color: COLORS.shifted, words: "label’s entry as p − 1" },
      { color: COLORS.accurate, words: "label’s entry from the other classes", dash: "7 4" },
    ]));
    const rows = [0, 1, 2, 3, 4].map((seed) => [String(seed), ...["shifted", "accurate"].map((target) =>
      COLLAPSE.trainings.find((one) => one.seed === seed && one.target === target)[quantity.get()][place].toPrecision(3))]);
    Page.replace("values", Page.table(`${words} at step ${step.toLocaleString("en")}`, ["seed", "as p − 1", "from the others"], rows));
  }

  startAgain();
  collapse();
})();
