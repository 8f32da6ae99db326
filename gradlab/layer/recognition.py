"""How a layer is called, recognised by the names of its parameters and by calls on a small problem.

A hypothesis is an assignment of the parameters, a layout of each array, and a kind of labels. Each is called; the one
counts that gets the most right, then the one from which the most comes back in shape, then the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from gradlab.evaluation.call import Implementation, perform
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import describe_error, leaves_of
from gradlab.evaluation.layer_claims import LAYOUTS, NEEDED, LayerClaims
from gradlab.evaluation.wrong_kinds import framework_in
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer, layer_call_for
from gradlab.layer.names import parameter_roles
from gradlab.layer.parameters import Parameters, assignments, names_one_hot, parameters_of, unknown_names
from gradlab.layer.penalty import recognise_penalty
from gradlab.layer.probe import is_near, probe_problem, right_outputs
from gradlab.layer.problem import LayerProblem
from gradlab.layer.results import Results, recognise_results
from gradlab.problems.problem import Array

HOW = (
    "claim it: --takes W,X,targets,l2 --returns loss,dW, or in the file CLAIMS = "
    '{"takes": ["W", "X", "targets", "l2"], "returns": ["loss", "dW"]}, of what it takes and returns, in its own order'
)


class UnclearError(ValueError):
    """How a layer is called is not clear: what was recognised, and how to claim it."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One hypothesis and what came of it: results, or the reason why there are none."""

    claims: Claims
    layer: LayerClaims
    results: Results | None
    fault: str = ""


def recognise_layer(implementation: Implementation, is_kind_open: bool = True) -> Claims:
    """The claims of a layer, completed by all that they leave open.

    is_kind_open: whether labels may turn out to be taken as one-hot rows. Raises UnclearError where a doubt is left.
    """
    claims = implementation.claims
    layer = claims.layer or LayerClaims()
    if not (layer.is_taken_claimed and layer.returns and all(getattr(layer, name) for name in LAYOUTS)):
        trial = _best(_trials(implementation, layer, is_kind_open))
        if not (trial.results and trial.results.right):
            trial = _right_with_labels_from_one(implementation, layer) or trial
        unknown = (
            []
            if layer.is_taken_claimed
            else unknown_names(parameters_of(implementation.function) or (), claims.keyword_of.values())
        )
        if unknown and not (trial.results and trial.results.right):
            raise UnclearError(f"{_not_known(unknown)}, and with {_shown(trial)} nothing is right; {HOW}")
        claims = replace(trial.claims, layer=trial.layer)
    return recognise_penalty(replace(implementation, claims=claims))


def is_near_on_probe(implementation: Implementation) -> bool:
    """Whether all outputs of a layer whose claims are complete are right to some digits on the probe problem."""
    claims = implementation.claims
    problem = adapt_layer_to_claims(claims, probe_problem(claims))
    answer, expected = evaluate_layer(implementation, problem), right_outputs(problem)
    return answer.fault is None and all(is_near(one, expected[name], claims) for name, one in answer.outputs.items())


def _right_with_labels_from_one(implementation: Implementation, layer: LayerClaims) -> Trial | None:
    """The trial that has the most right where labels begin with 1, which is a known defect of sound layouts."""
    trials = _trials(implementation, layer, False, first_label=1)
    right = [one for one in trials if one.results is not None and one.results.right]
    return max(right, key=lambda one: one.results.score if one.results else (0, 0), default=None)


def _trials(
    implementation: Implementation, layer: LayerClaims, is_kind_open: bool, first_label: int = 0
) -> list[Trial]:
    """All hypotheses, called; no more once one is certain. first_label: what the labels begin with."""
    found: list[Trial] = []
    for claims in _hypotheses(implementation, layer, is_kind_open):
        problem = adapt_layer_to_claims(claims, probe_problem(claims))
        if first_label and (claims.one_hot or claims.targets[0] != "index"):
            continue
        targets = {"targets": problem.targets + first_label} if first_label else {}
        found.append(_called(replace(implementation, claims=claims), problem, targets))
        results = found[-1].results
        if results is not None and results.is_certain:
            break
    return found


def _hypotheses(implementation: Implementation, layer: LayerClaims, is_kind_open: bool) -> Iterator[Claims]:
    """The claims that the names admit, the likeliest first. Raises UnclearError where there are none."""
    parameters = parameters_of(implementation.function)
    taken = [layer.takes]
    if not layer.is_taken_claimed:
        if parameters is None:
            raise UnclearError(f"its parameters are not known; {HOW}")
        options = {keyword: name for name, keyword in implementation.claims.keyword_of.items()}
        taken = assignments(parameters, layer, options)
        if not taken:
            raise UnclearError(_unassigned(parameters, layer, options))
    kinds = [implementation.claims.one_hot]
    if is_kind_open and implementation.claims.targets == ("index",) and not kinds[0]:
        kinds = [True, False] if parameters is not None and names_one_hot(parameters) else [False, True]
    layouts = [[claimed] if (claimed := getattr(layer, name)) else LAYOUTS[name] for name in LAYOUTS]
    for takes, one_hot, *chosen in product(taken, kinds, *layouts):
        has_bias = any(one.partition("=")[0] == "b" for one in takes)
        if not has_bias and chosen[-1] != layouts[-1][0]:
            continue
        named = dict(zip(LAYOUTS, chosen, strict=True))
        yield replace(implementation.claims, one_hot=one_hot, layer=replace(layer, takes=takes, **named))


def _called(implementation: Implementation, problem: LayerProblem, instead: Mapping[str, Array]) -> Trial:
    claims = implementation.claims
    assert claims.layer is not None  # of a hypothesis
    call = layer_call_for(implementation, problem, instead)
    outcome = perform(implementation.function, call, implementation.capture, leaves_of)
    if outcome.error is not None:
        return Trial(claims, claims.layer, None, f"raised {describe_error(outcome.error)}")
    results = recognise_results(outcome.value, claims, claims.layer, problem)
    if claims.layer.returns:
        return Trial(claims, claims.layer, replace(results, doubtful=()))
    if not results.returns:
        return Trial(claims, claims.layer, None, f"returned {outcome.value.text}, and no gradient in it")
    return Trial(claims, replace(claims.layer, returns=results.returns), results)


def _best(trials: list[Trial]) -> Trial:
    """The trial that counts. Raises UnclearError where none came to anything, or where two do, and neither is right."""
    done = [one for one in trials if one.results is not None]
    if not done:
        likeliest = trials[0]
        framework = next(filter(None, (framework_in(one.fault) for one in trials)), "")
        advice = f"a layer of {framework} is written layer:{framework}:FILE:FUNCTION" if framework else HOW
        raise UnclearError(f"called with {_shown(likeliest)}, it {likeliest.fault}; {advice}")
    best = max(done, key=lambda one: one.results.score if one.results else (0, 0))
    assert best.results is not None
    if best.results.right:
        return best
    equal = [one for one in done if one.results is not None and one.results.score == best.results.score]
    others = [one for one in equal if one.layer.takes != best.layer.takes]
    if others:
        raise UnclearError(f"it may take {_shown(best)} or {_shown(others[0])}; {HOW}")
    if best.results.doubtful:
        raise UnclearError(f"it returns several arrays that may be {best.results.doubtful[0]}; {HOW}")
    return best


def _shown(trial: Trial) -> str:
    kind = "one-hot targets" if trial.claims.one_hot else "targets"
    return ", ".join(trial.layer.takes).replace("targets", kind)


def _unassigned(parameters: Parameters, layer: LayerClaims, options: Mapping[str, str]) -> str:
    """What was recognised of parameters that fit nothing; options: of each parameter that is one, which."""
    fixed = {keyword: (name,) for name, keyword in layer.taken.items()}
    known = {one.name: fixed.get(one.name) or parameter_roles(one.name) for one in parameters}
    known |= {name: (f"the option {option}",) for name, option in options.items() if name not in fixed}
    shown = [f"{name} as {' or '.join(roles)}" for name, roles in known.items() if roles]
    recognised = f"recognised {', '.join(shown)}" if shown else "recognised none of its parameters"
    missing = [name for name in NEEDED if all(name not in roles for roles in known.values())]
    lacking = f", and no {' and no '.join(missing)}" if missing else ""
    unknown = [one for one in unknown_names(parameters) if not known[one]]
    more = f"; {_not_known(unknown)}" if unknown else ""
    weights = [name for name, roles in known.items() if roles[:1] == ("W",)]
    if len(weights) > 1:
        more += f"; weights of classes or of rows are claimed by --option class_weights={weights[-1]}"
    return f"{recognised}{lacking}{more}; {HOW}"


def _not_known(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not known"
