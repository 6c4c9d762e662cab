"""The command's frame: subcommands imported on use, and every error as one line."""

from __future__ import annotations

import importlib
import sys
import traceback
import warnings
from collections.abc import Sequence

import click

from nasdqn_fast.cli.output import PROG, discard, prepare, say, settle
from nasdqn_fast.errors import InputError, NonFiniteError, SettingError, StepError, WriteError, message, suggest
from nasdqn_fast.run.signals import Terminated, terminable

COMMANDS = (
    "train",
    "resume",
    "evaluate",
    "experiment",
    "report",
    "tabulate",
    "search",
    "agreement",
    "export",
    "list",
    "info",
    "bench",
)


class LazyGroup(click.Group):
    """Subcommands that are modules of this package, so that ``--help`` pays for none of the engine."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            raise click.UsageError(f"unknown command {cmd_name!r}: {suggest(cmd_name, COMMANDS)}", ctx)
        return importlib.import_module(f"nasdqn_fast.cli.{cmd_name}").command


@click.group(cls=LazyGroup, no_args_is_help=False, context_settings={"max_content_width": 100})
@click.version_option(package_name="nasdqn-fast", prog_name=PROG)
def group() -> None:
    """Neural architecture search inside one DQN training run."""


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        args: the arguments; the process's own if None.

    Returns:
        Exit code: 0, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 1 for whatever else went
        wrong.
    """
    prepare()
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *where: say(f"warning: {message}")
        with terminable():
            try:
                return _run(list(sys.argv[1:] if args is None else args))
            finally:
                settle()


def _run(args: list[str]) -> int:
    try:
        # Not group.main: it answers Ctrl-C with an empty line and an exception that has lost the message.
        with group.make_context(PROG, args) as ctx:
            group.invoke(ctx)
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except click.UsageError as error:
        see = f"{error.ctx.command_path if error.ctx else PROG} --help"
        return _fail(f"{error.format_message().rstrip('.')}; see {see}", 2)
    except SettingError as error:
        return _fail(error.text(option_name, python=False), 2)
    except (click.ClickException, InputError) as error:
        return _fail(message(error, python=False), 2)
    except Terminated as end:
        say(str(end) or "terminated")
        return 128 + end.number
    except KeyboardInterrupt as interrupt:
        return _fail(str(interrupt) or "interrupted", 130)
    except BrokenPipeError as error:
        if _is_foreign(error):
            raise
        discard(sys.stdout)  # its reader left, as head does
        return 1
    except MemoryError as error:
        return _fail(f"not enough memory: {error}", 1)
    except (NonFiniteError, StepError, WriteError) as error:
        return _fail(error, 1)
    except OSError as error:
        if _is_foreign(error):
            raise  # its author wants the traceback
        return _fail(error, 1)
    return 0


def _is_foreign(error: BaseException) -> bool:
    """Whether a plug-in has raised it, or what a plug-in called; the standard library counts for its caller."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = [name.partition(".")[0] for name in modules]
    callers = [package for package in packages if package not in sys.stdlib_module_names]
    return callers[-1] not in ("nasdqn_fast", "numpy", "click", "rich")


def option_name(name: str) -> str:
    """What the command line calls an argument; other names stay as they are."""
    from nasdqn_fast.config import TABLES, all_settings

    options = {setting.keyword: setting.option for setting in all_settings()}
    options |= {table.keyword: table.option for table in TABLES}
    return options.get(name, name)


def _fail(what: object, code: int) -> int:
    say(what)
    return code
