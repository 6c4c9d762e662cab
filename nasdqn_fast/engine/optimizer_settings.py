"""The optimizer's settings, validated in one place for both backends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.validation import (
    check_array,
    check_choice,
    check_decay_rate,
    check_int,
    check_positive32,
)

# 1e-3: not given in the paper. 2.5e-4: CleanRL's dqn.py.
LEARNING_RATES = {"sgd": 1e-3, "adam": 2.5e-4}
CLIPS = ("element", "norm", "none")


@dataclass(frozen=True)
class OptimizerSettings:
    """Keyword arguments of ``Optimizer``.

    Args:
        kind: ``sgd`` (the paper's update) or ``adam`` (Kingma & Ba 2015, arXiv:1412.6980).
        learning_rate: > 0; None is 1e-3 for SGD and 2.5e-4 for Adam.
        clip: > 0, bound of the gradient, before either rule; 1.0 in the paper.
        beta1, beta2: in [0, 1), Adam's decay of the first and second moment.
        epsilon: > 0, added to the root of Adam's second moment.
        clip_by: what `clip` bounds: every ``element`` (the paper), or the Euclidean ``norm`` of the whole gradient, as
            ``torch.nn.utils.clip_grad_norm_`` does; ``none``: nothing.

    Raises:
        TypeError, ValueError: a setting of the wrong type or out of range.
    """

    kind: str = "sgd"
    learning_rate: float | None = None
    clip: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip_by: str = "element"

    def __post_init__(self) -> None:
        check_choice("optimizer", self.kind, LEARNING_RATES)
        if self.learning_rate is not None:
            object.__setattr__(self, "learning_rate", check_positive32("learning_rate", self.learning_rate))
        object.__setattr__(self, "clip", check_positive32("clip", self.clip))
        object.__setattr__(self, "beta1", check_decay_rate("beta1", self.beta1))
        object.__setattr__(self, "beta2", check_decay_rate("beta2", self.beta2))
        object.__setattr__(self, "epsilon", check_positive32("epsilon", self.epsilon))
        check_choice("clip_by", self.clip_by, CLIPS)

    def checked_state(self, state: Mapping[str, Any]) -> tuple[int, np.ndarray, np.ndarray]:
        """Steps and both moments of what an optimizer's ``get_state`` gave, or claims to have given.

        Raises:
            KeyError, TypeError, ValueError: it is no such state, or another kind's.
        """
        if state["kind"] != self.kind:
            raise ValueError(f"the state is that of {state['kind']!r}, this optimizer is {self.kind!r}")
        steps, m, v = check_int("steps", state["steps"], 0), state["m"], state["v"]
        for name, moment in (("m", m), ("v", v)):
            # Of either backend and precision: both read each other's.
            dtype = np.float32 if getattr(moment, "dtype", None) == np.float32 else np.float64
            if np.isnan(
                check_array(name, moment, (len(m),), dtype)
            ).any():  # the square of a large gradient is infinite
                raise ValueError(f"{name} holds NaN")
        if self.kind == "adam" and steps and not len(m):
            raise ValueError(f"adam must have moments after {steps} steps; got none")
        return steps, m, v

    @property
    def resolved_learning_rate(self) -> float:
        """The learning rate in use: the one given, or the kind's default."""
        return LEARNING_RATES[self.kind] if self.learning_rate is None else self.learning_rate
