"use strict";
(() => {
  const A = Arithmetic;
  const LOWEST = { float32: -40, float64: -64 }; // the exponent of the smallest step
  const COLORS = { total: "var(--ink)", truncation: "var(--accent)", roundoff: "var(--bad)", bound: "var(--warn)" };
  const dtype = Page.dtypeChoice("dtype", changeDtype, ["float32", "float64"]);
  const kind = Page.choice("kind", {
    legend: "the difference", value: "central",
    options: [["central", "central"], ["forward", "one-sided"], ["complex", "complex step"]],
  }, update);
  const which = Page.choice("which", {
    legend: "the logit that is moved", value: "other", options: [["other", "of another class"], ["label", "the label’s"]],
  }, update);
  const step = Page.slider("step", { label: "the step h = 2 to the", min: -40, max: -1, step: 1, value: -8 }, update);
  const others = [1, 2].map((j) =>
    Page.slider(`x${j}`, { label: `logit x${"₀₁₂"[j]}`, min: -30, max: 30, step: 0.125, value: [0, 1, -0.5][j] }, update));

  function changeDtype() {
    step.limit(LOWEST[dtype.get()], -1, 1);
    update();
  }

  function rowNow(format) {
    const logits = [0, ...others.map((slider) => A.round(slider.get(), format))];
    return { logits, index: 0, label: which.get() === "label" ? 0 : 1 };
  }

  /** Everything at one step: sizes of the errors against the exact derivative. */
  function measure(row, exponent, format) {
    const h = 2 ** exponent;
    const g = Forms.truthOf(row.logits, row.label).g[0];
    if (kind.get() === "complex") {
      const value = Differences.complexStep(row, h, format);
      return { h, value, total: distance(value, g), truncation: NaN, roundoff: NaN, bound: NaN };
    }
    const value = Differences.quotient(row, h, kind.get(), format);
    const bound = kind.get() === "central" ? Differences.centralBound(row, h, format) : null;
    return {
      h, value,
      total: distance(value, g),
      truncation: Math.abs(Differences.truncation(row, h, kind.get())),
      roundoff: distance(value, Differences.exactQuotient(row, h, kind.get())),
      bound: bound ? bound.truncation + bound.roundoff : NaN,
    };
  }

  function distance(value, truth) {
    return Math.abs(A.plain(A.subtract(A.exact(value), truth)));
  }

  function update() {
    const format = A.FORMATS[dtype.get()];
    const row = rowNow(format);
    const steps = Array.from({ length: -LOWEST[dtype.get()] }, (_, i) => measure(row, LOWEST[dtype.get()] + i, format));
    const here = measure(row, Math.round(step.get()), format);
    const best = steps.reduce((a, b) => (b.total < a.total ? b : a));
    const g = A.nearest(Forms.truthOf(row.logits, row.label).g[0], format);
    Page.replace("curve", figure(steps, here), Plot.legend(entries()));
    Page.replace("parts", Page.table(`At h = ${powerOf(here.h)}, in ${format.name}`, ["what", "value"], [
      ["the derivative, exact", mono(Page.decimal(g, format))],
      ["what the difference gives", mono(Page.decimal(here.value, format))],
      ["the error", mono(`${short(here.total)}, ${relative(here.total, g)}`)],
      ...(kind.get() === "complex" ? [] : [["of which truncation", mono(short(here.truncation))], ["of which roundoff", mono(short(here.roundoff))]]),
      ...(kind.get() === "central" ? [["the proved bound of the error", mono(short(here.bound))]] : []),
      ["the best step, and its error", mono(`${powerOf(best.h)}: ${short(best.total)}`)],
    ]));
    Page.replace("table", Page.table("Sizes of the errors", ["h", "error", "truncation", "roundoff", "bound"],
      steps.map((one) => [powerOf(one.h), ...[one.total, one.truncation, one.roundoff, one.bound].map((x) => mono(short(x)))])));
    const sentence = sentenceOn(here, best, g);
    Page.find("says").textContent = sentence;
    Page.say(sentence);
  }

  const mono = (text) => Page.element("span", { class: "value" }, text);
  const short = (x) => (Number.isNaN(x) ? "–" : x === 0 ? "0" : x.toExponential(2));
  const powerOf = (h) => Page.powerOfTwo(Math.log2(h));

  function relative(error, g) {
    const share = error / Math.abs(g);
    return share >= 0.001 ? `${(100 * share).toPrecision(2)}% of it` : `${share.toExponential(1)} of it`;
  }

  function sentenceOn(here, best, g) {
    const digits = (error) => Math.max(0, Math.min(17, Math.floor(-Math.log10(error / Math.abs(g)))));
    const at = `At this step ${here.total === 0 ? "all" : `about ${digits(here.total)}`} digits of the derivative are right`;
    if (kind.get() === "complex") return `${at}. No step is too small for the complex step.`;
    const cause = here.truncation > here.roundoff ? "the loss is curved: a smaller step is better" : "the losses are rounded: a larger step is better";
    return here.h === best.h ? `${at}: the most that any power of two gives.` : `${at}. Most of the error is because ${cause}.`;
  }

  function entries() {
    const all = [
      { color: COLORS.total, words: "the error" },
      { color: COLORS.truncation, words: "truncation" },
      { color: COLORS.roundoff, words: "roundoff" },
      { color: COLORS.bound, words: "the proved bound", dash: "8 5" },
    ];
    return { central: all, forward: all.slice(0, 3), complex: all.slice(0, 1) }[kind.get()];
  }

  function figure(steps, here) {
    const low = dtype.get() === "float32" ? 1e-14 : 1e-24;
    const line = (key) => steps.map((one) => [one.h, key !== "truncation" || one[key] >= low ? one[key] || (Number.isNaN(one[key]) ? NaN : low) : NaN]);
    const lines = [
      { points: line("truncation"), color: COLORS.truncation },
      { points: line("roundoff"), color: COLORS.roundoff, width: 1.5 },
      { points: line("total"), color: COLORS.total, width: 2.5 },
      { points: line("bound"), color: COLORS.bound, dash: "8 5" },
    ];
    return Plot.draw({
      x: { range: [2 ** LOWEST[dtype.get()], 0.5], log: true, words: "step h" },
      y: { range: [low, 10], log: true, words: "size of the error" },
      lines, upright: { x: here.h }, dots: [{ at: [here.h, here.total || low], color: COLORS.total, size: 6 }],
      words: `The error of the difference against the step, both on logarithmic scales. The table below the figure has its values.`,
    });
  }

  update();
})();
