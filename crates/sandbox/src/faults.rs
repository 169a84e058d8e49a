//! Faults that can be switched on, to see how a client bears them.

use std::str::FromStr;
use std::time::Duration;

/// What goes wrong on purpose; nothing, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// How many of the next requests are refused for coming too fast.
    pub throttled_requests: u32,
    /// How many of the next requests meet a closed connection, with nothing done.
    pub reset_connections: u32,
    /// How many of the next exports are started while their answer is lost.
    pub lost_export_answers: u32,
    /// How many of the next items of `BatchWriteItem` come back as unprocessed.
    pub unprocessed_items: u32,
    /// How many of the next imports are started while their answer is lost.
    pub lost_import_answers: u32,
    /// How long every answer is held back.
    pub delay: Duration,
    /// Whether all credentials have expired.
    pub has_expired_credentials: bool,
    /// How long a written policy of a bucket, a key, a user or a role takes to hold.
    pub policy_delay: Duration,
    /// What befalls requests of single operations.
    pub of_operations: Vec<OperationFault>,
}

/// What befalls some of the requests of one operation, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationFault {
    /// The operation's name; `*` for every one.
    operation: String,
    kind: InjectedFaultKind,
    which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InjectedFaultKind {
    Throttle,
    Reset,
    Expired,
    Delay(Duration),
}

/// Which of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// So many of the next ones.
    Next(u32),
    /// Each by chance, in thousandths.
    Some(u16),
}

/// What befalls one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct InjectedFault {
    pub(super) end: Option<FaultEnd>,
    /// How long it is held back before.
    pub(super) delay: Duration,
}

/// How a fault ends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultEnd {
    Throttled,
    Reset,
    Expired,
}

impl Faults {
    /// Counts a request, and says what befalls it.
    pub(super) fn next_fault(&mut self, operation: &str) -> InjectedFault {
        let mut fault = InjectedFault {
            end: None,
            delay: self.delay,
        };
        if self.reset_connections > 0 {
            self.reset_connections -= 1;
            fault.end = Some(FaultEnd::Reset);
            return fault;
        }
        if self.throttled_requests > 0 {
            self.throttled_requests -= 1;
            fault.end = Some(FaultEnd::Throttled);
            return fault;
        }
        for one in &mut self.of_operations {
            if !one.strikes(operation) {
                continue;
            }
            match one.kind {
                InjectedFaultKind::Delay(delay) => fault.delay += delay,
                InjectedFaultKind::Throttle => fault.end = Some(FaultEnd::Throttled),
                InjectedFaultKind::Reset => fault.end = Some(FaultEnd::Reset),
                InjectedFaultKind::Expired => fault.end = Some(FaultEnd::Expired),
            }
        }
        fault
    }

    /// Counts a started import, and says whether its answer is lost.
    pub(super) const fn loses_import_answer(&mut self) -> bool {
        let is_lost = self.lost_import_answers > 0;
        self.lost_import_answers = self.lost_import_answers.saturating_sub(1);
        is_lost
    }

    /// Counts a started export, and says whether its answer is lost.
    pub(super) const fn loses_answer(&mut self) -> bool {
        let is_lost = self.lost_export_answers > 0;
        self.lost_export_answers = self.lost_export_answers.saturating_sub(1);
        is_lost
    }
}

impl OperationFault {
    /// Counts a request, and says whether it is struck.
    fn strikes(&mut self, operation: &str) -> bool {
        if self.operation != "*" && self.operation != operation {
            return false;
        }
        match &mut self.which {
            Which::Next(0) => false,
            Which::Next(left) => {
                *left -= 1;
                true
            }
            Which::Some(thousandths) => fastrand::u16(..1000) < *thousandths,
        }
    }
}

impl FromStr for OperationFault {
    type Err = String;

    /// Reads `OPERATION=FAULT:WHICH`, such as `ExportTableToPointInTime=throttle:0.3`,
    /// `GetObject=reset:5`, `*=expired:0.01` or `DescribeExport=delay:200ms`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "give OPERATION=throttle:0.3 (each by chance), OPERATION=reset:5 (the next five), \
             OPERATION=expired:1 or OPERATION=delay:200ms; * stands for every operation"
                .to_owned()
        };
        let (operation, fault) = text.split_once('=').ok_or_else(wrong)?;
        let (kind, which) = fault.split_once(':').ok_or_else(wrong)?;
        if operation.is_empty() {
            return Err(wrong());
        }
        let (kind, which) = match kind {
            "throttle" => (
                InjectedFaultKind::Throttle,
                which_of(which).ok_or_else(wrong)?,
            ),
            "reset" => (InjectedFaultKind::Reset, which_of(which).ok_or_else(wrong)?),
            "expired" => (
                InjectedFaultKind::Expired,
                which_of(which).ok_or_else(wrong)?,
            ),
            "delay" => {
                let delay: jiff::SignedDuration = which.parse().map_err(|_| wrong())?;
                let delay = Duration::try_from(delay).map_err(|_| wrong())?;
                (InjectedFaultKind::Delay(delay), Which::Some(1000))
            }
            _ => return Err(wrong()),
        };
        Ok(Self {
            operation: operation.to_owned(),
            kind,
            which,
        })
    }
}

fn which_of(text: &str) -> Option<Which> {
    if !text.contains('.') {
        return text.parse().ok().map(Which::Next);
    }
    let chance: f64 = text.parse().ok()?;
    if !(0.0..=1.0).contains(&chance) {
        return None;
    }
    // Three digits are as fine as a test asks for.
    (0..=1000_u16)
        .find(|thousandths| f64::from(*thousandths) / 1000.0 >= chance)
        .map(Which::Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(texts: &[&str]) -> Faults {
        let faults = texts.iter().map(|text| text.parse().unwrap());
        Faults {
            of_operations: faults.collect(),
            ..Faults::default()
        }
    }

    #[test]
    fn the_next_requests_of_an_operation_are_struck_and_no_others() {
        let mut faults = faults(&["DescribeTable=throttle:2"]);
        assert_eq!(faults.next_fault("ListTables").end, None);
        for _ in 0..2 {
            let struck = faults.next_fault("DescribeTable").end;
            assert_eq!(struck, Some(FaultEnd::Throttled));
        }
        assert_eq!(faults.next_fault("DescribeTable").end, None);
    }

    #[test]
    fn a_chance_strikes_about_as_often_as_it_says() {
        fastrand::seed(7);
        let mut faults = faults(&["*=reset:0.3"]);
        let struck = (0..10_000).filter(|_| faults.next_fault("PutObject").end.is_some());
        let count = struck.count();
        assert!((2_700..3_300).contains(&count), "{count}");
    }

    #[test]
    fn a_delay_holds_every_request_back_and_ends_none() {
        let mut faults = faults(&["*=delay:200ms"]);
        let fault = faults.next_fault("GetObject");
        assert_eq!((fault.end, fault.delay), (None, Duration::from_millis(200)));
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in [
            "",
            "throttle:1",
            "A=throttle",
            "A=melt:1",
            "A=reset:1.5",
            "=reset:1",
            "A=delay:soon",
        ] {
            assert!(text.parse::<OperationFault>().is_err(), "{text}");
        }
    }
}
