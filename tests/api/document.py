"""The API's description is a valid OpenAPI document, and each of its examples fits its schema."""

import json
import sys
import urllib.request

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator


def contents(document):
    """Each body and answer with where it stands."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method.upper()} {path}"
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{where} body {media}", content
            for status, response in operation["responses"].items():
                for media, content in response.get("content", {}).items():
                    yield f"{where} {status} {media}", content


def main(url):
    document = json.load(urllib.request.urlopen(url, timeout=20))
    OpenAPIV31SpecValidator(document).validate()
    fitted = 0
    for where, content in contents(document):
        if "example" not in content:
            continue
        # The schema refers to others by their place in the document.
        schema = {**content["schema"], "components": document["components"]}
        try:
            jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(content["example"])
        except jsonschema_rs.ValidationError as error:
            sys.exit(f"the example of {where} does not fit: {error}")
        fitted += 1
    operations = sum(len(methods) for methods in document["paths"].values())
    assert fitted > 50, f"only {fitted} examples"
    print(f"valid OpenAPI {document['openapi']}: {operations} operations, {fitted} examples that fit")


main(*sys.argv[1:])
