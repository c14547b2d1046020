//! Asking work to end: first between two chunks, what runs finishes and nothing more begins; then at once.

use std::sync::Arc;

use tokio::sync::watch;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    GoOn,
    BeginNothing,
    EndNow,
}

/// Whether to begin nothing more, or to end at once. Clones hear of it together.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Wish>);

/// Whoever may ask for it; clones ask the same.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<Wish>>);

impl Stop {
    /// One that is asked for through the other part.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(Wish::GoOn);
        (Stopper(Arc::new(sender)), Self(receiver))
    }

    /// For a command that works to its end.
    #[must_use]
    pub fn never() -> Self {
        Self(watch::channel(Wish::GoOn).1)
    }

    /// Whether to begin nothing more.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() >= Wish::BeginNothing
    }

    /// Waits until nothing more is to begin.
    pub async fn asked(&self) {
        self.wished(Wish::BeginNothing).await;
    }

    /// Waits until what runs is to be handed back as it is.
    pub async fn pressed(&self) {
        self.wished(Wish::EndNow).await;
    }

    async fn wished(&self, wish: Wish) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|asked| *asked >= wish).await.is_err() {
            std::future::pending::<()>().await; // nobody is left who could ask
        }
    }
}

impl Stopper {
    /// Asks that nothing more begins; again changes nothing.
    pub fn ask(&self) {
        self.raise(Wish::BeginNothing);
    }

    /// Asks that what runs is handed back at once.
    pub fn press(&self) {
        self.raise(Wish::EndNow);
    }

    fn raise(&self, wish: Wish) {
        self.0.send_if_modified(|asked| {
            let more = wish > *asked;
            *asked = wish.max(*asked);
            more
        });
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
        asker.clone().ask();
        clone.asked().await;
        assert!(stop.is_asked() && !Stop::never().is_asked());
    }

    #[tokio::test]
    async fn pressing_is_asking_and_asking_again_takes_nothing_back() {
        let (asker, stop) = Stop::new();
        asker.press();
        asker.ask();
        stop.asked().await;
        stop.pressed().await;
    }
}
