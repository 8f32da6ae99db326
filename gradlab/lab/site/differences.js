"use strict";
/* Finite differences of one row's loss along one logit, which is 0, so that 0 + h and 0 - h are exact. */
const Differences = (() => {
  const A = Arithmetic;

  /** The loss of a row by the shifted form. */
  function lossOf(logits, label, format) {
    return Forms.evaluate("shifted", logits, label, format).find((step) => step.key === "loss").values[0];
  }

  function moved(logits, index, h) {
    return logits.map((logit, j) => (j === index ? logit + h : logit));
  }

  /** (L(h) - L(-h)) / 2h, or (L(h) - L(0)) / h, every operation rounded to the format; h is a power of two. */
  function quotient(row, h, kind, format) {
    const to = Forms.operationsOf(format);
    const value = (step) => lossOf(moved(row.logits, row.index, step), row.label, format);
    if (kind === "forward") return to.divide(to.subtract(value(h), value(0)), h);
    return to.divide(to.subtract(value(h), value(-h)), 2 * h);
  }

  /** p_j exp(h) - p_j, and from it L(h) - L(0), exactly. */
  function change(p, h, isLabel) {
    const grown = A.log1p(A.multiply(p, A.expm1(A.exact(h))));
    return isLabel ? A.subtract(grown, A.exact(h)) : grown;
  }

  /** The difference quotient in exact arithmetic, an exact value. */
  function exactQuotient(row, h, kind) {
    const p = Forms.truthOf(row.logits, row.label).p[row.index];
    const isLabel = row.index === row.label;
    const up = change(p, h, isLabel);
    if (kind === "forward") return A.divide(up, A.exact(h));
    return A.divide(A.subtract(up, change(p, -h, isLabel)), A.exact(2 * h));
  }

  /** The truncation error: exactQuotient less the derivative. Below h = 2^-20 its leading term, which is as good. */
  function truncation(row, h, kind) {
    const truth = Forms.truthOf(row.logits, row.label);
    const [p, g] = [truth.p[row.index], truth.g[row.index]];
    if (h > 2 ** -20) return A.plain(A.subtract(exactQuotient(row, h, kind), g));
    const q = A.subtract(A.ONE, p);
    const curvature = A.plain(A.multiply(p, q));
    if (kind === "forward") return (h / 2) * curvature;
    return ((h * h) / 6) * curvature * A.plain(A.subtract(q, p));
  }

  /** Im L(i h) / h, the complex step: one evaluation, nothing is subtracted. */
  function complexStep(row, h, format) {
    const to = Forms.operationsOf(format);
    const values = Object.fromEntries(
      Forms.evaluate("shifted", row.logits, row.label, format).map((step) => [step.key, step.values]),
    );
    const real = values.e.map((term, j) => (j === row.index ? to.multiply(term, to.cos(h)) : term));
    const imaginary = to.multiply(values.e[row.index], to.sin(h));
    const angle = to.atan(to.divide(imaginary, to.sum(real)));
    return to.divide(row.index === row.label ? to.subtract(angle, h) : angle, h);
  }

  // ---- the proved bound: gradlab/bounds/first_order.py has the derivation, for exp and log within beta = 4 ULP --------

  const BETA = 4;

  /** How far the computed loss of a row may be from the exact one: `forward_losses` of gradlab, float32 and float64. */
  function lossBound(logits, label, format) {
    const u = 2 ** -format.precision;
    const v = u / (1 - 8 * BETA * u);
    const smallest = A.ldexp(1, format.minExponent - format.precision + 1);
    const gamma = (k) => Math.expm1(Math.min(k * v, 700));
    const truth = Forms.truthOf(logits, label);
    const cut = Math.LN2 * (format.precision - format.minExponent + 2);
    const distance = truth.d.map((d) => Math.min(-A.plain(d), cut));
    const rises = risesOf(logits);
    const n = logits.length;
    const weighted = distance.reduce(
      (sum, d, j) => sum + A.plain(truth.p[j]) * gamma(3 * d + (2 * BETA + 1) * rises[j]), 0) / v;
    const logSum = n + 2 * BETA + weighted + (n * (2 * BETA + 2) * smallest) / v;
    const k = 4 * distance[label] + logSum + 2 * BETA + (2 * BETA + 3) * A.plain(truth.log[0]) + 1;
    const loss = A.plain(truth.loss[0]);
    return gamma(k + 2 * BETA + 2) + gamma(2 * BETA + 2) * loss + (2 * (BETA + 1) + n) * smallest;
  }

  /** How often the largest logit so far rises from class j on: a one-pass sum rescales term j as often. */
  function risesOf(logits) {
    let top = -Infinity;
    const rising = logits.map((logit) => logit > top && ((top = logit), true));
    return logits.map((_, j) => rising.slice(j + 1).filter(Boolean).length);
  }

  /** How far the central difference may be from the derivative: truncation, and roundoff. */
  function centralBound(row, h, format) {
    const error = Math.max(...[h, -h].map((step) => lossBound(moved(row.logits, row.index, step), row.label, format)));
    return { truncation: (h * h) / (36 * Math.sqrt(3)), roundoff: error / h };
  }

  return { lossBound, centralBound, lossOf, quotient, exactQuotient, truncation, complexStep };
})();
