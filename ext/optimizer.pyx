"""Clipped SGD and clipped Adam with what they remember from step to step."""

import numpy as np

from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport (
    NDQ_ADAM, NDQ_CLIP_ELEMENT, NDQ_CLIP_NONE, NDQ_CLIP_NORM, NDQ_SGD, ndq_kernels, ndq_optimizer_step,
)

_CLIP_BY = {"element": NDQ_CLIP_ELEMENT, "norm": NDQ_CLIP_NORM, "none": NDQ_CLIP_NONE}


cdef class OptimizerCore(Exclusive):
    """One rule and its state.

    A method refuses to change it while another thread learns with it.

    Args:
        settings: an `OptimizerSettings`.
    """

    def __cinit__(self, settings, *args, **kwargs):
        self.what = "optimizer"
        self.settings = settings
        self.optimizer.kind = NDQ_ADAM if settings.kind == "adam" else NDQ_SGD
        self.optimizer.learning_rate = settings.resolved_learning_rate
        self.optimizer.clip_by, self.optimizer.clip = _CLIP_BY[settings.clip_by], settings.clip
        self.optimizer.beta1 = settings.beta1
        self.optimizer.beta2 = settings.beta2
        self.optimizer.epsilon = settings.epsilon

    cdef int follow(self, ParameterBlock parameters) except -1:
        """Makes room for the moments, if the rule has any; refuses parameters of another shape."""
        if self.optimizer.kind == NDQ_SGD:
            return 0
        cdef ParameterBlock m, v
        if self.m is None:
            m, v = ParameterBlock(parameters.sizes), ParameterBlock(parameters.sizes)
            if self.restored:
                m.parameters, v.parameters = self.restored
            self.m, self.v, self.restored = m, v, None
            self.optimizer.m, self.optimizer.v = m.data, v.data
        elif not self.m.holds(parameters):
            raise ValueError(
                f"the optimizer has followed a network of sizes {self.m.sizes}; got {parameters.sizes}; "
                "call reset() or make a new Optimizer when the network changes"
            )
        return 0

    cdef int step(self, const ndq_kernels *kernels, ParameterBlock parameters, ParameterBlock gradient) except -1:
        cdef ParameterBlock scaled
        self.enter()
        try:
            self.follow(parameters)
            if self.optimizer.clip_by == NDQ_CLIP_NORM:  # the caller's gradient stays what it is
                scaled = ParameterBlock(gradient.sizes)
                scaled.array[...] = gradient.array
                gradient = scaled
            ndq_optimizer_step(&self.optimizer, kernels, parameters.data, gradient.data, parameters.length)
        finally:
            self.leave()
        return 0

    @property
    def steps(self):
        """Steps taken since the last reset."""
        return self.optimizer.steps

    def reset(self):
        """Forgets all steps."""
        self.enter()  # the loop writes to the moments that are let go here
        self.optimizer.steps = 0
        self.m = self.v = self.restored = None
        self.leave()

    def get_state(self):
        """What the next step depends on: the count and, for Adam, both moments (P,).

        Raises:
            ValueError: a moment is NaN, which `set_state` would refuse.
        """
        empty = np.zeros(0, np.float32)
        m, v = self.restored or ((empty, empty) if self.m is None else (self.m.parameters, self.v.parameters))
        state = {"kind": self.settings.kind, "steps": self.steps, "m": m, "v": v}
        self.settings.checked_state(state)
        return state

    def set_state(self, state):
        """Restores a state returned by `get_state`.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or another kind's; nothing was changed.
        """
        steps, m, v = self.settings.checked_state(state)
        self.reset()
        self.optimizer.steps = steps
        if len(m):  # laid out when the first step shows the network's shape
            self.restored = np.array(m, np.float32), np.array(v, np.float32)
