"""What finite differences and quadrature may be off by, beside the errors of what they are made of.

A = sum_j t_j of a row, h the step; the loss is sum_j t_j (lse - x_j), per row.

[1] L. N. Trefethen, Is Gauss quadrature better than Clenshaw-Curtis?, SIAM Review 50(1), 2008, theorem 4.5.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from gradlab.bounds.bound import Bound
from gradlab.problems.problem import Array

_THIRD = 36 * math.sqrt(3)  # |f'''| h^2/6 <= h^2 A/_THIRD for a unit step along one coordinate


def central_difference(error: Array | float, curvature: Array | float, step: float) -> Bound:
    """How far (f(x + h v) - f(x - h v))/(2h) may be from the derivative of f along v.

    error bounds the error of f at both points; roundoff is then at most 2 error/(2h). The third derivative of lse
    along v is the third central moment of the value v_I of a random class I ~ p, at most (max v - min v)^3/(6 sqrt 3)
    in size (reached by a two-point distribution), so truncation is at most h^2/6 times that.
    curvature: A (max v - min v)^3, summed over the rows and divided as f is. x +- h v must be exact.
    """
    truncation = np.asarray(curvature) * step**2 / _THIRD
    error = truncation + np.asarray(error) / step
    return Bound(error, "central difference: h^2 A/(36 sqrt 3) + error of the loss/h")


def best_step(error: float, curvature: float) -> float:
    """The power of two nearest to the step that minimises `central_difference`, at most 1.

    h^2 c/(36 sqrt 3) + error/h is least at h^3 = 18 sqrt(3) error/c. Both are above 0, the error may be infinite.
    """
    binades = math.log2(18 * math.sqrt(3)) + math.log2(error) - math.log2(curvature)
    return math.ldexp(1.0, round(min(0.0, binades / 3)))


def error_missed(tolerance: float, probability: float, n_directions: int) -> float:
    """The Frobenius norm of an error of the gradient that passes all Gaussian directions with this probability.

    The error E along a Gaussian direction is normal with standard deviation |E|; it is missed only where it is below
    twice the tolerance, in all m independent directions with probability (2 Phi(2 tolerance/|E|) - 1)^m.
    """
    return 2 * tolerance / NormalDist().inv_cdf((1 + probability ** (1 / n_directions)) / 2)


def gauss_legendre(width: float, coefficient_sum: float, n_nodes: int) -> float:
    """The largest error of n-point Gauss-Legendre for the integral over s in [0, 1] of the derivative along v.

    phi(s) = A sum p_j(x + s v) v_j is analytic where sum exp(x_j + s v_j) is not 0; for |Im s| <= pi/(2 width) all
    terms lie within an angle of pi/2, so |phi| <= A (width/2) sqrt 2 after a constant is taken from v (exact for
    the rule). On [-1, 1] that is an ellipse of parameter rho = b + sqrt(b^2 + 1), b = pi/width; then [1]:
    error <= (1/2)(64/15) max|phi| rho^(-2(n - 1))/(1 - rho^-2). log rho = asinh b, which a large width leaves above 0.
    """
    if width in (0, math.inf):
        return width
    log_rho = math.asinh(math.pi / width)
    largest = coefficient_sum * width / math.sqrt(2)
    return 32 / 15 * largest * math.exp(-2 * (n_nodes - 1) * log_rho) / -math.expm1(-2 * log_rho)
