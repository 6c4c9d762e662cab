"""What the searches have in common in which several networks learn at once: the first events, and the cost."""

from __future__ import annotations

from collections.abc import Iterator

from nasdqn_fast.events import Asked, Event, PopulationDrawn
from nasdqn_fast.search.whole_run import WholeRun
from nasdqn_fast.types import Cost, Result


class SeveralNetworks(WholeRun):
    """One run of a population or an ensemble."""

    def _begin(self) -> Iterator[Event]:
        """Tells of the networks, before the first episode."""
        if self._began:
            return
        candidates = tuple(member.candidate for member in self.agent.members)
        self._began, self._whole = True, False
        yield Asked(self.segment, 1, self.proposal)
        self._whole = True
        yield PopulationDrawn(self.segment, candidates)

    def _result_of(self, updates: int) -> Result:
        """What the run came to, with so many updates of all networks together, and the parameters of all."""
        agent = self.agent
        sizes = agent.network.observation_size, agent.network.n_actions
        parameters = sum(member.network.architecture.parameter_count(*sizes) for member in agent.members)
        return self._result_with(Cost(agent.steps, updates, parameters=parameters, flop=self._flop))
