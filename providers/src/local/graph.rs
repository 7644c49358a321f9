//! A neural graph (ONNX) run on the calling thread's own core.
//!
//! One run never spreads over cores: spinning helpers cost more than they save once several sessions speak. Whoever
//! wants more at once calls from more threads.

use std::{path::Path, sync::Arc};

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};

use crate::{ErrorKind, ProviderError};

/// A loaded graph. Immutable, so that any number of threads may run it.
pub(crate) struct Graph {
    provider: &'static str,
    model: Model,
}

/// A value or cell of a graph, by its name there.
#[derive(Clone, Copy)]
pub(crate) struct Port(NodeId);

impl Graph {
    /// Loads a graph file on behalf of `provider`; `Unavailable` when it is missing or cannot be read.
    pub(crate) fn load(provider: &'static str, file: &Path) -> Result<Self, ProviderError> {
        let model = ModelOptions::with_all_ops().load_file(file).map_err(|e| {
            ProviderError::new(provider, ErrorKind::Unavailable, format_args!("cannot load {}: {e}", file.display()))
        })?;
        Ok(Self { provider, model })
    }

    /// A graph file's content, with the weights laid out as they are multiplied, once instead of at each run: quicker, mostly for
    /// short inputs, for as much memory again.
    pub(crate) fn packed(provider: &'static str, file: Vec<u8>) -> Result<Self, ProviderError> {
        let model = ModelOptions::with_all_ops().prepack_weights(true).load(file);
        let model = model.map_err(|error| ProviderError::new(provider, ErrorKind::Unavailable, error))?;
        Ok(Self { provider, model })
    }

    /// Finds a named value; `Protocol` when the graph is not the one this code was written for.
    pub(crate) fn port(&self, name: &str) -> Result<Port, ProviderError> {
        self.model.node_id(name).map(Port).map_err(|e| self.broken(format_args!("no value named {name}: {e}")))
    }

    /// Computes `outputs` from `inputs`.
    pub(crate) fn run<const N: usize>(
        &self,
        inputs: Vec<(Port, ValueOrView<'_>)>,
        outputs: [Port; N],
    ) -> Result<[Value; N], ProviderError> {
        let inputs = inputs.into_iter().map(|(port, value)| (port.0, value)).collect();
        let options = RunOptions::default().with_thread_pool(Some(SOLO.with(Arc::clone)));
        self.model.run_n(inputs, outputs.map(|port| port.0), Some(options)).map_err(|e| self.broken(e))
    }

    /// The graph or its answer is not what this code expects.
    pub(crate) fn broken(&self, detail: impl std::fmt::Display) -> ProviderError {
        ProviderError::new(self.provider, ErrorKind::Protocol, detail)
    }
}

thread_local! {
    /// The engine insists on a pool of its own kind; one with a single thread for each calling thread keeps callers
    /// from waiting for each other.
    static SOLO: Arc<ThreadPool> = Arc::new(ThreadPool::with_num_threads(1));
}
