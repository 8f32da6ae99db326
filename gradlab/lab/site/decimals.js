"use strict";
/* Decimals as people type them, exactly: as a fraction of two whole numbers. */
const Decimals = (() => {
  const A = Arithmetic;

  /** A decimal as [numerator, denominator], two BigInt. */
  function fraction(text) {
    const [, sign, whole, rest = "", exponent = "0"] = /^(-?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text);
    const digits = BigInt(`${whole}${rest}` || "0") * (sign ? -1n : 1n);
    const power = Number(exponent) - rest.length;
    return power >= 0 ? [digits * 10n ** BigInt(power), 1n] : [digits, 10n ** BigInt(-power)];
  }

  /** A float as such a fraction. */
  function fractionOf(x) {
    if (x === 0) return [0n, 1n];
    const last = A.lastBit(x, A.FORMATS.float64);
    const whole = BigInt(A.ldexp(x, -last));
    return last >= 0 ? [whole << BigInt(last), 1n] : [whole, 1n << BigInt(-last)];
  }

  function subtract([a, b], [c, d]) {
    return [a * d - c * b, b * d];
  }

  const size = (n) => (n < 0n ? -n : n);

  /** The float of the format nearest to a decimal, ties to even: one rounding, from the exact fraction. */
  function round(text, format) {
    const [numerator, denominator] = fraction(text);
    if (numerator === 0n) return text.startsWith("-") ? -0 : 0;
    const top = size(numerator);
    let exponent = top.toString(2).length - denominator.toString(2).length;
    const below = exponent >= 0 ? top < denominator << BigInt(exponent) : top << BigInt(-exponent) < denominator;
    if (below) exponent -= 1; // now floor(log2) of the decimal
    const last = Math.max(exponent, format.minExponent) - format.precision + 1;
    const [n, d] = last >= 0 ? [top, denominator << BigInt(last)] : [top << BigInt(-last), denominator];
    let whole = n / d;
    const rest = 2n * (n % d);
    if (rest > d || (rest === d && whole % 2n === 1n)) whole += 1n;
    const value = A.ldexp(Number(whole), last);
    const rounded = value > format.largest ? Infinity : value;
    return numerator < 0n ? -rounded : rounded;
  }

  /** (decimal - x) / unit, as a float; unit is a power of two. */
  function offset(text, x, unit) {
    const [numerator, denominator] = subtract(fraction(text), fractionOf(x));
    const [n, d] = fractionOf(unit);
    return Number((numerator * d * 1000000n) / (denominator * n)) / 1e6;
  }

  /** |decimal - x| to four digits, for people. */
  function difference(text, x) {
    const [numerator, denominator] = subtract(fraction(text), fractionOf(x));
    if (numerator === 0n) return "0";
    const top = size(numerator);
    const power = top.toString().length - denominator.toString().length - 4;
    const scaled = power >= 0 ? top / (denominator * 10n ** BigInt(power)) : (top * 10n ** BigInt(-power)) / denominator;
    const digits = scaled.toString();
    return `${digits[0]}.${digits.slice(1, 4)}e${power + digits.length - 1}`;
  }

  return { round, offset, difference };
})();
