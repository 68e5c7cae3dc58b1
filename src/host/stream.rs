//! Standard input as a start reads it: the container state, from a runtime that may be slow, fall silent, or keep its end
//! open. Must not know what a state is.

use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::PollTimeout;

use super::content::{is_readable, milliseconds};

/// How long the runtime may pause in the middle of the container state.
const PATIENCE: Duration = Duration::from_secs(10);

/// The container state as a stream from a descriptor. Waits for the first byte as long as it takes, and gives up if the
/// runtime then falls silent. It does not use [`io::stdin`], whose lock and buffer a start would otherwise not touch.
#[derive(Debug)]
pub struct StateStream<'fd> {
    descriptor: BorrowedFd<'fd>,
    has_begun: bool,
    patience: Duration,
}

impl<'fd> StateStream<'fd> {
    /// The stream of a descriptor from which nothing has been read yet.
    #[must_use]
    pub fn new(descriptor: BorrowedFd<'fd>) -> Self {
        StateStream { descriptor, has_begun: false, patience: PATIENCE }
    }
}

impl Read for StateStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_begun && !is_readable(self.descriptor, milliseconds(self.patience))? {
            let message = format!("the runtime fell silent for {} seconds within the state", self.patience.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        let got = match nix::unistd::read(self.descriptor, buffer) {
            // The runtime may have made the pipe non-blocking.
            Err(Errno::EAGAIN) => {
                is_readable(self.descriptor, PollTimeout::NONE)?;
                nix::unistd::read(self.descriptor, buffer)?
            }
            read => read?,
        };
        self.has_begun = true;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::thread;

    #[test]
    fn patience_begins_with_the_first_byte_of_a_state() {
        let (reader, mut writer) = io::pipe().unwrap();
        let patience = Duration::from_millis(1);
        let mut stream = StateStream { descriptor: reader.as_fd(), has_begun: false, patience };
        let writing = thread::spawn(move || {
            thread::sleep(20 * patience);
            writer.write_all(b"{").unwrap();
            writer
        });
        let mut buffer = [0; 8];
        assert_eq!(stream.read(&mut buffer).unwrap(), 1);
        let writer = writing.join().unwrap();
        assert_eq!(stream.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(writer);
        assert_eq!(stream.read(&mut buffer).unwrap(), 0);
    }
}
