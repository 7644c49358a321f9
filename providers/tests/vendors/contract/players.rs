//! Who plays the vendors' scripts: one player a wire.

use std::sync::atomic::Ordering;

use futures_util::{FutureExt, future::BoxFuture};

use super::stage::Played;
use crate::support::{cassette, grpc, usp};

/// WebSockets with JSON in messages of text.
pub(crate) fn json(scripts: Vec<String>) -> BoxFuture<'static, Box<dyn Played>> {
    async move { Box::new(cassette::Vendor::start(&borrowed(&scripts)).await) as Box<dyn Played> }.boxed()
}

/// WebSockets with headers before each message, as Azure's Speech service has them.
pub(crate) fn headed(scripts: Vec<String>) -> BoxFuture<'static, Box<dyn Played>> {
    async move { Box::new(usp::Service::start(&borrowed(&scripts)).await) as Box<dyn Played> }.boxed()
}

/// Calls of gRPC; `= call` divides conversations of several.
pub(crate) fn calls(scripts: Vec<String>) -> BoxFuture<'static, Box<dyn Played>> {
    async move {
        let mut calls: Vec<_> = scripts.iter().flat_map(|script| script.split("= call")).map(str::to_owned).collect();
        for call in &mut calls {
            // So is every call to whom it is the only script.
            *call = call.replace("= again", "");
        }
        if scripts.len() == 1 {
            calls = vec![calls; CONVERSATIONS].concat();
        }
        Box::new(grpc::Vendor::start(&borrowed(&calls)).await) as Box<dyn Played>
    }
    .boxed()
}

/// More than a test has with one vendor.
const CONVERSATIONS: usize = 20;

fn borrowed(scripts: &[String]) -> Vec<&str> {
    scripts.iter().map(String::as_str).collect()
}

impl Played for cassette::Vendor {
    fn origin(&self) -> String {
        self.base_url.replace("ws://", "http://")
    }

    fn ended(&mut self) -> BoxFuture<'_, Option<Result<(), String>>> {
        self.ended.recv().boxed()
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    fn told(&self) -> Vec<String> {
        self.texts.lock().unwrap().clone()
    }
}

impl Played for usp::Service {
    fn origin(&self) -> String {
        self.base_url.replace("ws://", "http://")
    }

    fn ended(&mut self) -> BoxFuture<'_, Option<Result<(), String>>> {
        self.ended.recv().boxed()
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    fn told(&self) -> Vec<String> {
        self.bodies("ssml")
    }
}

impl Played for grpc::Vendor {
    fn origin(&self) -> String {
        self.base_url.clone()
    }

    fn ended(&mut self) -> BoxFuture<'_, Option<Result<(), String>>> {
        self.ended.recv().boxed()
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    fn told(&self) -> Vec<String> {
        self.texts.lock().unwrap().clone()
    }
}
