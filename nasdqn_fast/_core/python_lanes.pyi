from nasdqn_fast.envs.python import Play, PythonEnvironment, VectorPlay

class PythonLanes:
    environment: PythonEnvironment
    play: Play | VectorPlay
    def __init__(self, environment: PythonEnvironment, n: int = 1, play: Play | VectorPlay | None = None) -> None: ...
