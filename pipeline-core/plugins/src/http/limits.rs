//! How much of the network one call may use.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLimits {
    pub url_bytes: usize,
    pub request_header_bytes: usize,
    pub request_body_bytes: usize,
    /// Status line and header of one answer.
    pub response_header_bytes: usize,
    /// As sent and decompressed, each.
    pub response_body_bytes: usize,
    /// To find and reach one host.
    pub connect: Duration,
    /// From the first byte sent to the last byte received, redirects included.
    pub total: Duration,
    pub redirects: u32,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            url_bytes: 64 << 10,
            request_header_bytes: 64 << 10,
            request_body_bytes: 10 << 20,
            response_header_bytes: 64 << 10,
            response_body_bytes: 10 << 20,
            connect: Duration::from_secs(5),
            total: Duration::from_secs(30),
            redirects: 5,
        }
    }
}
