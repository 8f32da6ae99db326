"use strict";
(() => {
  const A = Arithmetic;
  const RANGES = { float16: [-60, 60, 0.125], float32: [-250, 250, 0.125], float64: [-1000, 1000, 0.125] };
  const PRESETS = [
    ["Moderate", { x: [1, 0.5, -1] }],
    ["A sure model: margin 18", { x: [18, 0, -1] }],
    ["Large logits: 100", { x: [100, 98, 95] }],
    ["All far below 0", { x: [-120, -121, -119] }],
    ["A confident mistake", { x: [-40, 40, 0] }],
    ["The last digits: margin 90", { x: [90, 0, 0] }],
  ];
  const logits = [0, 1, 2].map((j) =>
    Page.slider(`x${j}`, { label: `logit x${"₀₁₂"[j]}`, min: -250, max: 250, step: 0.125, value: [18, 0, -1][j] }, update));
  const margin = Page.slider("margin", {
    label: "margin: the label’s logit less the largest other", min: -250, max: 250, step: 0.125, value: 18,
  }, moveLabel);
  const dtype = Page.dtypeChoice("dtype", changeDtype);
  const label = Page.choice("label", { legend: "the label is class", options: [["0", "0"], ["1", "1"], ["2", "2"]], value: "0" }, update);
  const form = Page.choice("form", { legend: "form", options: Forms.NAMES.map((name) => [name, name]), value: "shifted" }, update);
  Page.presets("presets", PRESETS, (setting) => {
    setting.x.forEach((x, j) => logits[j].set(x));
    label.set("0");
    update();
  });

  function changeDtype() {
    for (const control of [...logits, margin]) control.limit(...RANGES[dtype.get()]);
    update();
  }

  function othersTop() {
    return Math.max(...logits.filter((_, j) => j !== Number(label.get())).map((logit) => logit.get()));
  }

  function moveLabel() {
    const [low, high] = RANGES[dtype.get()];
    logits[Number(label.get())].set(Math.min(Math.max(othersTop() + margin.get(), low), high));
    update();
  }

  function update() {
    const format = A.FORMATS[dtype.get()];
    const y = Number(label.get());
    const row = logits.map((logit) => A.round(logit.get(), format));
    margin.set(row[y] - othersTop());
    const examined = Forms.NAMES.map((name) => ({ name, steps: Forms.examine(name, row, y, format) }));
    const results = examined.map(({ name, steps }) => resultOf(name, steps, y));
    Page.replace("summary", summary(results, format));
    Page.replace("steps", stepTable(examined.find(({ name }) => name === form.get()), format, y));
    const sentence = verdict(results, format);
    Page.find("says").textContent = sentence;
    Page.say(sentence);
  }

  function resultOf(name, steps, y) {
    const [loss] = steps.find((step) => step.key === "loss").judged.map((judged, j) => ({ ...judged, j }));
    const g = steps.find((step) => step.key === "g");
    return {
      name,
      loss: { ...loss, value: steps.find((step) => step.key === "loss").values[0] },
      entry: { ...g.judged[y], value: g.values[y] },
    };
  }

  function summary(results, format) {
    const truth = results[0];
    const rows = results.map(({ name, loss, entry }) => [name, cell(loss, format), fate(loss, format), cell(entry, format), fate(entry, format)]);
    rows.unshift(["the truth, rounded", value(truth.loss.right, format), "", value(truth.entry.right, format), ""]);
    return Page.table(`The loss, and the gradient’s entry at the label, in ${format.name}`,
      ["form", "loss", "is off by", "label’s entry", "is off by"], rows, "stacks");
  }

  function value(x, format) {
    return Page.element("span", { class: "value" }, Page.decimal(x, format));
  }

  function cell(judged, format) {
    return value(judged.value, format);
  }

  function fate(judged, format) {
    const words = {
      right: `✓ ${Page.ulps(judged.error)}`,
      zero: "✗ 0: all digits lost",
      overflow: "✗ infinite: overflow",
      NaN: "✗ no number",
      inaccurate: `✗ ${Math.round(judged.lost)} of ${format.precision} bits wrong`,
    };
    return Page.element("span", { class: judged.fate === "right" ? "right" : "wrong" }, words[judged.fate]);
  }

  function verdict(results, format) {
    const sound = results.filter(({ loss, entry }) => loss.fate === "right" && entry.fate === "right").map(({ name }) => name);
    const entry = results.find(({ name }) => name === form.get()).entry;
    const own = entry.fate === "right"
      ? `In the ${form.get()} form the label’s entry has its digits`
      : `In the ${form.get()} form the label’s entry has lost ${entry.fate === "inaccurate" ? `${Math.round(entry.lost)} of its ${format.precision} bits` : "all of its digits"}`;
    if (sound.length === results.length) return `${own}. All four forms are right here.`;
    if (sound.length === 0) return `${own}. No form is right here: the numbers are beyond what ${format.name} holds well.`;
    return `${own}. Right in loss and gradient: ${sound.join(", ")}.`;
  }

  function stepTable({ name, steps }, format, y) {
    const rows = steps.flatMap((step) => step.values.map((_, j) => stepRow(step, j, format, y)));
    return Page.table(`What the ${name} form computes, in ${format.name}`, ["value", "computed, and true", "in bits", "is off by"], rows, "stacks");
  }

  function stepRow(step, j, format, y) {
    const judged = step.judged[j];
    const several = step.values.length > 1;
    const subscript = several ? "₀₁₂"[j] : "";
    const title = [
      Page.element("span", {}, `${step.symbol}${subscript}`),
      Page.element("span", { class: "note" }, ` ${j === 0 ? `${step.words}: ${step.formula}` : several && j === y ? "the label’s" : ""}`),
    ];
    const own = step.lostHere >= 3 && judged.lost >= 3;
    const same = Object.is(step.values[j], judged.right);
    const truth = Page.element("span", { class: "value note" }, `true ${Page.truthDecimal(step.truths[j], format)}`);
    return [
      title,
      [value(step.values[j], format), ...(judged.error === 0 ? [] : [Page.element("br"), truth])],
      [Page.bits(step.values[j], format, judged.lost), ...(same ? [] : [Page.element("br"), Page.bits(judged.right, format)])],
      own ? [fate(judged, format), " ", Page.element("span", { class: "badge" }, reason(step, judged))] : fate(judged, format),
    ];
  }

  function reason(step, judged) {
    if (judged.fate === "overflow") return "overflow: larger than the largest number";
    if (judged.fate === "NaN") return "lost here: infinity over infinity, or 0 over 0";
    if (step.key === "g") return "lost here: p − 1 cancels what p rounded away";
    if (step.key === "log") return "lost here: S was rounded to 1 or nearly";
    if (judged.fate === "zero") return "underflow: smaller than the smallest number";
    return "digits are lost here";
  }

  update();
})();
