//! A bearer token in a file that somebody else renews.

use std::{path::PathBuf, time::Duration};

use http::HeaderValue;
use tokio::{sync::Mutex, time::Instant};

use super::{fetched::Generation, header::bearer};
use crate::{
    error::{Error, ErrorKind, Result},
    file,
};

/// client-go takes a token file to be good for a minute and reads it again ten seconds before that is over.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(50);

/// When a file that cannot be read is looked at again, as long as there is a token to go on with.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(10);

pub(crate) struct TokenFile {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    header: Option<HeaderValue>,
    /// When it is next looked at; at once if nothing.
    next: Option<Instant>,
    /// The last look found no token.
    failing: bool,
    generation: Generation,
}

impl TokenFile {
    pub(super) fn new(path: PathBuf, fallback: Option<HeaderValue>) -> Self {
        Self { path, state: Mutex::new(State { header: fallback, next: None, failing: false, generation: 0 }) }
    }

    /// The header of the current token. If the file has become unreadable, the last good token is used, and the file is
    /// looked at again a little later, not by each request.
    pub(super) async fn header(&self) -> Result<(HeaderValue, Generation)> {
        let mut state = self.state.lock().await;
        if let (Some(header), Some(next)) = (&state.header, state.next)
            && Instant::now() < next
        {
            return Ok((header.clone(), state.generation));
        }
        match (self.read().await, &state.header) {
            (Ok(header), _) => {
                let generation = state.generation + 1;
                let next = Some(Instant::now() + READ_AGAIN_AFTER);
                *state = State { header: Some(header.clone()), next, failing: false, generation };
                Ok((header, generation))
            }
            (Err(error), Some(last)) => {
                tracing::warn!(%error, "the token file cannot be read, the last good token is used");
                let last = last.clone();
                state.next = Some(Instant::now() + LOOK_AGAIN_AFTER);
                state.failing = true;
                Ok((last, state.generation))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Has the file read again for the next request, unless it was read since, or was just found unreadable.
    pub(super) async fn distrust(&self, refused: Generation) {
        let mut state = self.state.lock().await;
        if state.generation == refused && !state.failing {
            state.next = None;
        }
    }

    async fn read(&self) -> Result<HeaderValue> {
        let wrong = |what: &str| Error::new(ErrorKind::Auth, format!("token file {}{what}", file::shown(&self.path)));
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || file::read_text(&path)).await;
        let text = match read {
            Ok(read) => read.map_err(|error| wrong("").with_source(error))?,
            Err(_) => return Err(wrong(": could not be read, since the runtime is ending")),
        };
        if text.trim().is_empty() {
            return Err(wrong(": is empty"));
        }
        bearer(&text).map_err(|_| wrong(": holds characters that no HTTP header can carry"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Paused time would run ahead while a file is read in another thread, so the clock is moved by hand.
    async fn pass(time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    async fn header(file: &TokenFile) -> HeaderValue {
        file.header().await.unwrap().0
    }

    #[tokio::test]
    async fn the_file_is_read_again_within_a_minute_and_the_last_good_token_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, " one\n").unwrap();
        let file = TokenFile::new(path.clone(), None);
        assert_eq!(header(&file).await, "Bearer one");

        fs::write(&path, "two").unwrap();
        assert_eq!(header(&file).await, "Bearer one", "read again at once");
        pass(Duration::from_secs(51)).await;
        assert_eq!(header(&file).await, "Bearer two");

        fs::write(&path, "").unwrap();
        pass(Duration::from_secs(51)).await;
        assert_eq!(header(&file).await, "Bearer two", "an empty file is no token");
        fs::remove_file(&path).unwrap();
        pass(Duration::from_secs(11)).await;
        let (last, generation) = file.header().await.unwrap();
        assert_eq!(last, "Bearer two");

        fs::write(&path, "three").unwrap();
        file.distrust(generation).await;
        assert_eq!(header(&file).await, "Bearer two", "looked at again by each request");
        pass(Duration::from_secs(11)).await;
        assert_eq!(header(&file).await, "Bearer three");
    }

    #[tokio::test]
    async fn a_refused_token_is_read_again_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "one").unwrap();
        let file = TokenFile::new(path.clone(), None);
        let (_, first) = file.header().await.unwrap();
        fs::write(&path, "two").unwrap();
        file.distrust(first).await;
        assert_eq!(header(&file).await, "Bearer two");

        fs::write(&path, "three").unwrap();
        file.distrust(first).await;
        assert_eq!(header(&file).await, "Bearer two", "what was refused is not sent any more");
    }

    #[tokio::test]
    async fn an_inline_token_stands_in_for_a_file_that_cannot_be_read() {
        let file = TokenFile::new(PathBuf::from("/nonexistent/token"), Some(bearer("inline").unwrap()));
        assert_eq!(header(&file).await, "Bearer inline");
        let file = TokenFile::new(PathBuf::from("/nonexistent/token"), None);
        let error = file.header().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.to_string().contains("/nonexistent/token"), "{error}");
    }
}
