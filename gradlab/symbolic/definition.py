"""The definition: the loss of one row for a symbolic number of classes, and the letters it is written in.

Classes are numbered 0, ..., K - 1. Every label and class index that occurs free lies in that range.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Eq, Expr, Function, IndexedBase, Piecewise, Sum, Symbol, exp, log

K = Symbol("K", integer=True, positive=True)
N = Symbol("N", integer=True, nonnegative=True)
F = Symbol("F", integer=True, positive=True)
i = Symbol("i", integer=True, nonnegative=True)
j = Symbol("j", integer=True, nonnegative=True)
k = Symbol("k", integer=True, nonnegative=True)
n = Symbol("n", integer=True, nonnegative=True)
r = Symbol("r", integer=True, nonnegative=True)
a = Symbol("a", integer=True, nonnegative=True)
f = Symbol("f", integer=True, nonnegative=True)
y = Symbol("y", integer=True)
c = Symbol("c", integer=True)
epsilon = Symbol("epsilon", nonnegative=True)
A = Symbol("A", nonnegative=True)
S = Symbol("S", positive=True)
R = Symbol("R", nonnegative=True)
Z = Symbol("Z", real=True)
M = Symbol("M", real=True)
m = Symbol("m", nonnegative=True)
mu = Symbol("mu", real=True)
u = Symbol("u", real=True)
kappa = Symbol("kappa", positive=True)
tau = Symbol("tau", positive=True)
lambda_ = Symbol("lambda", nonnegative=True)
phi = Symbol("phi", real=True)
s = Symbol("s", nonnegative=True)
v = Symbol("v", real=True)

L = Symbol("L", nonnegative=True)
g = IndexedBase("g", real=True)
H = IndexedBase("H", real=True)
x = IndexedBase("x", real=True)
t = IndexedBase("t", nonnegative=True)
q = IndexedBase("q", nonnegative=True)
w = IndexedBase("w", nonnegative=True)
p = IndexedBase("p", positive=True)
d = IndexedBase("d", real=True)
e = IndexedBase("e", positive=True)
l = IndexedBase("l", real=True)  # noqa: E741 - the letter of the formula, log p_j
B = IndexedBase("B", nonnegative=True)
C = IndexedBase("C", nonnegative=True)
P = IndexedBase("P", nonnegative=True)
Q = IndexedBase("Q", nonnegative=True)
T = IndexedBase("T", nonnegative=True)
U = IndexedBase("U", nonnegative=True)
V = IndexedBase("V", real=True)
b = IndexedBase("b", real=True)
h = IndexedBase("h", real=True)
loss = IndexedBase("L", nonnegative=True)
denominator = IndexedBase("D", nonnegative=True)

argmax = Function("argmax", integer=True, nonnegative=True)


@dataclass(frozen=True)
class Letter:
    """What a letter stands for: its name in generated code and its meaning in words."""

    name: str
    meaning: str


LETTERS: dict[Expr, Letter] = {
    K: Letter("n_classes", "the number of classes"),
    N: Letter("n_rows", "the number of rows"),
    x: Letter("logits", "the logits of a row"),
    t: Letter("coefficients", "the row's coefficients, each at least 0: what the target and the options come to"),
    q: Letter("targets", "the row's target probabilities"),
    w: Letter("class_weights", "the class weights"),
    y: Letter("label", "the row's label"),
    c: Letter("ignore_index", "the label whose rows are ignored"),
    epsilon: Letter("label_smoothing", "the label smoothing"),
    kappa: Letter("softcap", "the softcap, which no logit exceeds in size"),
    tau: Letter("temperature", "the temperature"),
    lambda_: Letter("z_loss", "the factor of the z-loss"),
    phi: Letter("poly_epsilon", "the factor of the polynomial term"),
    s: Letter("sample_weights", "the row's sample weight"),
    v: Letter("upstream", "the row's upstream gradient, the derivative of what follows by the row's loss"),
    u: Letter("logits", "one logit"),
    M: Letter("log_sum_exp", "the logarithm of the sum of the exponentials of the logits, shifted or not"),
    m: Letter("target_probability", "the sum of t_j p_j: the target's probability where there is one target"),
    L: Letter("loss", "the loss of a row, L_n that of row n; or of all rows, reduced"),
    g: Letter("gradient", "the derivative of the row's loss along each logit"),
    H: Letter("second_derivatives", "its second derivatives along two logits, the Hessian"),
    p: Letter("probabilities", "softmax of the logits"),
    A: Letter("coefficient_sum", "the sum of the row's coefficients"),
    S: Letter("total", "the sum of the exponentials"),
    a: Letter("largest", "the class of the largest logit; the first one on a tie"),
    d: Letter("shifted_logits", "the logits less the largest one"),
    e: Letter("exponentials", "the exponentials"),
    l: Letter("log_probabilities", "the logarithms of the probabilities"),
    Z: Letter("log_total", "the logarithm of the sum"),
    R: Letter("rest", "the sum of the exponentials without the largest"),
    B: Letter("coefficients_before", "the sum of the coefficients before class j"),
    C: Letter("coefficients_after", "the sum of the coefficients after class j"),
    P: Letter("probabilities_before", "the sum of the probabilities before class j"),
    Q: Letter("probabilities_after", "the sum of the probabilities after class j"),
    T: Letter("other_coefficients", "the sum of the coefficients of the classes other than j"),
    U: Letter("other_probabilities", "the sum of the probabilities of the classes other than j"),
    V: Letter("covariances", "the covariance of two classes' indicators under p"),
    b: Letter("vector", "what the row's Hessian is multiplied by"),
    mu: Letter("mean", "the mean of the vector under p"),
    h: Letter("terms", "each class's part of the loss"),
    loss: Letter("losses", "the loss of row n"),
    denominator: Letter("denominators", "what each row adds to the denominator of the mean"),
}


@dataclass(frozen=True)
class Binding:
    """`letter` (a symbol, or an indexed base at one index) is short for `value`."""

    letter: Expr
    value: Expr


def over_classes(summand: Expr, index: Symbol) -> Expr:
    """The sum of `summand` for index = 0, ..., K - 1."""
    return Sum(summand, (index, 0, K - 1))


def over_others(summand: Expr, index: Symbol, left_out: Symbol) -> tuple[Expr, Expr]:
    """The sums of `summand` over the classes before and after `left_out`."""
    return Sum(summand, (index, 0, left_out - 1)), Sum(summand, (index, left_out + 1, K - 1))


def softmax(index: Symbol) -> Expr:
    """p_index = exp(x_index) / sum_k exp(x_k)."""
    return exp(x[index]) / over_classes(exp(x[k]), k)


def row_loss() -> Expr:
    """- sum_j t_j log p_j, the loss of one row for any coefficients t."""
    return -over_classes(t[j] * log(softmax(j)), j)


def weigh(term: Expr) -> Expr:
    """t_j term, and 0 without a look at the term where t_j = 0: in floating point 0 * inf would be NaN."""
    return Piecewise((0, Eq(t[j], 0)), (t[j] * term, True))


def without_guard(guarded: Expr) -> Expr:
    """f for "0 where u = v, otherwise f". Raises ValueError unless f is 0 there anyway."""
    (zero, condition), (value, otherwise) = guarded.args
    if zero != 0 or not otherwise or value.subs(condition.lhs, condition.rhs) != 0:
        raise ValueError(f"only a guard of a term that vanishes can be dropped, got {guarded}")
    return value
