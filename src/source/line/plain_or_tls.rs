//! A line, plain or TLS, behind one non-blocking read and one write.
//!
//! In: bytes of the socket. Out: plain protocol bytes. Promised: a read never blocks; it says when the line has
//! run dry. Bytes go from the kernel straight to the caller's memory on a plain line; TLS costs one copy more.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use openssl::ssl::{ErrorCode, SslStream};

use super::{Doing, LineError};

/// Bytes asked of the socket at once below TLS and compression.
pub const READ_AHEAD_BYTES: usize = 128 * 1024;

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many bytes; `drained` says that no more were there.
    Bytes {
        /// Bytes written to the front of the buffer.
        count: usize,
        /// The line had no more.
        drained: bool,
    },
    /// Nothing is there now.
    Dry,
    /// The peer has closed its side.
    Closed,
}

/// A socket with a buffer in front: TLS reads a record in two small pieces, which would be two calls of the
/// kernel each.
#[derive(Debug)]
pub struct ReadAhead {
    socket: TcpStream,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
}

impl ReadAhead {
    /// Wraps a connected socket.
    pub fn new(socket: TcpStream) -> Self {
        Self { socket, buffer: vec![0; READ_AHEAD_BYTES].into_boxed_slice(), at: 0, end: 0 }
    }

    /// The socket, to wait for.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }
}

impl Read for ReadAhead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            let count = self.socket.read(&mut self.buffer)?;
            (self.at, self.end) = (0, count);
        }
        let ready = self.buffer.get(self.at..self.end).unwrap_or_default();
        let count = ready.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

impl Write for ReadAhead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line of bytes to the server.
#[derive(Debug)]
pub enum Line {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<SslStream<ReadAhead>>),
}

impl Line {
    /// The socket below, to wait for.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().socket(),
        }
    }

    /// Reads what is there, without waiting.
    pub fn read(&mut self, out: &mut [u8], doing: Doing) -> Result<Received, LineError> {
        loop {
            let result = match self {
                Self::Plain(socket) => match socket.read(out) {
                    // The kernel gives all it has: less than asked for means that it has no more.
                    Ok(count) if count > 0 => Ok(Received::Bytes { count, drained: count < out.len() }),
                    Ok(_) => Ok(Received::Closed),
                    Err(error) => Err(error),
                },
                Self::Tls(stream) => match stream.ssl_read(out) {
                    Ok(count) if count > 0 => Ok(Received::Bytes { count, drained: false }),
                    Ok(_) => Ok(Received::Closed),
                    Err(error) if error.code() == ErrorCode::ZERO_RETURN => Ok(Received::Closed),
                    Err(error) if matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE) => {
                        Ok(Received::Dry)
                    }
                    Err(error) => tls_failure(error, doing)?,
                },
            };
            match result {
                Ok(received) => return Ok(received),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Received::Dry);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LineError::Io { doing, error }),
            }
        }
    }

    /// Writes what the line takes now; 0 when it takes nothing. What was not taken must come again, unchanged.
    pub fn write(&mut self, bytes: &[u8], doing: Doing) -> Result<usize, LineError> {
        let result = match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => match stream.ssl_write(bytes) {
                Ok(count) => Ok(count),
                Err(error) if matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE) => Ok(0),
                Err(error) => tls_failure(error, doing)?.map(|_| 0),
            },
        };
        match result {
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(LineError::Io { doing, error }),
        }
    }
}

/// A failure of the TLS layer: of the socket below it (its end included), or of TLS itself.
fn tls_failure(error: openssl::ssl::Error, doing: Doing) -> Result<io::Result<Received>, LineError> {
    match error.into_io_error() {
        Ok(error) => Ok(Err(error)),
        Err(error) if error.code() == ErrorCode::SYSCALL => Ok(Ok(Received::Closed)),
        // OpenSSL 3 calls an end without close_notify a protocol error; a server that is killed sends none.
        Err(error) if error.to_string().contains("unexpected eof") => Ok(Ok(Received::Closed)),
        Err(error) => Err(LineError::TlsBroken { doing, reason: error.to_string() }),
    }
}
