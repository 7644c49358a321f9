//! The API's description is whole, says nothing that is not served, and is read without anything from elsewhere.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use voice_relay::rest;

use crate::server::{Answer, Server};

/// The document as anybody gets it.
pub(crate) async fn document(server: &Server) -> Value {
    let answer = Answer::of(server.bare(Method::GET, "/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    answer.body
}

/// Each operation with its method and path.
pub(crate) fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations =
        paths.flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(move |(method, operation)| {
                (method.to_uppercase().parse().unwrap(), path.clone(), operation.clone())
            })
        });
    operations.collect()
}

#[tokio::test]
async fn every_method_of_every_route_is_described_and_nothing_else_is() {
    let server = Server::start().await;
    let described: BTreeSet<(String, String)> =
        operations(&document(&server).await).into_iter().map(|(method, path, _)| (path, method.to_string())).collect();
    let mut served = BTreeSet::new();
    for (path, _) in rest::routes() {
        let path = path.replace("{*", "{");
        // What is asked in no method that is known is told which are.
        let probe: String =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
        let answer = Answer::of(server.bare(Method::TRACE, &probe)).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let methods = answer.header("allow").split(',').filter(|method| *method != "HEAD");
        served.extend(methods.map(|method| (path.clone(), method.to_owned())));
    }
    let missing: Vec<_> = served.difference(&described).collect();
    assert!(missing.is_empty(), "served and not described: say it in the resource's `describe`: {missing:?}");
    let stray: Vec<_> = described.difference(&served).collect();
    assert!(stray.is_empty(), "described and not served: {stray:?}");
}

#[tokio::test]
async fn every_operation_says_who_may_call_it_what_it_answers_and_has_an_example() {
    let document = document(&Server::start().await).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        assert!(operation["x-need"].is_string() && operation["security"].is_array(), "{method} {path}");
        let said = |parameter: &Value| {
            parameter["in"] == "path" && path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap()))
        };
        let parts = path.matches('{').count();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        assert_eq!(parameters.iter().filter(|parameter| said(parameter)).count(), parts, "{method} {path}");

        let responses = operation["responses"].as_object().unwrap();
        let good = responses.keys().filter(|status| ["1", "2"].iter().any(|class| status.starts_with(class)));
        assert!(good.count() > 0, "{method} {path}");
        let secured = operation["security"].as_array().unwrap().iter().all(|way| way != &serde_json::json!({}));
        if secured && !operation["security"].as_array().unwrap().is_empty() {
            assert!(responses.contains_key("401") && responses.contains_key("403"), "{method} {path}");
        }
        // What comes as JSON, or goes as JSON, is shown.
        let bodies = [&operation["requestBody"]]
            .into_iter()
            .chain(responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response));
        let shown = bodies.filter(|body| {
            let content = &body["content"]["application/json"];
            !content.is_null() && content["schema"]["$ref"].is_string()
        });
        for body in shown {
            let example = &body["content"]["application/json"]["example"];
            assert!(!example.is_null() || id.starts_with("export_"), "{method} {path} has no example");
        }
    }
}

#[tokio::test]
async fn everything_that_is_referred_to_is_there() {
    let document = document(&Server::start().await).await;
    let ids: BTreeSet<_> =
        operations(&document).iter().map(|(_, _, o)| o["operationId"].as_str().unwrap().to_owned()).collect();
    let mut open = vec![&document];
    let mut referred = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target}");
                    referred += 1;
                }
                if let (Some(Value::String(id)), true) = (
                    members.get("operationId"),
                    members.contains_key("parameters") && !members.contains_key("responses"),
                ) {
                    assert!(ids.contains(id), "a link leads to {id}");
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(referred > 100);
}

#[tokio::test]
async fn bodies_refuse_unknown_fields_and_no_field_has_a_secret_for_a_default() {
    let document = document(&Server::start().await).await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (method, path, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = schema.as_str().and_then(|name| name.rsplit('/').next()) else { continue };
        assert_eq!(schemas[name]["additionalProperties"], false, "{method} {path}: {name}");
    }
    for (name, schema) in schemas {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let secret = ["password", "token", "secret", "key"].iter().any(|word| field.contains(word));
            assert!(!secret || property.get("default").is_none(), "{name}.{field}");
        }
    }
}

#[tokio::test]
async fn the_page_shows_every_operation_and_needs_nothing_from_elsewhere() {
    let server = Server::start().await;
    let page = Answer::of(server.bare(Method::GET, "/docs")).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let text = page.body.as_str().unwrap();
    for (method, path, operation) in operations(&document(&server).await) {
        let id = operation["operationId"].as_str().unwrap();
        let alias = id.contains("__");
        assert_eq!(text.contains(&format!("<details id=\"{id}\">")), !alias, "{method} {path}");
    }
    for foreign in ["<script", "<link", "<img", "src=", "@import", "url(", "href=\"http"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
}
