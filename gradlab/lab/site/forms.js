"use strict";
/* One row's loss and gradient in four forms, in the arithmetic of a format, each intermediate value beside the truth.

   The model: +, -, * and / are rounded correctly, as IEEE 754 asks. exp, log, log1p, sin, cos and atan are rounded
   correctly too. A library's may be off by an ULP or so more. Sums run from the first class to the last. */
const Forms = (() => {
  const A = Arithmetic;

  /** The operations of a format on its numbers. */
  function operationsOf(format) {
    const round = (x) => A.round(x, format);
    const correct = (limit, exactly) => (x) =>
      Number.isFinite(x) ? A.nearest(exactly(A.exact(x)), format) : limit(x);
    const add = (a, b) => round(a + b);
    return {
      add,
      subtract: (a, b) => round(a - b),
      multiply: (a, b) => round(a * b),
      divide: (a, b) => round(a / b),
      exp: correct(Math.exp, A.exp),
      log: correct(Math.log, A.log),
      log1p: correct(Math.log1p, A.log1p),
      sin: correct(Math.sin, A.sin),
      cos: correct(Math.cos, A.cos),
      atan: correct(Math.atan, A.atan),
      sum: (values) => values.reduce(add, 0),
    };
  }

  const total = (values) => values.reduce(A.add, A.ZERO);

  /** The exact values of everything that some form computes, for a row of logits and its label. */
  function truthOf(logits, label) {
    const x = logits.map(A.exact);
    const top = logits.indexOf(Math.max(...logits));
    const d = x.map((logit) => A.subtract(logit, x[top]));
    const e = d.map(A.exp);
    const others = total(e.filter((_, j) => j !== label));
    const sum = total(e);
    const logSum = A.log1p(total(e.filter((_, j) => j !== top)));
    const p = e.map((term) => A.divide(term, sum));
    const raw = x.map(A.exp);
    return {
      m: [x[top]], d, e, o: [others], s: [sum], log: [logSum], p,
      raw, rawSum: [total(raw)],
      q: d.map((shifted) => A.subtract(shifted, logSum)),
      loss: [A.subtract(logSum, d[label])],
      g: p.map((probability, j) => (j === label ? A.negative(A.divide(others, sum)) : probability)),
    };
  }

  const STEPS = {
    m: { symbol: "m", formula: "max x", words: "the largest logit", from: [] },
    d: { symbol: "d", formula: "x − m", words: "the shifted logits", from: ["m"] },
    e: { symbol: "e", formula: "exp d", words: "the exponentials", from: ["d"] },
    raw: { symbol: "e", formula: "exp x", words: "the exponentials", from: [] },
    s: { symbol: "S", formula: "sum of e", words: "their sum", from: ["e"] },
    rawSum: { symbol: "S", formula: "sum of e", words: "their sum", from: ["raw"] },
    o: { symbol: "o", formula: "sum of e without the label", words: "the sum of the others", from: ["e"] },
    log: { symbol: "log S", formula: "log S", words: "the logarithm of the sum", from: ["s"] },
    q: { symbol: "log p", formula: "d − log S", words: "the log-probabilities", from: ["d", "log"] },
    p: { symbol: "p", formula: "e / S", words: "the probabilities", from: ["e", "s"] },
    loss: { symbol: "L", formula: "", words: "the loss", from: [] },
    g: { symbol: "g", formula: "p, and p − 1 at the label", words: "the gradient", from: ["p"] },
  };

  const PROGRAMS = { textbook, shifted, "log-space": logSpace, complement };

  /** The steps of a form, each {symbol, formula, words, from, key, values, truths}, for logits of the format. */
  function evaluate(name, logits, label, format) {
    const truth = truthOf(logits, label);
    return PROGRAMS[name](logits, label, operationsOf(format)).map(([key, values, changes]) => ({
      ...STEPS[key], ...changes, key, values, truths: truth[key],
    }));
  }

  /** The loss and the label's entry of the gradient as a form computes them. */
  function answer(name, logits, label, format) {
    const values = new Map(PROGRAMS[name](logits, label, operationsOf(format)));
    return { loss: values.get("loss")[0], entry: values.get("g")[label] };
  }

  function largest(logits) {
    return logits.reduce((a, b) => (Number.isNaN(a) || a > b ? a : b));
  }

  function lessOne(p, label, to) {
    return p.map((probability, j) => (j === label ? to.subtract(probability, 1) : probability));
  }

  function textbook(x, label, to) {
    const e = x.map(to.exp);
    const s = to.sum(e);
    const p = e.map((term) => to.divide(term, s));
    return [
      ["raw", e], ["rawSum", [s]], ["p", p, { from: ["raw", "rawSum"] }],
      ["loss", [-to.log(p[label])], { formula: "−log p at the label", from: ["p"] }],
      ["g", lessOne(p, label, to)],
    ];
  }

  function exponentials(x, to) {
    const m = largest(x);
    const d = x.map((logit) => to.subtract(logit, m));
    return { m, d, e: d.map(to.exp) };
  }

  function shifted(x, label, to) {
    const { m, d, e } = exponentials(x, to);
    const s = to.sum(e);
    const log = to.log(s);
    const p = e.map((term) => to.divide(term, s));
    return [
      ["m", [m]], ["d", d], ["e", e], ["s", [s]], ["log", [log]],
      ["loss", [to.subtract(log, d[label])], { formula: "log S − d at the label", from: ["log", "d"] }],
      ["p", p], ["g", lessOne(p, label, to)],
    ];
  }

  function logSpace(x, label, to) {
    const { m, d, e } = exponentials(x, to);
    const s = to.sum(e);
    const log = to.log(s);
    const q = d.map((difference) => to.subtract(difference, log));
    const p = q.map(to.exp);
    return [
      ["m", [m]], ["d", d], ["e", e], ["s", [s]], ["log", [log]], ["q", q],
      ["loss", [-q[label]], { formula: "−log p at the label", from: ["q"] }],
      ["p", p, { formula: "exp of log p", from: ["q"] }], ["g", lessOne(p, label, to)],
    ];
  }

  function complement(x, label, to) {
    const { m, d, e } = exponentials(x, to);
    const others = to.sum(e.map((term, j) => (j === label ? 0 : term)));
    const s = to.add(others, e[label]);
    const behind = to.subtract(m, x[label]);
    const loss = behind === 0 ? to.log1p(others) : to.add(behind, to.log(s));
    const p = e.map((term) => to.divide(term, s));
    const entry = p[label] > 0.5 ? -to.divide(others, s) : to.subtract(p[label], 1);
    return [
      ["m", [m]], ["d", d], ["e", e], ["o", [others]],
      ["s", [s], { formula: "o + e at the label", from: ["o", "e"] }],
      ["loss", [loss], behind === 0 ? { formula: "log1p o", from: ["o"] } : { formula: "log S − d at the label", from: ["s", "d"] }],
      ["p", p],
      ["g", p.map((probability, j) => (j === label ? entry : probability)),
        { formula: "p, and −o / S at the label", from: ["p", "o", "s"] }],
    ];
  }

  // ---- where digits are lost ----------------------------------------------------------------------------------------

  /** How many bits of a value of p bits are wrong, and in one word what became of it. */
  function judge(value, truth, format) {
    const right = A.nearest(truth, format);
    const error = A.errorInUlp(value, truth, format);
    const lost = error <= 0.5000001 ? 0 : Math.min(format.precision, Math.log2(2 * error));
    if (Number.isNaN(value)) return { right, error, lost: format.precision, fate: "NaN" };
    if (!Number.isFinite(value) && Number.isFinite(right)) return { right, error, lost: format.precision, fate: "overflow" };
    if (value === 0 && right !== 0) return { right, error, lost: format.precision, fate: "zero" };
    return { right, error, lost, fate: lost > 3 ? "inaccurate" : "right" };
  }

  /** The same steps with `judged` for each value, and `lostHere`: the bits that this step loses and no earlier one. */
  function examine(name, logits, label, format) {
    const steps = evaluate(name, logits, label, format);
    const worst = {};
    for (const step of steps) {
      step.judged = step.values.map((value, j) => judge(value, step.truths[j], format));
      const inherited = Math.max(0, ...step.from.map((key) => worst[key]));
      worst[step.key] = Math.max(...step.judged.map((entry) => entry.lost));
      step.lostHere = worst[step.key] - inherited;
    }
    return steps;
  }

  return { NAMES: Object.keys(PROGRAMS), operationsOf, truthOf, evaluate, answer, judge, examine };
})();
