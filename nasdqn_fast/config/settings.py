"""What every setting carries beside its value: help, source and command-line option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, Field
from pydantic.config import JsonDict


@dataclass(frozen=True)
class Setting:
    """One setting, as the command line and the docs show it.

    Args:
        section: table of the TOML file, e.g. ``agent``.
        key: name within the section.
        keyword: name as a keyword argument of `nasdqn_fast.train`; the option is the same with dashes.
        annotation: the type.
        default: the default, as text.
        help: what it is.
        source: where the default comes from.
    """

    section: str
    key: str
    keyword: str
    annotation: Any
    default: str
    help: str
    source: str

    @property
    def option(self) -> str:
        """The command-line option, e.g. ``--switch-every``."""
        return "--" + self.keyword.replace("_", "-")


def setting(default: Any, help: str, source: str, *, keyword: str | None = None, shown: str | None = None) -> Any:
    """A model field that knows its help and source.

    Args:
        default: the default value.
        help: what the setting is.
        source: where the default comes from, e.g. ``paper 2.3.2`` or ``not given in the paper``.
        keyword: name as keyword and option, where it is not the field's own.
        shown: the default as text, where its own text says too little.
    """
    extra: JsonDict = {"source": source, "keyword": keyword, "shown": shown}
    return Field(default, description=help, json_schema_extra=extra)


def settings_of(section: str, model: type[BaseModel]) -> list[Setting]:
    """The settings of one section, in order of declaration."""
    found = []
    for key, field in model.model_fields.items():
        extra = cast(dict[str, Any], field.json_schema_extra)
        found.append(
            Setting(
                section,
                key,
                keyword=extra["keyword"] or key,
                annotation=field.annotation,
                default=extra["shown"] or _text(field.default),
                help=str(field.description),
                source=extra["source"],
            )
        )
    return found


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
