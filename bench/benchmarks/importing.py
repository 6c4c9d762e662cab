"""Starting up, in a fresh interpreter."""


class Import:
    def timeraw_import(self) -> str:
        return "import nasdqn_fast"

    def timeraw_first_step(self) -> str:
        return "import nasdqn_fast; nasdqn_fast.DQNAgent('inverted-pendulum', '3x64-relu').play_episodes(1)"

    def peakmem_import(self) -> None:
        import nasdqn_fast  # noqa: F401
