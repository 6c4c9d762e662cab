"""What other packages' extensions cimport; docs/low_level.md says what it is and what is promised.

Structs, functions that need no GIL, and the classes that own the memory behind the structs.
"""

from nasdqn_fast._core.environment cimport EnvironmentCore
from nasdqn_fast._core.lowlevel cimport (
    env_step, net_forward, net_loss_and_gradient, replay_add, replay_draw, replay_follow, replay_over, replay_read,
)
from nasdqn_fast._core.ndq cimport (
    NDQ_ENV_ERROR, NDQ_HUBER, NDQ_MSE, NDQ_ROW_TERMINATED, NDQ_ROW_TRUNCATED, NDQ_TERMINATED, ndq_batch, ndq_env,
    ndq_loss, ndq_net, ndq_replay, ndq_replay_stride, ndq_row, ndq_row_action, ndq_row_flags, ndq_row_next,
    ndq_row_reward, ndq_row_successor,
)
from nasdqn_fast._core.network cimport NetworkCore
from nasdqn_fast._core.replay cimport ReplayCore
