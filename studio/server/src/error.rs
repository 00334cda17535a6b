use std::net::SocketAddr;

use pipeline_core::flow::FlowError;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address} for {port}: {message}")]
    Bind { port: &'static str, address: SocketAddr, message: String },
    #[error("the control port {0} can be reached from other machines")]
    PublicControl(SocketAddr),
    #[error("cannot write {path}: {message}")]
    RunFile { path: String, message: String },
    #[error("cannot start the HTTP client of the demo stream: {0}")]
    Client(String),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl ServeError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "bind",
            Self::PublicControl(_) => "public_control",
            Self::RunFile { .. } => "run_file",
            Self::Client(_) => "demo_client",
            Self::Flow(error) => error.code(),
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "another program uses it; choose another, or port 0 for a free one",
            Self::PublicControl(_) => "use a loopback address such as 127.0.0.1; it shows and changes everything",
            Self::RunFile { .. } => "check the permissions of the data directory",
            Self::Client(_) => "start without --demo",
            Self::Flow(error) => error.hint(),
        }
    }
}
