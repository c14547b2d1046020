//! Asking work to end between two chunks: what runs finishes, nothing more begins.

use tokio::sync::watch;

/// Whether to begin nothing more. Clones hear of it together.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Whoever may ask for it.
#[derive(Debug)]
pub struct Asker(watch::Sender<bool>);

impl Stop {
    /// One that is asked for through the other part.
    #[must_use]
    pub fn new() -> (Asker, Self) {
        let (sender, receiver) = watch::channel(false);
        (Asker(sender), Self(receiver))
    }

    /// For a command that works to its end.
    #[must_use]
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked for.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await; // nobody is left who could ask
        }
    }
}

impl Asker {
    /// Asks for it; again changes nothing.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_clone_hears_of_it_and_what_cannot_be_stopped_never_does() {
        let (asker, stop) = Stop::new();
        let clone = stop.clone();
        assert!(!clone.is_asked());
        asker.ask();
        clone.asked().await;
        assert!(stop.is_asked() && !Stop::never().is_asked());
    }
}
