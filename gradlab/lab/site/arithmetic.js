"use strict";
/* Floating-point numbers as they are, and the truth beside them. Nothing here knows of a page.

   A format is float16, float32 or float64. The numbers of all three are JavaScript numbers: each is a float64.
   `round(x, format)` is the nearest number of the format, ties to even. For +, -, *, / and a format of p <= 24 bits the
   float64 operation, rounded once more, is the correctly rounded one, since 53 >= 2p + 2 (Figueroa, 1995).

   An exact value is kept as {h, l, e}: (h + l) 2^e, h and l two float64 that do not overlap. Its operations are those of
   Dekker and Knuth, with relative errors of a few 2^-104; exp and log1p are within about 2^-97. The exponent e keeps
   apart what overflows or underflows. */
const Arithmetic = (() => {
  const FORMATS = {
    float16: { name: "float16", precision: 11, minExponent: -14, largest: 65504, width: 16 },
    float32: { name: "float32", precision: 24, minExponent: -126, largest: 3.4028234663852886e38, width: 32 },
    float64: { name: "float64", precision: 53, minExponent: -1022, largest: Number.MAX_VALUE, width: 64 },
  };
  const view = new DataView(new ArrayBuffer(8));

  // ---- numbers of a format ------------------------------------------------------------------------------------------

  /** floor(log2 |x|) of a finite x that is not 0, subnormal or not. */
  function exponentOf(x) {
    view.setFloat64(0, x);
    const field = (view.getUint32(0) >>> 20) & 0x7ff;
    return field ? field - 1023 : exponentOf(x * 2 ** 60) - 60;
  }

  /** x 2^e; one rounding at most where x is an integer below 2^53 or the product is normal. */
  function ldexp(x, e) {
    if (x === 0 || !Number.isFinite(x)) return x;
    for (; e > 1000; e -= 1000) {
      x *= 2 ** 1000;
      if (!Number.isFinite(x)) return x;
    }
    for (; e < -1000; e += 1000) {
      x *= 2 ** -1000;
      if (x === 0) return x;
    }
    return x * 2 ** e;
  }

  function roundToInteger(m) {
    const below = Math.floor(m);
    const rest = m - below;
    if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
    return below % 2 === 0 ? below : below + 1;
  }

  /** The number of the format nearest to an exact value, ties to even; infinite above the largest. */
  function nearest(value, format) {
    const { h, l, e } = value;
    if (h === 0 || !Number.isFinite(h)) return h;
    const last = Math.max(exponentOf(h) + e, format.minExponent) - format.precision + 1; // exponent of the last bit
    const scaled = ldexp(h, e - last);
    let whole = roundToInteger(scaled);
    const rest = scaled - whole;
    if (rest === 0.5 && l > 0) whole += 1;
    if (rest === -0.5 && l < 0) whole -= 1;
    const result = ldexp(whole, last);
    if (Math.abs(result) > format.largest) return Math.sign(h) * Infinity;
    return result === 0 && h < 0 ? -0 : result;
  }

  /** The number of the format nearest to the float64 x, ties to even. */
  function round(x, format) {
    if (format.precision === 53) return x;
    return format.precision === 24 ? Math.fround(x) : nearest({ h: x, l: 0, e: 0 }, format);
  }

  /** The bits of x as a BigInt, sign first. */
  function bitsOf(x, format) {
    const sign = BigInt(x < 0 || Object.is(x, -0)) << BigInt(format.width - 1);
    return sign + magnitudeBits(Math.abs(x), format);
  }

  function magnitudeBits(size, format) {
    const hidden = BigInt(format.precision - 1);
    const fields = (1n << BigInt(format.width - format.precision)) - 1n;
    if (Number.isNaN(size)) return (fields << hidden) + (1n << (hidden - 1n));
    if (size === Infinity) return fields << hidden;
    if (size === 0) return 0n;
    const exponent = Math.max(exponentOf(size), format.minExponent);
    const whole = BigInt(ldexp(size, format.precision - 1 - exponent));
    return (BigInt(exponent - format.minExponent) << hidden) + whole;
  }

  /** The number with these bits. */
  function fromBits(bits, format) {
    const sign = bits >> BigInt(format.width - 1) ? -1 : 1;
    return sign * fromMagnitude(bits & ((1n << BigInt(format.width - 1)) - 1n), format);
  }

  function fromMagnitude(bits, format) {
    const hidden = BigInt(format.precision - 1);
    const field = Number(bits >> hidden);
    const fraction = bits & ((1n << hidden) - 1n);
    if (field === 2 ** (format.width - format.precision) - 1) return fraction ? NaN : Infinity;
    const whole = Number(field ? fraction + (1n << hidden) : fraction);
    return ldexp(whole, Math.max(field, 1) - 1 + format.minExponent - format.precision + 1);
  }

  /** Which number of the format x is, counted from 0 in both directions; a BigInt. */
  function ordinalOf(x, format) {
    const size = magnitudeBits(Math.abs(x), format);
    return x < 0 ? -size : size;
  }

  function fromOrdinal(ordinal, format) {
    return ordinal < 0n ? -fromMagnitude(-ordinal, format) : fromMagnitude(ordinal, format);
  }

  /** The distance from |x| to the next larger number of the format. */
  function spacing(x, format) {
    return ldexp(1, lastBit(x, format));
  }

  function lastBit(x, format) {
    const exponent = x === 0 ? format.minExponent : Math.max(exponentOf(x), format.minExponent);
    return exponent - format.precision + 1;
  }

  /** Every decimal digit of x, which is finite: a float is a whole number times a power of two. */
  function exactDecimal(x) {
    const sign = x < 0 || Object.is(x, -0) ? "-" : "";
    if (x === 0) return sign + "0";
    const last = lastBit(x, FORMATS.float64);
    const whole = BigInt(ldexp(Math.abs(x), -last));
    if (last >= 0) return sign + (whole << BigInt(last)).toString();
    const digits = (whole * 5n ** BigInt(-last)).toString().padStart(1 - last, "0");
    const fraction = digits.slice(last).replace(/0+$/, "");
    return sign + digits.slice(0, last) + (fraction ? "." + fraction : "");
  }

  /** The shortest decimal that is rounded to x in the format. */
  function shortest(x, format) {
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x < 0 ? "-inf" : "inf";
    if (Object.is(x, -0)) return "-0";
    for (let digits = 1; digits < 17; digits += 1) {
      const text = x.toPrecision(digits);
      if (round(Number(text), format) === x) return String(Number(text));
    }
    return String(x);
  }

  // ---- exact values -------------------------------------------------------------------------------------------------

  const ZERO = { h: 0, l: 0, e: 0 };
  const ONE = { h: 1, l: 0, e: 0 };

  function exact(x) {
    if (x === 0 || !Number.isFinite(x)) return { h: x, l: 0, e: 0 };
    const e = exponentOf(x);
    return Math.abs(e) < 100 ? { h: x, l: 0, e: 0 } : { h: ldexp(x, -e), l: 0, e };
  }

  function twoSum(a, b) {
    const s = a + b;
    const t = s - a;
    return [s, a - (s - t) + (b - t)];
  }

  function fastTwoSum(a, b) {
    const s = a + b;
    return [s, b - (s - a)];
  }

  function split(a) {
    const c = 134217729 * a;
    const high = c - (c - a);
    return [high, a - high];
  }

  function twoProduct(a, b) {
    const p = a * b;
    const [ah, al] = split(a);
    const [bh, bl] = split(b);
    return [p, ah * bh - p + ah * bl + al * bh + al * bl];
  }

  function normal(h, l, e) {
    if (h === 0) return ZERO;
    const own = exponentOf(h);
    return Math.abs(own) < 100 ? { h, l, e } : { h: ldexp(h, -own), l: ldexp(l, -own), e: e + own };
  }

  function negative(a) {
    return { h: -a.h, l: -a.l, e: a.e };
  }

  function add(a, b) {
    if (a.h === 0) return b;
    if (b.h === 0) return a;
    if (!Number.isFinite(a.h) || !Number.isFinite(b.h)) return { h: a.h + b.h, l: 0, e: 0 };
    const e = Math.max(a.e, b.e);
    const [ah, al] = [ldexp(a.h, a.e - e), ldexp(a.l, a.e - e)];
    const [bh, bl] = [ldexp(b.h, b.e - e), ldexp(b.l, b.e - e)];
    const [s, r] = twoSum(ah, bh);
    const [t, u] = twoSum(al, bl);
    const [v, w] = fastTwoSum(s, r + t);
    const [h, l] = fastTwoSum(v, w + u);
    return normal(h, l, e);
  }

  function subtract(a, b) {
    return add(a, negative(b));
  }

  function multiply(a, b) {
    const [p, r] = twoProduct(a.h, b.h);
    const [h, l] = fastTwoSum(p, r + (a.h * b.l + a.l * b.h));
    return normal(h, l, a.e + b.e);
  }

  function divide(a, b) {
    if (a.h === 0 || b.h === 0 || !Number.isFinite(a.h) || !Number.isFinite(b.h)) return { h: a.h / b.h, l: 0, e: 0 };
    let quotient = ZERO;
    let rest = a;
    for (let digit = 0; digit < 3; digit += 1) {
      const next = { h: rest.h / b.h, l: 0, e: rest.e - b.e };
      quotient = add(quotient, next);
      rest = subtract(rest, multiply(next, b));
    }
    return quotient;
  }

  const RECIPROCALS = [ONE]; // 1 / n!
  for (let n = 1; n < 28; n += 1) RECIPROCALS.push(divide(RECIPROCALS[n - 1], exact(n)));

  // log 2 in three parts of 53 bits; the next one is below 2^-160
  const LOG_2 = [0.6931471805599453, 2.3190468138462996e-17, 5.707708438416212e-34].map(exact);

  /** sum of r^n / n! from n = first on, for |r| < 0.36. */
  function series(r, first) {
    let sum = RECIPROCALS[27];
    for (let n = 26; n >= first; n -= 1) sum = add(multiply(sum, r), RECIPROCALS[n]);
    return first ? multiply(sum, r) : sum;
  }

  function plain(a) {
    return ldexp(a.h, a.e) + ldexp(a.l, a.e);
  }

  function exp(a) {
    const x = plain(a);
    if (Math.abs(x) > 2 ** 20) return x > 0 ? { h: Infinity, l: 0, e: 0 } : ZERO;
    const k = Math.round(x / Math.LN2);
    let r = a;
    for (const part of LOG_2) r = subtract(r, multiply(exact(k), part));
    const sum = series(r, 0);
    return { h: sum.h, l: sum.l, e: sum.e + k };
  }

  /** exp(a) - 1, also right where a is small. */
  function expm1(a) {
    return Math.abs(plain(a)) < 0.35 ? series(a, 1) : subtract(exp(a), ONE);
  }

  /** log(1 + a), also right where a is small; a > -1. */
  function log1p(a) {
    if (a.h === 0) return ZERO;
    if (exponentOf(a.h) + a.e < -120) return a; // what is left out is below a^2 / 2
    const y = Math.log1p(plain(a));
    const guess = exact(y);
    const missing = divide(subtract(a, expm1(guess)), exp(guess)); // 1 + missing = (1 + a) / exp(y)
    const square = multiply(multiply(missing, missing), exact(-0.5));
    return add(guess, add(missing, square));
  }

  function log(a) {
    if (a.h <= 0) return { h: a.h < 0 ? NaN : -Infinity, l: 0, e: 0 };
    if (!Number.isFinite(a.h)) return a;
    const x = plain(a);
    if (x > 0.5 && x < 2) return log1p(subtract(a, ONE));
    const k = exponentOf(a.h) + a.e;
    let whole = ZERO;
    for (const part of LOG_2) whole = add(whole, multiply(exact(k), part));
    return add(whole, log1p(subtract({ h: a.h, l: a.l, e: a.e - k }, ONE)));
  }

  /** sum of (-1)^k a^(2k) / (2k + first)!, for |a| <= 1/2: cos a of first 0, sin a / a of first 1. */
  function alternating(a, first) {
    const square = negative(multiply(a, a));
    let sum = RECIPROCALS[26 + first];
    for (let n = 24 + first; n >= first; n -= 2) sum = add(multiply(sum, square), RECIPROCALS[n]);
    return sum;
  }

  function cos(a) {
    return alternating(a, 0);
  }

  function sin(a) {
    return multiply(a, alternating(a, 1));
  }

  /** The angle in [-1/2, 1/2] whose tangent is a. */
  function atan(a) {
    if (a.h === 0 || exponentOf(a.h) + a.e < -60) return a; // what is left out is below a^3 / 3
    const guess = exact(Math.atan(plain(a)));
    const [s, c] = [sin(guess), cos(guess)];
    return add(guess, divide(subtract(multiply(a, c), s), add(c, multiply(a, s))));
  }

  // ---- a number beside the truth ------------------------------------------------------------------------------------

  /** |x - truth| in units of the last place of the truth; NaN for NaN. */
  function errorInUlp(x, truth, format) {
    if (Number.isNaN(x) || Number.isNaN(truth.h)) return NaN;
    if (!Number.isFinite(x) || !Number.isFinite(truth.h)) return nearest(truth, format) === x ? 0 : Infinity;
    const own = truth.h === 0 ? format.minExponent : Math.max(exponentOf(truth.h) + truth.e, format.minExponent);
    const difference = subtract(exact(x), truth);
    return Math.abs(ldexp(difference.h, difference.e - (own - format.precision + 1)));
  }

  return {
    FORMATS, ZERO, ONE, exponentOf, ldexp, nearest, round, bitsOf, fromBits, ordinalOf, fromOrdinal, spacing, lastBit,
    exactDecimal, shortest, exact, plain, negative, add, subtract, multiply, divide, exp, expm1, log1p, log, sin, cos, atan, errorInUlp,
  };
})();
