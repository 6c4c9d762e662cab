"""A hard limit on parameters: an architecture above it is not in the space, and is never trained."""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.errors import InputError, OutOfRange, SettingError
from nasdqn_fast.space import Architecture, SearchSpace


@dataclass(frozen=True)
class ParameterLimit:
    """So many weights and biases at most.

    Args:
        maximum: allowed itself; None: no limit.
        sizes: of an observation, and number of actions.
    """

    maximum: int | None
    sizes: tuple[int, int]

    def allows(self, architecture: Architecture) -> bool:
        """Whether the architecture has no more than the limit."""
        return self.maximum is None or architecture.parameter_count(*self.sizes) <= self.maximum

    def within(self, space: SearchSpace) -> SearchSpace:
        """The architectures of a space that are allowed, in its order.

        Raises:
            InputError: there are none.
        """
        if allowed := [architecture for architecture in space if self.allows(architecture)]:
            return SearchSpace(allowed)
        smallest = min(space, key=self._count)
        expected = f"at least {self._count(smallest):,}, those of {smallest}, the smallest architecture of the space"
        raise SettingError(OutOfRange("max_parameters", expected, f"{self.maximum:,}"))

    def check(self, architecture: Architecture, who: str) -> None:
        """Refuses an architecture above the limit, which need not be of the space.

        Args:
            architecture: that is about to be trained.
            who: asks for it, for the message.

        Raises:
            InputError: it has more parameters.
        """
        if not self.allows(architecture):
            raise InputError(
                f"{who} asks for {architecture}, which has {self._count(architecture):,} parameters; max_parameters is "
                f"{self.maximum:,}; raise it, or choose another"
            )

    def _count(self, architecture: Architecture) -> int:
        return architecture.parameter_count(*self.sizes)
