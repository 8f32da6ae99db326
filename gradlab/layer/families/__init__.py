"""Named families of problems of the layer. The table below is all of them, in running order."""

from __future__ import annotations

from gradlab.layer.families import moderate, stress
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import Format
from gradlab.problems.families import Family, families_of, problems_in

LAYER_FAMILIES = (
    Family("smallest_layers", moderate.smallest),
    Family("ordinary_layers", moderate.ordinary),
    Family("one_row_of_features", moderate.one_row),
    Family("one_feature", moderate.one_feature),
    Family("one_class_of_weights", moderate.one_class),
    Family("many_rows", moderate.many_rows),
    Family("many_features", moderate.many_features),
    Family("many_classes_of_weights", moderate.many_classes),
    Family("every_label_of_a_layer", moderate.every_label),
    Family("imbalance", moderate.imbalance),
    Family("zeros", moderate.zeros),
    Family("features_not_centred", moderate.features_not_centred),
    Family("large_bias", moderate.large_bias),
    Family("penalised", moderate.penalised),
    Family("chunk_sizes", moderate.chunk_sizes),
    Family("middling", moderate.middling),
    Family("confident_head", stress.confident_head, stress=True),
    Family("confident_and_wrong", stress.confident_and_wrong, stress=True),
    Family("unshifted_exp_of_a_layer", stress.unshifted_exp, stress=True),
    Family("rows_apart", stress.rows_apart, stress=True),
    Family("offsets_of_a_layer", stress.common_offsets, stress=True),
    Family("collinear_features", stress.collinear, stress=True),
    Family("huge_features", stress.huge, stress=True),
    Family("tiny_features", stress.tiny, stress=True),
    Family("mixed_scales", stress.mixed_scales, stress=True),
    Family("extreme_logits", stress.extreme_logits, stress=True),
    Family("masked_classes", stress.masked_classes, stress=True),
    Family("spread_rows", stress.spread_rows, stress=True),
    Family("more_chunk_sizes", moderate.more_chunk_sizes, profile="standard"),
    Family("larger_layers", moderate.larger, profile="standard"),
)


def layer_family_problems(fmt: Format, profile: str, seed: int) -> list[LayerProblem]:
    """The problems of all families of a profile for a format, in running order; the same for the same seed."""
    return [one for family in families_of(profile, LAYER_FAMILIES) for one in problems_in(family, fmt, seed)]
