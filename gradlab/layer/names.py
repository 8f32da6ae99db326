"""What the parameters and the results of a layer are called: the names in use, and what each stands for."""

from __future__ import annotations

import re

# What a parameter of this name takes, lower-cased and without underscores at its ends.
PARAMETERS = {
    "X": """x xs features feature feats feat input inputs hidden hiddens hidden_states hidden_state states h e emb embs
        embedding embeddings data activations activation acts a a_prev phi design design_matrix samples examples""",
    "W": """w ws weight weights theta thetas params param coef coefs coefficients kernel classifier head lm_head vocab
        unembedding unembed proj projection beta matrix wo w_out c""",
    "b": "b bs bias biases intercept intercepts offset offsets bo b_out",
    "targets": """y ys t ts target targets tgt label labels lbl lbls gold truth tokens token_ids ids y_true ytrue
        classes answers onehot one_hot""",
    "l2": """l2 reg lambda lam lambd lmbd lmbda lamb wd weight_decay decay alpha regularization regularisation ridge
        reg_strength l2_reg l2_strength l2_reg_strength l2_penalty penalty reg_lambda lambda_reg strength mu""",
    "n_classes": "n_classes num_classes numclasses nclasses k nb_classes n_class num_class n_labels vocab_size c",
    "n_features": """n_features num_features n_feats d dim n_dims inputsize input_size input_dim input_dims in_features
        n_inputs num_inputs feature_dim feature_size n_in hidden_size hidden_dim embed_dim embedding_dim d_model""",
}

# What a result under this key or attribute is; in a mapping of gradients W is dW.
RESULTS = {
    "loss": "loss cost l j nll objective value total_loss data_loss ce xent",
    "dX": "dx grad_x gradx d_x dfeatures dinput dh grad_input grad_hidden grad_features x features hidden input",
    "dW": "dw grad_w gradw d_w dweight dweights grad_weight grad_weights dtheta w weight weights theta kernel grad",
    "db": "db grad_b gradb d_b dbias grad_bias dbiases b bias intercept",
}

# A compound name with one of these is something that a layer computes, and none of what it takes.
_COMPUTED = frozenset(
    ["hat", "pred", "preds", "prediction", "predictions", "prob", "probs", "probabilities", "logits", "scores"]
)
_OF_ANY_PART = frozenset(["param", "params"])  # words for W that stand before the name of a bias, too
_ONE_HOT = re.compile(r"one_?hot|1_?hot", re.IGNORECASE)


def parameter_roles(name: str) -> tuple[str, ...]:
    """What a parameter of this name may take, the likeliest first; () where the name says nothing.

    >>> parameter_roles("linear_weight"), parameter_roles("Y_train"), parameter_roles("c"), parameter_roles("foo")
    (('W',), ('targets',), ('W', 'n_classes'), ())
    >>> parameter_roles("params_w"), parameter_roles("params_b"), parameter_roles("net_params")
    (('W',), ('b',), ('W',))
    """
    whole = name.lower().strip("_")
    return _ROLES.get(whole) or _roles_of_words(name)


def result_role(path: str) -> str:
    """What a result at this path is, "" where its names say nothing.

    >>> result_role("grads.W"), result_role("0"), result_role("dW")
    ('dW', '', 'dW')
    """
    return _RESULTS.get(path.rpartition(".")[2].lower().strip("_"), "")


def is_one_hot(name: str) -> bool:
    """Whether a parameter of this name takes one-hot rows."""
    return bool(_ONE_HOT.search(name))


def is_computed(name: str) -> bool:
    """Whether a parameter of this name takes what a layer computes itself, such as Y_hat."""
    return not _COMPUTED.isdisjoint(map(str.lower, _words(name)))


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)


def _roles_of_words(name: str) -> tuple[str, ...]:
    """What the words of a compound name agree on: the last that says something counts, as in hidden_weight."""
    if is_computed(name):
        return ()
    words = _words(name)
    known = [word.lower() for word in words if word.lower() in _ROLES]
    telling = [word for word in known if word not in _OF_ANY_PART] or known  # in params_b it is b that tells
    long = [word for word in telling if len(word) > 1]
    return _ROLES[(long or telling)[-1]] if known else ()


def _by_name(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for listed in table.values() for name in listed.split())
    return {name: tuple(role for role, listed in table.items() if name in listed.split()) for name in names}


_ROLES = _by_name(PARAMETERS)
_RESULTS = {name: roles[0] for name, roles in _by_name(RESULTS).items()}
