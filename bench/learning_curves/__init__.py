"""Parts of ``bench/parity.py``: learning curves of other DQN implementations beside ours."""
