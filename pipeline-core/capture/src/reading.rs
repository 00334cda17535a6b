//! Taking a body off the wire, with an end to size, to time and to memory.
//!
//! Time: a body may take a grace period, and then as long as a slow line needs for what has arrived. So
//! a phone on a bad network may send much, and a client that trickles is cut off soon. Memory: a
//! body is accounted as it arrives, not as it is announced, so that announcing much costs nobody
//! anything.

use std::time::Duration;

use axum::body::Body;
use bytes::Buf as _;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::error::CaptureError;
use crate::router::Limits;
use crate::share::Grant;

/// A client that still sends when it is refused may take this long, or this many bodies, to get to the
/// answer: a connection that is closed before would take the answer with it.
const DISCARD_TIME: Duration = Duration::from_secs(10);
const DISCARD_BODIES: usize = 4;

/// Reads a body whole; the grant grows with it.
pub async fn read(body: &mut Body, limits: &Limits, grant: &mut Grant) -> Result<Vec<u8>, CaptureError> {
    let started = Instant::now();
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let deadline = started + allowed(bytes.len(), limits);
        let data = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(CaptureError::SlowBody),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(error))) if is_end(&error) => return Err(CaptureError::ClientGone),
            Ok(Some(Err(error))) => return Err(CaptureError::Decode(format!("the body cannot be read: {error}"))),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => data,
                // Trailers say nothing about events.
                Err(_) => continue,
            },
        };
        let total = bytes.len() + data.remaining();
        if total > limits.body_bytes {
            return Err(CaptureError::TooLarge { limit_bytes: limits.body_bytes });
        }
        if total > grant.amount() {
            // Doubling keeps the number of waits small.
            let more = (total - grant.amount()).max(grant.amount()).min(limits.body_bytes);
            let patience = deadline.saturating_duration_since(Instant::now()).min(limits.patience);
            grant.grow(more, patience).await.map_err(|_| CaptureError::Crowded)?;
        }
        bytes.extend_from_slice(&data);
    }
}

/// How long the next byte of a body may be in coming, from the start.
fn allowed(arrived_bytes: usize, limits: &Limits) -> Duration {
    limits.body_grace + Duration::from_secs_f64(arrived_bytes as f64 / limits.body_bytes_per_second as f64)
}

/// Takes the rest of a refused body and forgets it.
pub async fn discard(mut body: Body, limits: &Limits) {
    let deadline = Instant::now() + DISCARD_TIME.min(limits.body_grace);
    let mut left = limits.body_bytes.saturating_mul(DISCARD_BODIES);
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        let length = frame.data_ref().map_or(0, bytes::Bytes::len);
        if length > left {
            return;
        }
        left -= length;
    }
}

/// The connection ended inside the body, rather than something being wrong with how it was framed.
fn is_end(error: &axum::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof);
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_earns_time() {
        let limits = Limits::default();
        let grace = limits.body_grace;
        assert_eq!(allowed(0, &limits), grace);
        // One byte a second earns next to nothing, a slow line of 100 kB/s as much as it needs.
        assert!(allowed(15, &limits) < grace + Duration::from_millis(1));
        assert!(allowed(10_000_000, &limits) > Duration::from_secs(100));
    }
}
