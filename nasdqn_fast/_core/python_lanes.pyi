from nasdqn_fast.envs.python import Play, PythonEnvironment

class PythonLanes:
    environment: PythonEnvironment
    play: Play
    def __init__(self, environment: PythonEnvironment, n: int = 1, play: Play | None = None) -> None: ...
