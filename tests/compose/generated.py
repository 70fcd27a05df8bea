"""Hypothesis strategies for cases of composing: a config tree, a sweep and its jobs.

Most of what they make composes, for an error ends a comparison early; but wrong keys, wrong types, unknown groups and
values that no grammar allows are among it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from .against import Case, Line

Draw = Any

# -- choosing ----------------------------------------------------------------------------------------------------------
# Of booleans alone: into numbers and texts Hypothesis mixes constants of the modules that happen to be loaded, so that
# the same seed would make other cases in another process.


@st.composite
def one(draw: Draw, options: Sequence[Any]) -> Any:
    """One of some options."""
    bits = (len(options) - 1).bit_length() + 1
    return options[sum(draw(st.booleans()) << bit for bit in range(bits)) % len(options)]


@st.composite
def one_of(draw: Draw, *strategies: st.SearchStrategy[Any]) -> Any:
    """What one of some strategies makes."""
    return draw(draw(one(strategies)))


@st.composite
def some(draw: Draw, strategy: st.SearchStrategy[Any], most: int) -> list[Any]:
    """A list of up to so many."""
    return [draw(strategy) for _ in range(draw(one(range(most + 1))))]


@st.composite
def shuffled(draw: Draw, items: Sequence[Any]) -> list[Any]:
    """The items in any order."""
    left, found = list(items), []
    while left:
        found.append(left.pop(draw(one(range(len(left))))))
    return found


@st.composite
def mixed(draw: Draw, left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    """The items of both, each in its own order."""
    rest = {True: list(left), False: list(right)}
    takes = draw(shuffled([True] * len(left) + [False] * len(right)))
    return [rest[is_left].pop(0) for is_left in takes]


#: set while cases are compared.
VARIABLES = {"COMPOSE_TEST_NAME": "from the environment", "COMPOSE_TEST_NUMBER": "7"}

# -- values in files ---------------------------------------------------------------------------------------------------

_words = str.split
_LONG = "a sentence that is longer than a line of the dumped file, so that it has to be folded somewhere, even twice"
_LEAVES = (
    *("1", "-3", "0.5", "1e3", "1_000", "0x1F", "012", "'012'", "1:30", "2020-01-02", ".inf", "-.inf", ".nan", "1e400"),
    *_words("true False yes no on Off 'yes' 'null' null ~ '???' '' '~' '1e3' 'true'"),
    *("text", "two words", "'it''s'", '"a \\"b\\""', '"a: b # c"', "a/b.c", "/data/x=1", "key=value", "'- x'", "'@a'"),
    *('"line\\nbreak"', '"  two\\n\\n  lines\\n"', '"tab\\there"', '" "', '"trailing "', '"&id001"', "'*a'", "'%x'"),
    *('"größe"', '"日本語"', '"\U0001f680"', '"\\u2028"', '"\\x85"', '"\\r"', '"\\x00\\x1b"', '"\\ufeff"'),
    '"a\\u00a0b"',
    *(f'"{_LONG}"', f'"{_LONG.replace(" ", "_")}"', f'"{_LONG}:\\n{_LONG}"', "{}", "[]", "'{}'", "'[1, 2]'"),
)
_REFERENCES = (
    *("${lr}", "${seed}", "${name}", "${deep}", "${deep.a}", "${db}", "${db.name}", "${model.lr}", "${items}", "${n}"),
    *("${.lr}", "${..lr}", "${.name}", "${..name}", "${...seed}", "${lr}-${seed}", "${name}/${db.name}", "${nope}"),
    *("${oc.env:COMPOSE_TEST_NAME}", "${oc.env:COMPOSE_TEST_NOT_SET,other}", "${oc.env:COMPOSE_TEST_NOT_SET}"),
    *_words("${now:%Y} ${doubled:${seed}} ${joined:${lr},x} ${oc.select:nope,1} ${oc.create:${deep}} ${db.${k}}"),
    *("${hydra:job.name}", "${hydra:runtime.choices.db}", "${hydra.job.num}", "\\\\${lr}", "${items[0]}", "${items.0}"),
    *("${hydra.job.override_dirname}", "${oc.decode:'${seed}'}", "${oc.dict.keys:${deep}}", "${kept:${seed}}"),
)
_KEYS = ("lr", "seed", "name", "n", "deep", "items", "text", "flag", "k")
_ODD_KEYS = ("1", "true", "1.5", "'1'", "'yes'", "größe", "two words", "'a: b'", "'012'", f"'{_LONG} {_LONG}'")

_leaf = one_of(*[one(_LEAVES)] * 3, *[one(_REFERENCES).map(lambda text: f'"{text}"')] * 2)


def _node(depth: int) -> st.SearchStrategy[Any]:
    """A value: YAML's text for a leaf, or a mapping or list of values."""
    if not depth:
        return _leaf
    return one_of(*[_leaf] * 4, *[_mapping(depth - 1)] * 2, some(_node(depth - 1), most=3))


@st.composite
def _mapping(draw: Draw, depth: int, most: int = 3) -> dict[str, Any]:
    keys = draw(some(one((*_KEYS * 2, one(_ODD_KEYS))), most))
    return {key if isinstance(key, str) else draw(key): draw(_node(depth)) for key in keys}


def _flow(node: Any) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in node.items()) + "}"
    return "[" + ", ".join(map(_flow, node)) + "]" if isinstance(node, list) else node


def _block(body: dict[str, Any]) -> str:
    return "".join(f"{key}: {_flow(value)}\n" for key, value in body.items())


def _paths(node: Any, path: str = "") -> Iterator[str]:
    if path:
        yield path
    if isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key in (0, *_KEYS):
                yield from _paths(value, f"{path}.{key}".lstrip("."))


# -- files -------------------------------------------------------------------------------------------------------------


@dataclass
class Tree:
    """Config files, and what an override may name in them. ``sure`` paths are there whatever is chosen."""

    files: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    chosen: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    sure: list[str] = field(default_factory=list)


_HEADERS = ("", "", "", "", "", "", "# @package _global_\n", "# @package other.place\n", "# @package _group_\n")


def _write(draw: Draw, tree: Tree, name: str, package: str, defaults: list[str], header: str | None = None) -> None:
    """A config file of some values; ``_self_`` stands anywhere in its defaults list, or nowhere."""
    header = draw(one(_HEADERS)) if header is None else header
    body = draw(_mapping(2, most=5 if name == "config" else 3))
    text = header
    if defaults or _flip(draw, 4):
        at = draw(one(range(len(defaults) + 2)))
        lines = [*defaults[:at], "_self_", *defaults[at:]] if at <= len(defaults) else defaults
        text += "defaults:\n" + "".join(f"  - {line}\n" for line in lines) if lines else ""
    tree.files[name] = text + _block(body) or "{}\n"
    here = {"# @package _global_\n": "", "# @package other.place\n": "other.place"}.get(header, package)
    paths = [f"{here}.{path}".strip(".") for path in _paths(body)]
    tree.paths += paths
    tree.sure += paths if name == "config" else []


def _flip(draw: Draw, one_in: int) -> bool:
    return bool(draw(one(range(one_in))) == one_in - 1)


def _group(draw: Draw, tree: Tree, name: str, options: list[str]) -> None:
    tree.groups[name] = options
    for option in options:
        defaults = []
        if name == "model" and "model/opt" in tree.groups:
            defaults.append(draw(one(["opt: a", "opt: b", "optional opt: zzz", "opt@inner: a"])))
        if name == "db" and "data" in tree.groups and _flip(draw, 3):
            defaults.append(draw(one(["/data: a", "/data@.source: b", "/data@_global_.raw: a"])))
        if name == "data" and "b" in options and option == "a" and _flip(draw, 3):
            defaults.append("b")
        _write(draw, tree, f"{name}/{option}", name.replace("/", "."), defaults)


def _experiments(draw: Draw, tree: Tree) -> None:
    tree.groups["exp"] = ["one", "two"]
    defaults = [
        f"override /{key}: {draw(one(tree.groups[key.partition('@')[0]]))}" for key in tree.chosen if _flip(draw, 2)
    ]
    _write(draw, tree, "exp/one", "", defaults, "# @package _global_\n")
    _write(draw, tree, "exp/two", "", ["one"] if _flip(draw, 2) else [], "# @package _global_\n")
    if _flip(draw, 3):
        tree.files["exp/two"] += "hydra: {job: {name: of_two}}\n"


@st.composite
def _trees(draw: Draw) -> Tree:
    tree = Tree()
    if _flip(draw, 2):
        _group(draw, tree, "model/opt", ["a", "b"])
    for name in ("data", "db", "model"):
        if _flip(draw, 2) or (name == "model" and "model/opt" in tree.groups):
            _group(draw, tree, name, ["a", "b"])
    is_fit = {"db", "model"} <= set(tree.groups) and _flip(draw, 2)
    names = [name for name in ("data", "db", "model") if name in tree.groups]
    defaults = [line for name in names for line in _choices(draw, tree, name, is_fit)]
    if is_fit:
        defaults.append("fit: ${db}_${model}")
        for option in ("a_a", "a_b", "b_a", "b_b"):
            tree.files[f"fit/{option}"] = f"{{of: {option}, batch: '${{n}}'}}\n"
    defaults += ["optional nowhere: nothing"] if _flip(draw, 5) else []
    defaults += ["typed: full"] if _flip(draw, 3) else []
    defaults = draw(shuffled(defaults))
    _experiments(draw, tree)
    defaults += ["exp: null"] if _flip(draw, 2) else []
    defaults += ["override hydra/job_logging: none"] if _flip(draw, 4) else []
    _write(draw, tree, "config", "", defaults, "")
    folder = _of_hydra(draw)
    tree.files["config"] += folder
    if "${sep}" in folder:
        tree.files["config"] += "sep: '-'\n"
        tree.paths += ["sep"] * 5
        tree.sure += ["sep"]
    if "typed: full" in defaults:
        tree.groups["typed"] = ["full", "small"]
        tree.chosen.append("typed")
        tree.paths += [f"typed.{path}" for path in _TYPED]
        tree.sure += tree.paths[-len(_TYPED) :]
    return tree


def _choices(draw: Draw, tree: Tree, name: str, is_fit: bool) -> list[str]:
    """Lines of a defaults list about a group."""
    option = draw(one(tree.groups[name]))
    kind = (
        "plain"
        if is_fit
        else draw(one(["plain", "plain", "plain", "absolute", "optional", "null", "package", "twice", "none"]))
    )
    lines = {
        "plain": [f"{name}: {option}"],
        "absolute": [f"/{name}: {option}"],
        "optional": [f"optional {name}: {draw(one([option, 'zzz', 'null']))}"],
        "null": [f"{name}: null"],
        "package": [f"{name}@second: {option}"],
        "twice": [f"{name}: {option}", f"{name}@{name}_too: {option}"],
        "none": [],
    }[kind]
    keys = {"package": [f"{name}@second"], "twice": [name, f"{name}@{name}_too"], "none": []}.get(kind, [name])
    tree.chosen += keys
    return lines


_FOLDERS = (
    "",
    "{sweep: {dir: 'out/${now:%H%M%S%f}', subdir: '${hydra.job.num}-${hydra.job.override_dirname}'}}",
    "{sweep: {dir: 'out', subdir: '${hydra.job.override_dirname}'}}",
    "{sweep: {dir: 'out/${name}'}}",
    "{sweep: {dir: out, subdir: 'of-${seed}-${hydra.job.id}'}}",
    "{sweep: {dir: 'out/${hydra:runtime.choices.exp}'}}",
    "{job: {config: {override_dirname: {exclude_keys: [seed, db], kv_sep: '-', item_sep: '+'}}}}",
    "{job: {config: {override_dirname: {kv_sep: '${sep}'}}}}",
    "{job: {name: '${name}', env_copy: [COMPOSE_TEST_NAME], env_set: {A: '${lr}'}}}",
    "{job: {name: '${needed}'}, verbose: true}",
    "{output_subdir: null}",
    "{output_subdir: the/files, run: {dir: '${name}'}}",
)


def _of_hydra(draw: Draw) -> str:
    folder = draw(one([*_FOLDERS, *[""] * 6]))
    return f"hydra: {folder}\n" if folder else ""


# -- overrides ---------------------------------------------------------------------------------------------------------

#: places in the structured config, and values that fit there.
_TYPED = {
    "seed": ("2", "'3'", "-1", "${.by_number}"),
    "color": ("BLUE", "2", "RED", "Color.RED"),
    "folder": ("c/d", "/e", "'with space'", "1"),
    "raw": ("abc",),
    "needed": ("1", "???", "${.seed}"),
    "maybe": ("null", "4", "???"),
    "either": ("x", "3", "'3'", "null"),
    "optimizer": ("{lr:2}", "{betas:[1]}", "???", "${.later}"),
    "optimizer.lr": ("1", "1e3", "'0.5'", "nan", "${..seed}"),
    "optimizer.betas": ("[1,2]", "[]", "???"),
    "later": ("{lr:3}", "{name:x}"),
    "later.lr": ("1",),
    "none": ("null", "{lr:3}"),
    "none.lr": ("1",),
    "table": ("{a:1}", "{b:2,c:3}"),
    "table.a": ("1", "null"),
    "free": ("{a:[1,{b:2}]}", "[1]", "text", "null"),
    "by_color": ("{RED:1}", "{BLUE:2}"),
    "by_color.RED": ("1",),
    "by_number": ("{2:two}",),
    "by_number.1": ("uno",),
    "twice": ("${color}", "x"),
}
_VALUES = (
    *("1", "-2", "0.5", "1e3", "1_0", "012", "inf", "-nan", "true", "No", "yes", "null", "NULL", "???", "x", "RED"),
    *("", "''", '""', "'1'", "'null'", "'true'", "'a,b'", "'it\\'s'", '"say \\"x\\""', "a b c", "a\\,b", "a=b"),
    "a:b@c",
    *("/data/x=1,y".replace(",", "\\,"), "rel/path.txt", "'  spaces '", "'größe: 日本語 \U0001f680'", "'line\nbreak'"),
    *(f"'{_LONG}'", _LONG.replace(" ", "_"), "'#no comment'", "'&id001'", "'\u2028'", "'\ufeff\x85'", "'012'", "'- a'"),
    *("[]", "{}", "[1,2]", "[a,{b:c},[null]]", "{lr:1}", "{a:{b:[1,2]}}", "{new:x}", "{'q r':1}", "{1:x}"),
    "{lr:{n:1}}",
    *("${lr}", "${name}-x", "${.name}", "${nope}", "${deep}", "${oc.env:COMPOSE_TEST_NAME}", "'${seed}'", "[${lr},1]"),
    *("${doubled:${seed}}", "${now:%Y}", "{lr:${seed}}", "${hydra:job.num}", "$\\{lr\\}", "'\\${lr}'", "int(3.7)"),
    "str(5)",
    *("10000000000000000000000", "1e400", "float(1)", "b'x'", "0x10", "0o7", "%x", "*", "!tag"),
)
_WRONG = (
    *("nope=1", "nope.deep=1", "~nope", "+nope@pkg=1", "lr=1,2", "lr=choice(1,2)", "lr=range(3)", "lr=[", "lr", "=3"),
    *_words("db=zzz db=null db=[a,b] db=3 +db=a ++db=a ~db=zzz ~exp exp=zzz +exp=zzz nowhere=x lr=)"),
    *(
        "hydra.nope=1",
        "hydra.job.num=x",
        "hydra/launcher=zzz",
        "hydra.searchpath=3",
        "hydra.searchpath=[]",
        "~hydra.job",
        "lr='open",
        "a b=1",
    ),
    *_words("~lr=7 +lr.x=1 lr.0=1 items.9=1 items.x=1 typed.nope=1 ++typed.optimizer.nope=1 typed=zzz ~config"),
    *("lr=glob(*)", "lr=interval(0,1)", "hydra.job.name=a,b", "hydra.verbose=3", "hydra={job:{nope:1}}", "~exp/one"),
)
_HYDRAS = (
    *_words("hydra.job.name=other hydra.verbose=true hydra.verbose=[a,b] +hydra.job.env_set.X=1"),
    *_words("hydra.job.chdir=true"),
    *_words("hydra.job.env_set={A:b} hydra.job.env_copy=[COMPOSE_TEST_NAME] hydra.job.env_copy=${items}"),
    *_words("~hydra.verbose"),
    *("hydra.job.config.override_dirname.item_sep=_", "hydra.job.num=5"),
    *("hydra.sweep.dir=out/here", "hydra.sweep.subdir=${seed}", "hydra/job_logging=none", "hydra={job:{name:z}}"),
    *_words("hydra.job.override_dirname=x hydra.output_subdir=null hydra.mode=RUN +hydra.x=1"),
)


def _value_override(draw: Draw, tree: Tree) -> str:
    if _flip(draw, 4) or not tree.paths:
        key, signs = draw(one([*_KEYS, "new", "new.a", "new.b", "deep.new"])), ("+", "+", "++")
    else:
        key = draw(one(tree.paths))
        signs = (*[""] * 8, "++", "++", "+") if key in tree.sure else (*["++"] * 6, "", "+")
    if _flip(draw, 16):
        return f"~{key}" + (f"={draw(one(_VALUES))}" if _flip(draw, 4) else "")
    sign = draw(one(signs))
    fitting = _TYPED.get(key.removeprefix("typed."))
    if fitting and not _flip(draw, 6):
        return f"{sign}{key}={draw(one(fitting))}"
    value = draw(one_of(*[one(_VALUES)] * 3, _number, _quoted))
    return f"{sign}{key}={value}"


_number = some(one("0123456789"), most=9).map(lambda digits: str(int("".join(["1", *digits]))))
_quoted = some(
    one('aB9 _-=:,.#&*!|>%@`"(){}[]?~/\t\n\r\x01\x7f\x85\xa0äßλ字\u200b\u2029\ufeff\U0001f680'), most=12
).map(lambda letters: f"'{''.join(letters)}'")


def _choice_override(draw: Draw, tree: Tree) -> str:
    """An override of a group that is among the defaults, or the addition of one."""
    if tree.chosen and not _flip(draw, 3):
        key = draw(one(tree.chosen))
        name = key.partition("@")[0]
        if _flip(draw, 10):
            return f"~{key}"
        return f"{key}={draw(one(tree.groups[name]))}"
    name = draw(one(sorted(tree.groups)))
    packages = ["@added", "@deep.added", "@_global_"] if name in tree.chosen else ["", "", "@added", "@deep.added"]
    package = draw(one(packages)) if name != "exp" else ""
    return f"+{name}{package}={draw(one(tree.groups[name]))}"


def _any_choice(draw: Draw, tree: Tree) -> str:
    if _flip(draw, 4):
        return draw(one(_HYDRAS))  # type: ignore[no-any-return]
    return _choice_override(draw, tree)


def _jobs(draw: Draw, tree: Tree, jobs: int) -> Iterator[Line]:
    """Jobs that mostly share their choices, as those of a sweep do, and differ in values; and some others."""
    chosen = [_any_choice(draw, tree) for _ in range(draw(one([1, 2])))]
    values = [_value_override(draw, tree) for _ in range(jobs)]
    for _ in range(jobs):
        line = draw(mixed(draw(one([[], [], chosen])), draw(some(one(values), most=3))))
        if _flip(draw, 20):
            line.append(_any_choice(draw, tree))
        if _flip(draw, 20):
            line.append(draw(one(_WRONG)))
        yield tuple(draw(shuffled(line)) if _flip(draw, 12) else line)


@st.composite
def cases(draw: Draw, jobs: int = 14) -> Case:
    """A generated config tree, and jobs over it."""
    tree = draw(_trees())
    return Case(
        files=tree.files,
        jobs=tuple(_jobs(draw, tree, jobs)),
        sweep=tuple(draw(some(one(_HYDRAS[:5]), most=1))) if _flip(draw, 4) else (),
        resolved=tuple(draw(some(one([*_KEYS, "hydra.run.dir"]), most=2))),
        exclude=tuple(draw(some(one(["lr", "seed", "deep.a", "db.name", "db"]), most=2))),
        version_base=draw(one([None, None, "1.1"])),
    )


@st.composite
def structured_cases(draw: Draw, jobs: int = 14) -> Case:
    """The same for an application whose primary config is structured, without a config directory."""
    tree = Tree(groups={"typed": ["full", "small"]}, chosen=["typed"])
    tree.paths = tree.sure = [*_TYPED, "typed.seed", "typed.free"]
    return Case(
        files=None,
        config_name="rooted",
        jobs=tuple(_jobs(draw, tree, jobs)),
        resolved=tuple(draw(some(one(["twice", "hydra.run.dir"]), most=2))),
    )
