from __future__ import annotations

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from runyard.record import REDACTED, is_secret, redact, redact_command, redact_override, redact_text


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "HF_TOKEN",
        "hf_tokens",
        "github.token",
        "access_tokens",
        "api_tokens",
        "secret_tokens",
        "backend_token",
        "password",
        "db.password",
        "PGPASSWD",
        "ssh_passphrase",
        "secret",
        "client_secret",
        "secrets.aws",
        "api_key",
        "OPENAI_API_KEY",
        "apiKey",
        "api-key",
        "--api-key",
        "aws_access_key_id",
        "private_key",
        "credentials",
        "credentials.user",
        "+db.password",
        "++db.password",
        "~token",
        "db.token@package",
        "vault/secret",
    ],
)
def test_a_key_is_secret(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "max_tokens",
        "maxTokens",
        "max-tokens",
        "num_tokens",
        "tokens",
        "model.tokens_per_batch",
        "tokenizer",
        "tokenizer.name",
        "tokenize",
        "token_count",
        "token_type_ids",
        "token_len",
        "loss_per_token",
        "num_token",
        "pad_token",
        "eos_token",
        "lr",
        "seed",
        "key",
        "monkey",
        "keys.api",
        "workload.d",
        "",
    ],
)
def test_a_key_is_not_secret(key: str) -> None:
    assert not is_secret(key)


@pytest.mark.parametrize(
    ("value", "redacted"),
    [
        ({"password": "x", "user": "u"}, {"password": "***", "user": "u"}),
        ({"db": {"password": "x"}}, {"db": {"password": "***"}}),
        ({"list": [{"token": "x"}, {"lr": 1}]}, {"list": [{"token": "***"}, {"lr": 1}]}),
        ({"tuple": ({"token": "x"},)}, {"tuple": [{"token": "***"}]}),
        ({"secret": {"deep": {"er": 1}}}, {"secret": "***"}),
        ({"password": None, "token": ""}, {"password": None, "token": ""}),
        ({"password": 0, "token": False}, {"password": "***", "token": "***"}),
        ({"max_tokens": 5, "tokenizer": {"name": "bpe"}}, {"max_tokens": 5, "tokenizer": {"name": "bpe"}}),
        ({1: {"token": "x"}}, {1: {"token": "***"}}),
        ({"db.password": "x"}, {"db.password": "***"}),
        ("password", "password"),
        (3, 3),
        (None, None),
    ],
)
def test_redacted_values(value: Any, redacted: Any) -> None:
    assert redact(value) == redacted


def test_redacting_leaves_the_original_alone() -> None:
    value = {"db": {"password": "x"}}
    redact(value)
    assert value == {"db": {"password": "x"}}


@pytest.mark.parametrize(
    ("override", "redacted"),
    [
        ("lr=0.1", "lr=0.1"),
        ("db.password=x", "db.password=***"),
        ("+db.password=x,y", "+db.password=***"),
        ("~db.password", "~db.password"),
        ("token=a=b", "token=***"),
        ("max_tokens=10,20", "max_tokens=10,20"),
        ("password", "password"),
        ("db={user:u,password:x}", "db={user:u,password:***}"),
        ("db={password: x, user: u}", "db={password: ***, user: u}"),
        ("db={password:two words,user:u}", "db={password:***,user:u}"),
        ("db={password:'a,b}',user:u}", "db={password:***,user:u}"),
        (r"db={password:'it\'s, mine',user:u}", "db={password:***,user:u}"),
        (r"db={password:a\,b,user:u}", "db={password:***,user:u}"),
        ("db={password:{a:1,b:2},user:u}", "db={password:***,user:u}"),
        ("db={password:[1,2],user:u}", "db={password:***,user:u}"),
        ("db={a:{token:x},b:1}", "db={a:{token:***},b:1}"),
        ("dbs=[{token:x,n:1},{token:y,n:2}]", "dbs=[{token:***,n:1},{token:***,n:2}]"),
        ("db={password:x},{password:y}", "db={password:***},{password:***}"),
        ("db={max_tokens:5,tokenizer:bpe}", "db={max_tokens:5,tokenizer:bpe}"),
        ("db={host:h,port:${env.port}}", "db={host:h,port:${env.port}}"),
        ("db={password:${oc.env:PW},port:1}", "db={password:***,port:1}"),
        ('setup=["export HF_TOKEN=abc"]', 'setup=["export HF_TOKEN=***'),
        ("hydra.job.env_set.HF_TOKEN=abc", "hydra.job.env_set.HF_TOKEN=***"),
        ("url='https://host/?api_key=abc'", "url='https://host/?api_key=***"),
        ("", ""),
        ("=x", "=x"),
    ],
)
def test_redacted_overrides(override: str, redacted: str) -> None:
    assert redact_override(override) == redacted


@pytest.mark.parametrize(
    "value",
    [
        "{user:u,password:SECRET}",
        "{password:S E C SECRET x,user:u}",
        "{a:[{token:'SECRET, }'}],b:1}",
        r"{token:\{SECRET\},b:1}",
        "{api_key:{x:{y:SECRET}},b:[1,2]}",
        "{secret:[SECRET,'SECRET]',{a:SECRET}],b:2}",
    ],
)
def test_no_value_of_a_secret_key_that_hydra_reads_gets_through(value: str) -> None:
    override = f"+db={value}"
    parsed = OverridesParser.create().parse_override(override).value()
    assert "SECRET" in str(parsed)
    shown = redact_override(override)
    assert "SECRET" not in shown
    assert REDACTED in shown


@pytest.mark.parametrize(
    ("command", "redacted"),
    [
        (["python", "a.py", "lr=1"], ("python", "a.py", "lr=1")),
        (["--token", "abc", "x"], ("--token", "***", "x")),
        (["--token=abc"], ("--token=***",)),
        (["--api-key", "abc"], ("--api-key", "***")),
        (["--api-key=abc"], ("--api-key=***",)),
        (["--max-tokens", "5"], ("--max-tokens", "5")),
        (["token", "abc"], ("token", "abc")),
        (["-m", "token=a,b"], ("-m", "token=***")),
        (["+db={password:x}"], ("+db={password:***}",)),
        ([], ()),
    ],
)
def test_redacted_commands(command: list[str], redacted: tuple[str, ...]) -> None:
    assert redact_command(command) == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("", ""),
        ("lr=0.1\nloss: 2\n", "lr=0.1\nloss: 2\n"),
        ("a\npassword=hunter2\nb", "a\npassword=***\nb"),
        ("api_key: abc, lr: 1\n", "api_key: ***, lr: 1\n"),
        ("max_tokens=5\n", "max_tokens=5\n"),
    ],
)
def test_redacted_texts_keep_their_lines(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted
