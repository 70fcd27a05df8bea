"""Functions as targets of sweeps: what one must look like, and the file from which another process can call it."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import os
import pickle
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import UsageError, write_bytes
from runyard.front.pickling import dumped

#: the file, and the program that is given it.
FILE_NAME, HOST = "function.pkl", "runyard.front.host"
_LIKE = "write def train(cfg: Config) with a dataclass Config, or give config=Config(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A function as another process can call it: what stands in the file.

    ``path`` are the folders in which its modules are looked for, ``source`` is the script that it was defined in (None
    where an imported module has it, empty where no file has), ``content`` the function, its config, and names that
    annotations of the config's classes use, pickled.
    """

    name: str
    path: tuple[str, ...]
    source: str | None
    content: bytes

    def write(self, file: Path) -> None:
        """Writes it, readable by its owner only."""
        write_bytes(file, pickle.dumps(self))
        file.chmod(0o600)


def keep_function(function: Callable[..., Any], config: Any = None) -> Kept:
    """A function as ``runyard.front.host`` can call it: by name, where a module has it, else by value.

    Args:
        function: a function of one parameter, its config.
        config: an instance of a dataclass; None takes the class that the parameter is annotated with.

    Raises:
        UsageError: it is no such function, or it cannot be stored.
    """
    described = config_of(function, config)
    is_by_value = not _is_importable(function)
    return Kept(
        name=name_of(function),
        path=tuple(os.path.abspath(folder) for folder in sys.path),
        source=_script(function) if is_by_value else None,
        content=_pickled(function, (function, described, _names(described, function)), by_value=is_by_value),
    )


def name_of(function: Callable[..., Any]) -> str:
    """What sweeps of it are filed under: its name, as far as it is one."""
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else "function"


def place_of(function: Callable[..., Any]) -> str:
    """Where it is defined: file, line and name."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}, {function.__qualname__}"


def config_of(function: Any, config: Any) -> Any:
    """The config that a function is called with, as a class or an instance of a dataclass.

    Raises:
        UsageError: it is no function of one config, or the config is no dataclass that Hydra can hold.
    """
    if not inspect.isfunction(function):
        todo = "give a function, the name of an application's module, or the path of its script"
        raise UsageError(f"a {type(function).__name__} is no target of a sweep", where=repr(function)[:200], todo=todo)
    where, parameter = place_of(function), _parameter(function)
    if config is None:
        config = _annotation(function, parameter)
    elif not _is_dataclass(config) or isinstance(config, type):
        todo = "give an instance of a dataclass, such as config=Config(lr=0.1)"
        raise UsageError(f"config is no dataclass but a {type(config).__name__}", where="config", todo=todo)
    _check_held(config, where)
    return config


def _parameter(function: Callable[..., Any]) -> inspect.Parameter:
    """The parameter that takes the config; others must have defaults."""
    parameters = list(inspect.signature(function).parameters.values())
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in variadic]
    takes_one = parameters and parameters[0].kind in (
        inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )  # fmt: skip
    if not takes_one or len(needed) > 1 or (needed and needed[0] != parameters[0].name):
        told = ", ".join(p.name for p in parameters) or "none"
        raise UsageError(
            f"a function that is swept takes one parameter, its config, and this one takes {told}",
            where=place_of(function),
            todo=_LIKE,
        )
    return parameters[0]


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> type:
    where = place_of(function)
    try:
        kind = typing.get_type_hints(inspect.unwrap(function)).get(parameter.name)
    except Exception as error:  # an annotation is any expression
        what = f"the annotation of {parameter.name} cannot be read ({error})"
        raise UsageError(what, where=where, todo="give config=Config(...)") from error
    if kind is None:
        raise UsageError(f"{parameter.name} has no annotation that says what its config is", where=where, todo=_LIKE)
    if not isinstance(kind, type) or not _is_dataclass(kind):
        told = getattr(kind, "__name__", str(kind))
        raise UsageError(
            f"{parameter.name} is annotated with {told}, which is no dataclass",
            where=where,
            todo=f"{_LIKE}; of an application of Hydra give the name of its module or the path of its script",
        )
    return kind


def _is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value)


def _check_held(config: Any, where: str) -> None:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        OmegaConf.structured(config)
    except (OmegaConfBaseException, NameError, TypeError, ValueError) as error:
        name = (config if isinstance(config, type) else type(config)).__name__
        raise UsageError(
            f"{name} cannot be a config of Hydra: {next(iter(str(error).splitlines()), type(error).__name__)}",
            where=where,
            todo="use fields of plain types: numbers, texts, enums, paths, dataclasses, lists and dicts of them",
        ) from error


# -- keeping ------------------------------------------------------------------------------------------------------


def _is_importable(function: Any) -> bool:
    """Whether another process finds it by importing its module."""
    if function.__module__ in (None, "__main__"):
        return False
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is function and _has_file(function.__module__)


def _has_file(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # such as a module that was made by hand
        return False


def _script(function: Callable[..., Any]) -> str:
    """The script that a function is defined in; empty in a notebook, where its text is in no file that stays."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    code = inspect.unwrap(function).__code__
    defined = os.path.abspath(code.co_filename)
    return defined if file and os.path.abspath(file) == defined else ""


def _pickled(function: Any, value: Any, *, by_value: bool) -> bytes:
    import cloudpickle

    module = sys.modules.get(function.__module__)
    hidden = by_value and module is not None and function.__module__ != "__main__" and not _has_file(module.__name__)
    try:
        if hidden:
            cloudpickle.register_pickle_by_value(module)
        return dumped(value)
    except Exception as error:  # whatever the classes of values raise that a function refers to
        raise UsageError(
            f"{function.__qualname__} cannot be kept for another process: {_culprits(function)}{error}",
            where=place_of(function),
            todo="make such a value inside the function, or put the function into a module of its own",
        ) from error
    finally:
        if hidden:
            cloudpickle.unregister_pickle_by_value(module)


def _culprits(function: Callable[..., Any]) -> str:
    """The names that a function takes from around it and that cannot be stored."""
    names = []
    try:
        around = inspect.getclosurevars(inspect.unwrap(function))
    except ValueError:  # a closure that refers to what is not set yet
        return ""
    for name, value in {**around.globals, **around.nonlocals}.items():
        try:
            dumped(value)
        except Exception:  # as above
            names.append(repr(name))
    return f"{', '.join(names)} cannot be stored: " if names else ""


def _names(config: Any, function: Any) -> dict[str, Any]:
    """Names that stand as text in annotations of the config's classes which no module has; and these classes."""
    found: dict[str, Any] = {}
    for kind in _classes(config if isinstance(config, type) else type(config)):
        if _has_file(kind.__module__) and kind.__module__ != "__main__" and "<locals>" not in kind.__qualname__:
            continue
        found[kind.__name__] = kind
        space = {**vars(sys.modules.get(kind.__module__, typing)), **function.__globals__}
        for field in dataclasses.fields(kind):
            if isinstance(field.type, str):
                names = compile(field.type, "annotation", "eval").co_names
                found.update({name: space[name] for name in names if name in space})
    return found


def _classes(kind: Any) -> Iterator[Any]:
    """A dataclass and those in its fields."""
    waiting, seen = [kind], set()
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind not in seen:
            seen.add(kind)
            yield kind
            waiting.extend(typing.get_type_hints(kind).values())
        waiting.extend(typing.get_args(kind))
