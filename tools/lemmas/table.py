"""The inequalities of the proof in words: the step of docs/accuracy.md, what is asked, and why it holds."""

from __future__ import annotations

from tools.lemmas.inequality import Inequality

DIFFERENCE, TERM, SUM, TOTAL, ANSWERS, FAR, SINGLE, KERNEL = "1", "2", "3", "4", "5", "6", "single", "kernel"
SEARCHED = "searched"  # a figure that is not proved: what docs/implementations.md says was found

ROUNDINGS = "far off: roundings of many additions seldom all go one way"

INEQUALITIES: tuple[Inequality, ...] = (
    Inequality("difference_is_exact", DIFFERENCE, "x_j - m = d + δ", "two-sum", is_exact=True),
    Inequality("remainder_of_the_difference", DIFFERENCE, "|δ| ≤ u |d|", "**machine**"),
    Inequality("exponential_that_vanishes", TERM, "e_j ≤ η/2 where E = 0 and d < -745.2", "exp is monotone"),
    Inequality("error_of_exp", TERM, "|E - exp d| ≤ β ULP", "assumed; measured by `gradlab doctor`"),
    Inequality("error_of_the_correction", TERM, "|C - E δ| ≤ u |E δ| + η/2", "one product"),
    Inequality(
        "square_of_the_remainder", TERM, "|exp δ - 1 - δ| ≤ 2^-35 u", "**machine**, |δ| ≤ 512 u, half an ULP of d"
    ),
    Inequality(
        "error_of_a_term", TERM, "|t_j - e_j| ≤ θ u e_j + η/2; (β + 1) η where it is subnormal", "the four above"
    ),
    Inequality("cut_is_above_the_sum", SUM, "(K + 2) max E ≤ σ", "the bits of K + 2"),
    Inequality("cut_is_near", SUM, "σ ≤ 4 (K + 2) max E, at the second cut", "two powers of two"),
    Inequality(
        "upper_parts_add_up", SUM, "Σ upper = h, before it is normalised", "multiples of 2 u σ below σ", is_exact=True
    ),
    Inequality("lower_parts_are_small", SUM, "|E - upper| ≤ u σ", "**machine**"),
    Inequality(
        "rounding_of_the_lower_parts",
        SUM,
        "|l - Σ (lower + C)| ≤ γ_R (K u σ + Σ |C|), R = K up to 1024 classes, then at most 2^9",
        "any order of R additions",
    ),
    Inequality(
        "error_of_the_sum", SUM, "|h + l - Σ t_j| ≤ 2^-10 u Σ t_j, u/4 beyond 2^17 classes", "the five above", ROUNDINGS
    ),
    Inequality("pair_is_normalised", SUM, "|l| ≤ u |h|", "fast two-sum"),
    Inequality("error_of_the_others", SUM, "|h + l - O| ≤ (θ + 2^-9) u O + K (β + ½) η", "terms and their sum"),
    Inequality("shortfall_is_small", TOTAL, "|ρ| ≤ 3.4 u", "**machine**, of |C_y| ≤ 0.37 u, |l| ≤ u h"),
    Inequality("shortfall_of_the_denominator", TOTAL, "|S N - D (1 + ρ)| ≤ 16 u² D", "**machine**, of the same"),
    Inequality("square_of_the_shortfall", TOTAL, "|1/(1 + ρ) - (1 - ρ)| ≤ 12 u²", "**machine**"),
    Inequality("error_of_the_smaller", TOTAL, "|B' - B| ≤ (θ + 3.01) u B + 2^-9 u + K (β + ½) η", "three roundings"),
    Inequality(
        "error_of_another_entry",
        ANSWERS,
        "≤ (2 θ + 2.1) u g + 1.5 η; (β + 2) η of a subnormal term",
        "E, S, two roundings",
    ),
    Inequality("error_of_the_target", ANSWERS, "≤ (2 θ + 2.1) u g + η/2", "O, S, two roundings"),
    Inequality(
        "error_of_a_loss", ANSWERS, "≤ (θ + 2 λ + 5.2) u L + η/2, far 6 β + 2 λ + 2.1", "B, log1p, two roundings"
    ),
    Inequality("error_of_the_half", FAR, "|half - exp(d/2)| ≤ β ULP", "assumed; measured by `gradlab doctor`"),
    Inequality("error_of_the_sum_in_parts", FAR, "≤ (2 β + 0.01) u of Σ exp(x_j - x_2)", "steps 1 to 3"),
    Inequality("product_of_the_parts", FAR, "|h + l - half² Σ| ≤ 9 u² half² Σ", "**machine**"),
    Inequality(
        "error_of_the_smaller_in_parts", FAR, "|B' - B| ≤ (6 β + 1.1) u B + η/2", "half twice, the sum, one rounding"
    ),
    Inequality("error_of_the_target_far", FAR, "≤ (6 β + 2.1) u g + η/2", "B, S, two roundings"),
    Inequality("single_error_of_a_term", SINGLE, "|e' - e_j| ≤ 108 · 2^-53 e_j", "104 · 2^-53 of d; exp"),
    Inequality("single_rounding_of_the_sum", SINGLE, "≤ K 2^-53 of Σ e'", "any order of K additions"),
    Inequality("single_error_of_the_others", SINGLE, "|O' - O| ≤ (108 + K) 2^-53 O", "terms and their sum"),
    Inequality("single_error_of_another_entry", SINGLE, "≤ 0.5 + 2^-8 ULP", "one rounding that shows"),
    Inequality("single_error_of_the_target", SINGLE, "≤ 0.5 + 2^-8 ULP", "one rounding that shows"),
    Inequality("single_error_of_a_loss", SINGLE, "≤ 0.5 + 2^-7 ULP", "one rounding that shows"),
    Inequality("loss_in_ulp", SEARCHED, "a loss: 5 ULP in float32, 4 in float64", "searched"),
    Inequality("target_in_ulp", SEARCHED, "the target's entry: 5 ULP in float32, 4 in float64", "searched"),
    Inequality("another_entry_in_ulp", SEARCHED, "another entry: 5 ULP in float32, 4 in float64", "searched"),
    Inequality(
        "kernel_steps_are_its_own",
        KERNEL,
        "what is followed here is what the kernel answers",
        "the same code",
        is_exact=True,
    ),
    Inequality("kernel_error_of_exp", KERNEL, "|t_j - e_j| ≤ 1.4 ULP", "**machine**"),
    Inequality(
        "kernel_error_of_the_sum", KERNEL, "|h + l - Σ t_j| ≤ 2^-10 u Σ t_j, u/4 beyond 2^17", "as step 3", ROUNDINGS
    ),
    Inequality("kernel_error_of_the_others", KERNEL, "|h + l - O| ≤ (2.8 + 2^-9) u O + 1.4 K η", "terms and their sum"),
    Inequality("kernel_denominator_is_normalised", KERNEL, "|r| ≤ 2^-53 D", "two-sum"),
    Inequality(
        "kernel_error_of_the_denominator",
        KERNEL,
        "|S N - (D + r)| ≤ (8 D + 3 · 2^53 |l| N) 2^-106",
        "roundings of l and r",
    ),
    Inequality(
        "kernel_error_of_another_entry",
        KERNEL,
        "≤ 7.7 u g + η; 2.4 η of a subnormal term",
        "2 θ + 2.1; a product more among subnormals",
    ),
    Inequality("kernel_error_of_the_target", KERNEL, "≤ 7.7 u g + η/2; 6.7 in float32", "2 θ + 2.1; 1.1"),
    Inequality(
        "kernel_error_of_the_target_far", KERNEL, "≤ 9.9 u g + η; 5.9 u g + η/2 in float32", "θ + 4 + 3.1, two products"
    ),
    Inequality(
        "kernel_error_of_a_loss",
        KERNEL,
        "≤ (θ + 2 λ + 5.1) u L + η/2; θ + 2 λ + 6.1 and η far; θ + 1.1 in float32",
        "as step 5",
    ),
    Inequality("kernel_loss_in_ulp", SEARCHED, "fused_accurate, a loss: 5 ULP in float32, 4 in float64", "searched"),
    Inequality("kernel_target_in_ulp", SEARCHED, "fused_accurate, the target's entry: the same", "searched"),
    Inequality("kernel_another_entry_in_ulp", SEARCHED, "fused_accurate, another entry: the same", "searched"),
)
BY_NAME = {one.name: one for one in INEQUALITIES}
