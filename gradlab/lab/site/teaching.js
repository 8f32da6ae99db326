"use strict";
/* The four teaching codes of docs/teaching-codes.md: softmax regression, with the faults that each of them has.

   A code is {shift, sum, loss, labels, divides, dividesBias}. Its faults are those of these parts that differ from MENDED,
   and a mend sets one part. Everything is computed in a format, sums from the first term to the last. */
const Teaching = (() => {
  const A = Arithmetic;
  const MENDED = { shift: "row", sum: "row", loss: "shifted logits", labels: "one-hot", divides: true, dividesBias: true };
  const CODES = {
    a: { words: "(a) labels subtracted as numbers", parts: { ...MENDED, shift: "none", loss: "log p", labels: "numbers", divides: false, dividesBias: false } },
    b: { words: "(b) one softmax for the whole batch", parts: { ...MENDED, shift: "none", sum: "batch", loss: "log p" } },
    c: { words: "(c) one shift for the whole batch", parts: { ...MENDED, shift: "batch", loss: "one-hot times log p", dividesBias: false } },
    d: { words: "(d) right mathematics, no shift", parts: { ...MENDED, shift: "none", loss: "one-hot times log p" } },
  };

  /** X W + b, shape (N, K), as nested arrays. */
  function logitsOf({ X, W, b }, to) {
    return X.map((x) => b.map((bias, k) => to.add(to.sum(x.map((value, d) => to.multiply(value, W[d][k]))), bias)));
  }

  /** A code's loss, dW and db for {X, y, W, b}. */
  function gradients(parts, problem, format) {
    const to = Forms.operationsOf(format);
    const { X, y } = problem;
    const Z = logitsOf(problem, to);
    const { D, P, sums } = softmax(parts, Z, to);
    const delta = P.map((row, i) => row.map((p, k) => to.subtract(p, parts.labels === "numbers" ? y[i] : Number(k === y[i]))));
    const share = (value, divided) => (divided ? to.divide(value, X.length) : value);
    const dW = problem.W.map((_, d) => problem.b.map((_, k) =>
      share(to.sum(X.map((x, i) => to.multiply(x[d], delta[i][k]))), parts.divides)));
    const db = problem.b.map((_, k) => share(to.sum(delta.map((row) => row[k])), parts.dividesBias));
    return { loss: to.divide(to.sum(losses(parts.loss, { D, P, sums, y }, to)), X.length), dW, db };
  }

  function softmax(parts, Z, to) {
    const top = Math.max(...Z.flat());
    const shifts = Z.map((row) => ({ none: 0, batch: top, row: Math.max(...row) })[parts.shift]);
    const D = Z.map((row, i) => row.map((z) => (parts.shift === "none" ? z : to.subtract(z, shifts[i]))));
    const E = D.map((row) => row.map(to.exp));
    const rows = E.map(to.sum);
    const sums = parts.sum === "batch" ? rows.map(() => to.sum(rows)) : rows;
    return { D, sums, P: E.map((row, i) => row.map((e) => to.divide(e, sums[i]))) };
  }

  function losses(kind, { D, P, sums, y }, to) {
    if (kind === "shifted logits") return y.map((label, i) => to.subtract(to.log(sums[i]), D[i][label]));
    if (kind === "log p") return y.map((label, i) => -to.log(P[i][label]));
    return y.map((label, i) => -to.sum(P[i].map((p, k) => to.multiply(Number(k === label), to.log(p)))));
  }

  /** W and b after a step of gradient descent. */
  function step(parts, problem, rate, format) {
    const to = Forms.operationsOf(format);
    const { loss, dW, db } = gradients(parts, problem, format);
    const moved = (value, slope) => to.subtract(value, to.multiply(A.round(rate, format), slope));
    return {
      loss,
      problem: {
        ...problem,
        W: problem.W.map((row, d) => row.map((w, k) => moved(w, dW[d][k]))),
        b: problem.b.map((value, k) => moved(value, db[k])),
      },
    };
  }

  /** The exact mean loss at X W + b, with the logits in float64; NaN where a weight is no number. */
  function trueLoss(problem) {
    const Z = logitsOf(problem, Forms.operationsOf(A.FORMATS.float64));
    if (Z.flat().some((z) => !Number.isFinite(z))) return NaN;
    const terms = Z.map((row, i) => Forms.truthOf(row, problem.y[i]).loss[0]);
    return A.plain(terms.reduce(A.add, A.ZERO)) / Z.length;
  }

  function accuracy(problem) {
    const Z = logitsOf(problem, Forms.operationsOf(A.FORMATS.float64));
    return Z.filter((row, i) => row.every((z, k) => k === problem.y[i] || z < row[problem.y[i]])).length / Z.length;
  }

  /** A training from W = 0, b = 0: for every step what the code says its loss is, and what it is. */
  function train(parts, { X, y, nClasses }, { rate, steps }, format) {
    const zeros = () => new Array(nClasses).fill(0);
    let problem = { X: X.map((x) => x.map((value) => A.round(value, format))), y, W: X[0].map(zeros), b: zeros() };
    const curve = [];
    for (let i = 0; i < steps; i += 1) {
      const exact = trueLoss(problem);
      const next = step(parts, problem, rate, format);
      curve.push({ said: next.loss, exact });
      problem = next.problem;
    }
    return { curve, problem, accuracy: accuracy(problem) };
  }

  return { MENDED, CODES, logitsOf, gradients, step, trueLoss, train };
})();
