//! Bytes in both directions, whatever they travel on.

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes in both directions.
pub(in crate::transport) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
