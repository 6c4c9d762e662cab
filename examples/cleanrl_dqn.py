"""DQN in the style of CleanRL's dqn.py: one file, PyTorch, and two lines that make environment and buffer ours.

    python examples/cleanrl_dqn.py --total-timesteps 50000

Needs pip install 'nasdqn-fast[sb3]'. Prints the mean return of the last 20 episodes every 5,000 steps.
"""

from __future__ import annotations

import argparse
import random
from collections import deque

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim

from nasdqn_fast.interop.sb3 import ReplayBuffer  # CleanRL: from cleanrl_utils.buffers import ReplayBuffer
from nasdqn_fast.interop.vector_env import KernelVectorEnv  # CleanRL: gym.vector.SyncVectorEnv([make_env(...)])


class QNetwork(nn.Module):
    def __init__(self, envs: gym.vector.VectorEnv) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(int(np.prod(envs.single_observation_space.shape or ())), 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, int(envs.single_action_space.n)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--env-id", default="cartpole")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--total-timesteps", type=int, default=50_000)
    parser.add_argument("--learning-starts", type=int, default=1_000)
    args = parser.parse_args()

    random.seed(args.seed)
    np.random.seed(args.seed)  # noqa: NPY002, the buffer draws from NumPy's global generator
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    envs = KernelVectorEnv(args.env_id, 1, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
    q_network, target_network = QNetwork(envs), QNetwork(envs)
    target_network.load_state_dict(q_network.state_dict())
    optimizer = optim.Adam(q_network.parameters(), lr=2.5e-4)
    rb = ReplayBuffer(
        10_000, envs.single_observation_space, envs.single_action_space, "cpu", handle_timeout_termination=False
    )
    returns: deque[float] = deque(maxlen=20)
    episode_return = 0.0

    envs.single_action_space.seed(args.seed)
    obs, _ = envs.reset(seed=args.seed)
    for global_step in range(args.total_timesteps):
        epsilon = max(1 - 0.95 * global_step / (0.5 * args.total_timesteps), 0.05)
        if random.random() < epsilon:
            actions = np.array([envs.single_action_space.sample()])
        else:
            with torch.no_grad():
                actions = q_network(torch.as_tensor(obs)).argmax(dim=1).numpy()
        next_obs, rewards, terminations, truncations, infos = envs.step(actions)

        episode_return += float(rewards[0])
        real_next_obs = next_obs.copy()
        if terminations[0] or truncations[0]:
            real_next_obs[0] = infos["final_obs"][0]
            returns.append(episode_return)
            episode_return = 0.0
        rb.add(obs, real_next_obs, actions, rewards, terminations, [infos])
        obs = next_obs

        if global_step > args.learning_starts and global_step % 10 == 0:
            data = rb.sample(128)
            with torch.no_grad():
                target_max, _ = target_network(data.next_observations).max(dim=1)
                td_target = data.rewards.flatten() + 0.99 * target_max * (1 - data.dones.flatten())
            loss = F.mse_loss(td_target, q_network(data.observations).gather(1, data.actions).squeeze())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if global_step % 500 == 0:
                target_network.load_state_dict(q_network.state_dict())
        if (global_step + 1) % 5_000 == 0 and returns:
            print(f"global_step={global_step + 1}, episodic_return={np.mean(returns):.1f}")


if __name__ == "__main__":
    main()
