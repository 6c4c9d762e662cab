"""A multilayer perceptron on compiled kernels: memory, checks, one C call a method."""

import numpy as np

from libc.stdint cimport int64_t
from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.cpu cimport current_kernels
from nasdqn_fast._core.ndq cimport (
    NDQ_HUBER, NDQ_LEAKY_RELU, NDQ_MSE, NDQ_PAD, NDQ_PANEL, NDQ_RELU, NDQ_TANH, ndq_fit, ndq_forward_rows,
    ndq_frozen, ndq_loss, ndq_loss_and_gradient, ndq_pad,
)

from nasdqn_fast._core.normalizer cimport NormalizerCore
from nasdqn_fast._core.optimizer cimport OptimizerCore

from nasdqn_fast._core.block import aligned_zeros
from nasdqn_fast.validation import (
    check_actions, check_array, check_choice, check_fit, check_observations, check_positive32,
)

# The C struct of ndq.h, field for field.
FROZEN = np.dtype([("net", np.uintp), ("params", np.uintp), ("sign", np.float32)], align=True)
assert FROZEN.itemsize == sizeof(ndq_frozen)

_ACTIVATIONS = {"relu": NDQ_RELU, "tanh": NDQ_TANH, "leaky_relu": NDQ_LEAKY_RELU}


cdef class NetworkCore(Exclusive):
    """Parameters and workspace of one network; its weights are zero.

    A method refuses to run while another thread runs one on the same network: they share the workspace.

    Args:
        sizes: units of every layer, input and output included.
        activation: ``relu``, ``tanh`` or ``leaky_relu``.

    Attributes:
        block: the parameters.
        cpu_target: name of the kernels in use, fixed at creation.
        normalizer_core: what observations go through first; None: nothing.
        _base: networks whose Q-values, each times its sign, are added to its own.
    """

    def __cinit__(self, sizes, activation, *args, **kwargs):
        self.what, self._base = "network", ()
        cdef int64_t[::1] plan
        cdef float[::1] memory
        cdef int64_t n = len(sizes), widest = ndq_pad(max(sizes))
        self.block = ParameterBlock(sizes)
        rows = [n_in + 1 for n_in in sizes]
        offsets, h_offsets = [0], [0]
        for n_in, n_out in zip(sizes, sizes[1:]):
            offsets.append(offsets[-1] + (n_in + 1) * ndq_pad(n_out))
            h_offsets.append(h_offsets[-1] + (n_in + 1) * NDQ_PANEL)
        self._plan = np.array([*sizes, *offsets, *h_offsets], np.int64)
        h_length = sum(rows) * NDQ_PANEL
        self._memory = aligned_zeros(h_length + 3 * widest * NDQ_PANEL + 2 * (widest + NDQ_PAD))
        plan, memory = self._plan, self._memory
        self.net.kernels = current_kernels()
        self.net.n_layers = n - 1
        self.net.activation = _ACTIVATIONS[activation]
        self.net.sizes, self.net.offsets, self.net.h_offsets = &plan[0], &plan[n], &plan[2 * n]
        self.net.h = &memory[0]
        self.net.d[0] = self.net.h + <int64_t>h_length
        self.net.d[1] = self.net.d[0] + widest * NDQ_PANEL
        self.net.d_rows = self.net.d[1] + widest * NDQ_PANEL
        self.net.row[0] = self.net.d_rows + widest * NDQ_PANEL
        self.net.row[1] = self.net.row[0] + widest + NDQ_PAD
        for start, n_in in zip(h_offsets, sizes):  # the row of ones that multiplies the bias
            self._memory[start + n_in * NDQ_PANEL:start + (n_in + 1) * NDQ_PANEL] = 1.0
        self.cpu_target = self.net.kernels.name.decode()

    def _use_normalizer(self, NormalizerCore normalizer):
        """Observations go through `normalizer` from now on; None: through nothing."""
        if normalizer is not None and normalizer.size != self.net.sizes[0]:
            raise ValueError(
                f"normalizer must be one of observations of size {self.net.sizes[0]}; got one of {normalizer.size}"
            )
        self.require_idle()
        self.normalizer_core = normalizer
        self.net.normalizer = NULL if normalizer is None else &normalizer.normalizer
        for frozen, _ in self._base:
            frozen._use_normalizer(normalizer)

    def _set_base(self, base):
        """Adds the Q-values of other networks, which nobody else uses, each times its sign, from now on."""
        cdef NetworkCore frozen
        self.require_idle()
        table = np.zeros(len(base), FROZEN)
        for row, (frozen, sign) in zip(table, base):
            row["net"], row["params"], row["sign"] = <size_t>&frozen.net, <size_t>frozen.block.data, sign
            frozen._use_normalizer(self.normalizer_core)
        self._base, self._table = tuple(base), table
        self.net.base, self.net.n_base = <ndq_frozen *><size_t>table.ctypes.data, len(base)

    def _forward(self, x):
        """Q-values float32 (N, A) of observations float32 (N, I)."""
        cdef const float[:, ::1] rows
        cdef float[:, ::1] q
        cdef int64_t n
        x = check_observations(x, self.net.sizes[0], name="x")
        n = len(x)
        out = np.empty((n, self.net.sizes[self.net.n_layers]), np.float32)
        if n == 0:
            return out
        rows, q = x, out
        self.enter()
        try:
            with nogil:
                ndq_forward_rows(&self.net, self.block.data, &rows[0, 0], n, &q[0, 0])
        finally:
            self.leave()
        return out

    def _loss_and_gradient(self, observations, actions, targets, huber_delta, loss_kind, weights=None):
        """Mean loss and its gradient, a ParameterBlock."""
        cdef const float[:, ::1] rows
        cdef const int64_t[::1] taken
        cdef const float[::1] wanted, factors
        cdef const float *scales = NULL
        cdef float delta
        cdef ndq_loss kind
        cdef int64_t n
        cdef double loss
        cdef ParameterBlock gradient
        observations = check_observations(observations, self.net.sizes[0])
        n = len(observations)
        if n == 0:
            raise ValueError("observations must hold at least 1 row, the loss is a mean; got 0")
        actions = check_actions(actions, n, self.net.sizes[self.net.n_layers])
        targets = check_array("targets", targets, (n,), np.float32)
        delta = check_positive32("huber_delta", huber_delta)
        kind = NDQ_MSE if check_choice("loss", loss_kind, ("huber", "mse")) == "mse" else NDQ_HUBER
        factors = None if weights is None else check_array("weights", weights, (n,), np.float32)
        if factors is not None:
            scales = &factors[0]
        rows, taken, wanted = observations, actions, targets
        gradient = ParameterBlock(self.block.sizes)
        self.enter()
        try:
            with nogil:
                loss = ndq_loss_and_gradient(&self.net, self.block.data, &rows[0, 0], &taken[0], &wanted[0], scales,
                                             n, kind, delta, gradient.data)
        finally:
            self.leave()
        gradient.clear_padding()
        return loss, gradient

    def _fit(self, x, q, rows, OptimizerCore optimizer not None, difference_weight):
        """Steps of the optimizer towards q, one for each row of `rows`; mean loss of the last minibatch before it."""
        cdef const float[:, ::1] observations, wanted
        cdef const int64_t[:, ::1] chosen
        cdef float weight
        cdef double loss
        cdef ParameterBlock gradient
        x = check_observations(x, self.net.sizes[0], name="x")
        q = check_array("q", q, (len(x), self.net.sizes[self.net.n_layers]), np.float32)
        rows = check_fit(rows, len(x))
        weight = check_positive32("difference_weight", difference_weight)
        observations, wanted, chosen = x, q, rows
        gradient = ParameterBlock(self.block.sizes)
        self.enter()
        try:
            optimizer.enter()
            try:
                optimizer.follow(self.block)
                with nogil:
                    loss = ndq_fit(&self.net, self.block.data, gradient.data, &optimizer.optimizer, &observations[0, 0],
                                   &wanted[0, 0], &chosen[0, 0], chosen.shape[0], chosen.shape[1], weight)
            finally:
                optimizer.leave()
        finally:
            self.leave()
        return loss

    def _apply_gradient(self, ParameterBlock gradient not None, OptimizerCore optimizer not None):
        """One step of the optimizer on the parameters."""
        if not self.block.holds(gradient):
            raise ValueError(f"gradient must be that of a network of sizes {self.block.sizes}; got {gradient.sizes}")
        self.enter()
        try:
            optimizer.step(self.net.kernels, self.block, gradient)
        finally:
            self.leave()
