"""Make a Postman collection (format 2.1) of the OpenAPI description: a walk with the bodies that programs send, and every operation.

Format: https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
WALK = json.loads(Path(__file__).with_name("postman_walk.json").read_text())
"""Calls in order, each with a body, the values saved from its answer, and saved values as ids of its path."""
ANSWERS_2XX = "pm.test('answers 2xx', () => pm.expect(pm.response.code).to.be.within(200, 299));"
RUN = "pm.collectionVariables.get('run') || pm.collectionVariables.set('run', Date.now().toString(36));"
"""Names the objects of one walk, so that it can be repeated."""


def collection(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the collection of an OpenAPI description."""
    operations = {
        f"{method.upper()} {path}": operation
        for path, by_method in schema["paths"].items()
        for method, operation in by_method.items()
    }
    walk = [_step(step, operations.get(step["call"], {})) for step in WALK]
    folders = [
        {
            "name": tag["name"],
            "description": tag.get("description", ""),
            "item": [
                _reference(call, operation)
                for call, operation in operations.items()
                if tag["name"] in operation["tags"]
            ],
        }
        for tag in schema["tags"]
    ]
    return {
        "info": {"name": schema["info"]["title"], "schema": FORMAT},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]},
        "variable": [
            {"key": "base_url", "value": "http://127.0.0.1:8000"},
            {"key": "token", "value": ""},
        ],
        "event": [_script("prerequest", RUN)],
        "item": [
            {"name": "Walk", "description": "Calls in order; each answers 2xx.", "item": walk},
            {
                "name": "Lists",
                "description": "Every GET without an id.",
                "item": _lists(operations),
            },
            {"name": "Reference", "description": "Every operation.", "item": folders},
        ],
    }


def _step(step: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    method, path = step["call"].split(" ")
    for name, saved in step.get("ids", {}).items():
        path = path.replace(f"{{{name}}}", f"{{{{{saved}}}}}")
    script = [ANSWERS_2XX] + [
        f"pm.collectionVariables.set('{name}', pm.response.json()['{key}']);"
        for name, key in step.get("save", {}).items()
    ]
    name = step.get("name") or _title(step["call"], operation)
    return _item(name, method, path, step.get("body"), "\n".join(script))


def _lists(operations: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the GET calls that need neither an id nor a parameter."""
    return [
        _item(_title(call, operation), "GET", call.removeprefix("GET "), None, ANSWERS_2XX)
        for call, operation in operations.items()
        if call.startswith("GET ") and "{" not in call and not _needs_parameters(operation)
    ]


def _needs_parameters(operation: dict[str, Any]) -> bool:
    return any(each.get("required") for each in operation.get("parameters", ()))


def _reference(call: str, operation: dict[str, Any]) -> dict[str, Any]:
    method, path = call.split(" ")
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("example")
    return _item(
        _title(call, operation), method, re.sub(r"{(\w+)}", r":\1", path), body, ANSWERS_2XX
    )


def _title(call: str, operation: dict[str, Any]) -> str:
    """Return the first sentence of the description."""
    return str(operation.get("description", call)).partition("\n")[0].partition(". ")[0].rstrip(".")


def _item(name: str, method: str, path: str, body: Any, script: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": method,
        "header": [{"key": "Accept", "value": "application/json"}],
        "url": {
            "raw": f"{{{{base_url}}}}{path}",
            "host": ["{{base_url}}"],
            "path": path.strip("/").split("/") + [""] * path.endswith("/") if path != "/" else [""],
        },
    }
    if body is not None:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {
            "mode": "raw",
            "raw": json.dumps(body, indent=2, ensure_ascii=False),
            "options": {"raw": {"language": "json"}},
        }
    return {"name": name, "request": request, "event": [_script("test", script)]}


def _script(listen: str, text: str) -> dict[str, Any]:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": text.split("\n")}}
