"""The OpenAPI document is true: generated requests get documented answers, and never a 5xx."""

import importlib
import pkgutil
import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS as ALL_CHECKS
from schemathesis.checks import load_all_checks

from api import schemas
from tests.api.stage import ROLES, Theatre

load_all_checks()
CHECKS = [
    *ALL_CHECKS.get_by_names(
        [
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_headers_conformance",
            "response_schema_conformance",
        ]
    )
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def models() -> Iterator[type[BaseModel]]:
    """Every body of the API."""
    for module in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, BaseModel):
                yield value


def test_every_example_is_what_the_document_says() -> None:
    checked = 0
    for model in set(models()):
        extra = model.model_config.get("json_schema_extra")
        for example in extra.get("examples", ()) if isinstance(extra, dict) else ():
            model.model_validate(example)
            checked += 1
    assert checked > 30


def test_every_body_has_an_example(theatre: Theatre) -> None:
    document = theatre.app.openapi()
    bodies = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = [each for code, each in operation["responses"].items() if code < "3"]
            for body in [*answers, operation.get("requestBody", {})]:
                for kind, content in body.get("content", {}).items():
                    if content["schema"].get("format") == "binary":
                        continue  # a photo or a PDF, as it is
                    assert kind == "application/json", (method, path)
                    schema = content["schema"].get("items", content["schema"])
                    bodies.add(schema["$ref"].rpartition("/")[2])
    components = document["components"]["schemas"]
    for name in bodies:
        component = components[name]
        if name.startswith("Page_"):
            items = component["properties"]["items"]["items"]["$ref"]
            component = components[items.rpartition("/")[2]]
        assert component.get("examples"), name
        assert component.get("description"), name


def run(theatre: Theatre, role: str | None, examples: int) -> int:
    """Call every operation with generated requests; returns how many were sent."""
    sent = 0
    dice = random.Random(role)
    with theatre.play(role) as client:
        schema = schemathesis.openapi.from_asgi("/v1/openapi.json", theatre.app)
        for result in schema.get_all_operations():
            operation = result.ok()
            for mode in MODES:

                @settings(
                    max_examples=examples,
                    deadline=None,
                    database=None,
                    derandomize=True,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def call(case: Any) -> None:
                    nonlocal sent
                    for name in case.path_parameters or {}:
                        if dice.random() < 0.8:
                            case.path_parameters[name] = theatre.some_id(name, dice)
                    response = case.call(headers=dict(client.headers))
                    sent += 1
                    case.validate_response(response, checks=CHECKS)

                call()
    return sent


@pytest.mark.parametrize("role", ["coordinator", "firm", "company", "other_firm", None])
def test_every_answer_is_documented(theatre: Theatre, role: str | None) -> None:
    assert run(theatre, role, 2) > 100


@pytest.mark.slow
@pytest.mark.parametrize("role", [*ROLES, None])
def test_every_answer_is_documented_long(theatre: Theatre, role: str | None) -> None:
    assert run(theatre, role, 30) > 2000
