//! People who log in, as other tests need them.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

/// Good enough for anybody.
pub(crate) const PASSWORD: &str = "wheel-fjord-candle-52";

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Person {
    /// Registers and logs in.
    pub(crate) async fn new(server: &Server, email: &str) -> Self {
        let made = register(server, email).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        Self { id: made.body["id"].as_str().unwrap().to_owned(), ..Self::enters(server, email).await }
    }

    /// Logs in once more, as from another device.
    pub(crate) async fn enters(server: &Server, email: &str) -> Self {
        let tokens = log_in(server, email, PASSWORD).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        Self { id: String::new(), email: email.to_owned(), access: String::new(), refresh: String::new() }.with(&tokens)
    }

    /// The same person by these tokens.
    pub(crate) fn with(&self, tokens: &Answer) -> Self {
        let token = |name: &str| tokens.body[name].as_str().unwrap().to_owned();
        Self { access: token("access_token"), refresh: token("refresh_token"), ..self.clone() }
    }

    pub(crate) fn request(&self, server: &Server, method: Method, path: &str) -> RequestBuilder {
        server.bare(method, path).bearer_auth(&self.access)
    }

    pub(crate) async fn get(&self, server: &Server, path: &str) -> Answer {
        Answer::of(self.request(server, Method::GET, path)).await
    }

    pub(crate) async fn post(&self, server: &Server, path: &str, body: Value) -> Answer {
        Answer::of(self.request(server, Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, server: &Server, path: &str, body: Value) -> Answer {
        Answer::of(self.request(server, Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, server: &Server, path: &str) -> Answer {
        Answer::of(self.request(server, Method::DELETE, path)).await
    }

    /// Whether the access token is good.
    pub(crate) async fn is_in(&self, server: &Server) -> bool {
        match self.get(server, "/api/users/me").await.status {
            StatusCode::OK => true,
            StatusCode::UNAUTHORIZED => false,
            other => panic!("{other}"),
        }
    }

    pub(crate) async fn refreshed(&self, server: &Server) -> Answer {
        refresh(server, &self.refresh).await
    }
}

/// The owner registers somebody.
pub(crate) async fn register(server: &Server, email: &str) -> Answer {
    let body = json!({"email": email, "password": PASSWORD, "full_name": "Some Body"});
    server.post("/api/auth/register", body).await
}

pub(crate) async fn log_in(server: &Server, email: &str, password: &str) -> Answer {
    bare_post(server, "/api/auth/login", json!({"email": email, "password": password})).await
}

pub(crate) async fn refresh(server: &Server, token: &str) -> Answer {
    bare_post(server, "/api/auth/refresh", json!({"refresh_token": token})).await
}

pub(crate) async fn bare_post(server: &Server, path: &str, body: Value) -> Answer {
    Answer::of(server.bare(Method::POST, path).json(&body)).await
}

/// The owner changes somebody.
pub(crate) async fn administer(server: &Server, id: &str, body: Value) -> Answer {
    Answer::of(server.request(Method::PATCH, &format!("/api/users/{id}")).json(&body)).await
}
