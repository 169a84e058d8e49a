//! The rate at which items are written: so many write units a second, with what was used beyond the
//! reckoning made up for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets writes through at a rate.
#[derive(Debug)]
pub(super) struct Pace {
    units_a_second: u64,
    /// When the next write may begin.
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(units_a_second: u64) -> Self {
        Self {
            units_a_second: units_a_second.max(1),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits until so many units may be used.
    pub(super) async fn wait(&self, units: u64) {
        let begin = self.delay(units);
        tokio::time::sleep_until(begin).await;
    }

    /// Units were used that nobody reckoned with, such as those of indexes.
    pub(super) fn owe(&self, units: u64) {
        self.delay(units);
    }

    /// When a use of so many units begins; the next one begins as much later as they take.
    fn delay(&self, units: u64) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = (*next).max(Instant::now());
        let seconds = whole(units) / whole(self.units_a_second);
        *next = begin + Duration::from_secs_f64(seconds);
        begin
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "units of one batch or one second are far below 2^52"
)]
const fn whole(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn units_are_used_no_faster_than_the_rate() {
        let pace = Pace::new(100);
        let begun = Instant::now();
        pace.wait(50).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.wait(200).await;
        assert_eq!(begun.elapsed().as_millis(), 500);
        pace.wait(1).await;
        assert_eq!(begun.elapsed().as_millis(), 2500);
    }

    #[tokio::test(start_paused = true)]
    async fn units_beyond_the_reckoning_are_made_up_for() {
        let pace = Pace::new(10);
        let begun = Instant::now();
        pace.wait(10).await;
        pace.owe(20);
        pace.wait(1).await;
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_passed_unused_is_not_caught_up_on() {
        let pace = Pace::new(10);
        tokio::time::advance(Duration::from_mins(1)).await;
        let begun = Instant::now();
        pace.wait(10).await;
        pace.wait(10).await;
        assert_eq!(begun.elapsed().as_secs(), 1);
    }
}
