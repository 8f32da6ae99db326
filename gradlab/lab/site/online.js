"use strict";
/* The online softmax of Milakov and Gimelshein: the largest logit m and the sum s of exp(x - m), in one pass. */
const Online = (() => {
  const A = Arithmetic;

  /** One state for each logit: {x, m, factor, scaled, term, s, rose}; s = scaled + term, scaled = s before * factor. */
  function pass(logits, format) {
    const to = Forms.operationsOf(format);
    let [m, s] = [-Infinity, 0];
    return logits.map((x, k) => {
      const rose = x > m;
      const next = rose ? x : m;
      const factor = k === 0 ? 0 : to.exp(to.subtract(m, next));
      const term = to.exp(to.subtract(x, next));
      const scaled = to.multiply(s, factor);
      [m, s] = [next, to.add(scaled, term)];
      return { x, m, factor, scaled, term, s, rose };
    });
  }

  /** The exact sum of exp(x - max x). */
  function sumOf(logits) {
    const top = A.exact(Math.max(...logits));
    return logits.map((x) => A.exp(A.subtract(A.exact(x), top))).reduce(A.add, A.ZERO);
  }

  /** The states of two parts, each passed over by itself, made one: {m, s}. */
  function merge(left, right, format) {
    const to = Forms.operationsOf(format);
    const m = Math.max(left.m, right.m);
    const [a, b] = [left, right].map((part) => to.multiply(part.s, to.exp(to.subtract(part.m, m))));
    return { m, s: to.add(a, b) };
  }

  /** The sum in two passes: the largest logit first, then exp(x - m) from the first to the last. */
  function twoPasses(logits, format) {
    const to = Forms.operationsOf(format);
    const m = Math.max(...logits);
    return { m, s: to.sum(logits.map((x) => to.exp(to.subtract(x, m)))) };
  }

  return { pass, sumOf, merge, twoPasses };
})();
