"""The OpenAPI document: each type of task with the schema of its payload."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from framework_web.desk import Desk
from framework_web.kinds import TaskType

REF = "#/components/schemas/{model}"
STATES = ["waiting", "active", "completed", "failed", "paused", "retrying"]
TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
OWN_SCHEMAS: dict[str, Any] = {
    "Started": {
        "type": "object",
        "required": ["id", "type", "links"],
        "properties": {
            "id": TEXT,
            "type": TEXT,
            "links": {
                "type": "object",
                "properties": {"self": TEXT, "events": TEXT, "abort": TEXT},
            },
            "token": TEXT,
            "token_expires_at": TEXT,
        },
    },
    "Task": {
        "type": "object",
        "required": ["id", "type", "state", "attempts_made"],
        "properties": {
            "id": TEXT,
            "type": TEXT,
            "state": {"enum": STATES},
            "progress": {},
            "result": {},
            "error": MAYBE_TEXT,
            "attempts_made": {"type": "integer"},
            **dict.fromkeys(("added_at", "started_at", "finished_at", "due_at"), MAYBE_TEXT),
        },
    },
    "Effect": {
        "type": "object",
        "required": ["id", "effect"],
        "properties": {"id": TEXT, "effect": {"enum": ["done", "asked", "later"]}},
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": TEXT, "message": TEXT},
                },
            },
        },
    },
}
STEERING = ("pause", "resume", "retry")
ALWAYS = (401, 403, 429, 503)
INPUT: JsonSchemaMode = "validation"


def document(desk: Desk, root: str) -> dict[str, Any]:
    """Return the document.

    Args:
        desk: Knows all types of tasks.
        root: The path that they are below.
    """
    inputs = [(kind.name, INPUT, desk.payloads.of(kind).adapter) for kind in desk.kinds]
    payloads, shared = TypeAdapter.json_schemas(inputs, ref_template=REF)
    schemas = {
        **shared.get("$defs", {}),
        **{f"Web{name}": one for name, one in OWN_SCHEMAS.items()},
    }
    paths: dict[str, Any] = {root or "/": {"get": LIST}}
    for kind in desk.kinds:
        paths |= paths_of(kind, payloads[kind.name, INPUT], f"{root}/{kind.name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tasks", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key; or, of one task, its watch token.",
                },
                "token": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "token",
                    "description": "The watch token of the task that is looked at or followed.",
                },
            },
        },
        "security": [{"key": []}, {"token": []}, {}],
    }


def paths_of(kind: TaskType, payload: Any, at: str) -> dict[str, Any]:  # noqa: ANN401 - a JSON schema
    """Describe one type."""
    task_id = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    key = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": TEXT}
    last = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": TEXT}
    one = f"{at}/{{id}}"
    stream = {"200": {"description": "Its events", "content": {"text/event-stream": {}}}}
    started = answers(202, "Started", 400, 408, 413, 415, 422)
    started["202"]["links"] = {
        action: {"operationId": f"{action}-{kind.name}", "parameters": {"id": "$response.body#/id"}}
        for action in ("look", "abort", "follow", *STEERING)
    }
    post = {
        "parameters": [key],
        "requestBody": {"required": True, "content": {"application/json": {"schema": payload}}},
        "responses": started,
    }
    seen, changed = answers(200, "Task", 404), answers(202, "Effect", 404, 409)
    followed = {**stream, "204": {"description": "Nothing more"}, **problems(404)}

    def operation(action: str, summary: str, told: dict[str, Any]) -> dict[str, Any]:
        return {"operationId": f"{action}-{kind.name}", "summary": summary, **told}

    return {
        at: {"post": operation("start", f"Start {kind.name}", post)},
        one: {
            "parameters": task_id,
            "get": operation("look", "How it stands", {"responses": seen}),
            "delete": operation("abort", "Abort it", {"responses": changed}),
        },
        f"{one}/events": {
            "parameters": task_id,
            "get": operation("follow", "Follow it", {"parameters": [last], "responses": followed}),
        },
        **{
            f"{one}/{action}": {
                "parameters": task_id,
                "post": operation(action, action.capitalize(), {"responses": changed}),
            }
            for action in STEERING
        },
    }


def answers(status: int, schema: str, *wrong: int) -> dict[str, Any]:
    """Describe the answers of an operation."""
    content = {"application/json": {"schema": {"$ref": REF.format(model=f"Web{schema}")}}}
    return {str(status): {"description": schema, "content": content}, **problems(*wrong)}


def problems(*wrong: int) -> dict[str, Any]:
    """Describe what can be wrong; who may not ask, or too often, and Redis away, always can."""
    schema = {"$ref": REF.format(model="WebProblem")}
    content = {"application/problem+json": {"schema": schema}}
    return {
        str(status): {"description": "Problem", "content": content}
        for status in sorted({*wrong, *ALWAYS})
    }


LIST = {
    "summary": "Counts by type and state, or a page of one type and state",
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in (
            ("type", TEXT),
            ("state", TEXT),
            ("offset", {"type": "integer", "minimum": 0}),
            ("limit", {"type": "integer", "minimum": 1, "maximum": 100}),
        )
    ],
    "responses": {"200": {"description": "Counts, or a page"}, **problems(404, 422)},
}
