//! What a process used, from the kernel's own accounting in `/proc`. Only Linux has it.

use std::path::Path;

use local::failure::Failure;

/// The length of a clock tick in `/proc/<pid>/stat`: Linux reports 100 a second on every
/// architecture here (`USER_HZ`).
const TICK_MICROSECONDS: usize = 10_000;

/// What a process used since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// User and system time of all its threads, in microseconds.
    pub cpu_microseconds: usize,
    /// The most memory it has had resident, in KiB (`VmHWM`).
    pub peak_kib: usize,
}

/// Reads what a process used so far.
///
/// # Errors
///
/// If the process has ended, or this system has no `/proc`.
pub fn read_usage(process: u32) -> Result<ProcessUsage, Failure> {
    let folder = Path::new("/proc").join(process.to_string());
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(name)).map_err(|error| {
            Failure::new(format!("Cannot read /proc/{process}/{name}"))
                .because(error)
                .remedy("Functions are measured on Linux only.")
        })
    };
    let unreadable = |name: &str| Failure::new(format!("/proc/{process}/{name} is not readable"));
    let peak_kib = parse_peak(&read("status")?).ok_or_else(|| unreadable("status"))?;
    let ticks = parse_ticks(&read("stat")?).ok_or_else(|| unreadable("stat"))?;
    let in_ticks = ticks.saturating_mul(TICK_MICROSECONDS);
    // The scheduler counts in nanoseconds, but only for the threads that still run.
    let precise = read_thread_nanoseconds(&folder).map(|nanoseconds| nanoseconds / 1_000);
    let cpu_microseconds = match precise {
        Some(precise) if precise.saturating_add(TICK_MICROSECONDS * 2) >= in_ticks => precise,
        Some(_) | None => in_ticks,
    };
    Ok(ProcessUsage { cpu_microseconds, peak_kib })
}

/// The time of all threads, in nanoseconds. `None` if the kernel does not count it.
fn read_thread_nanoseconds(folder: &Path) -> Option<usize> {
    let mut total = 0_usize;
    for thread in std::fs::read_dir(folder.join("task")).ok()? {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        total = total.saturating_add(parse_nanoseconds(&text)?);
    }
    (total > 0).then_some(total)
}

/// The time on a processor in the text of `schedstat`.
fn parse_nanoseconds(schedstat: &str) -> Option<usize> {
    schedstat.split_whitespace().next()?.parse().ok()
}

/// User and system time in the text of `stat`, in ticks. The name of the program, in parentheses,
/// may contain spaces.
fn parse_ticks(stat: &str) -> Option<usize> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // The state is the third field; user time is the fourteenth, system time the fifteenth.
    let user = fields.nth(11)?.parse::<usize>().ok()?;
    let system = fields.next()?.parse::<usize>().ok()?;
    user.checked_add(system)
}

/// The peak of resident memory in the text of `status`.
fn parse_peak(status: &str) -> Option<usize> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_read() {
        assert_eq!(parse_nanoseconds("155628798 1927619 36\n"), Some(155_628_798));
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 5 0 0 0 14 3 0 0 20 0 1 0 9 1 1 1\n";
        assert_eq!(parse_ticks(stat), Some(17));
        assert_eq!(parse_peak("Name:\tx\nVmHWM:\t   21504 kB\n"), Some(21_504));
        assert_eq!((parse_nanoseconds(""), parse_ticks("42"), parse_peak("")), (None, None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        let usage = read_usage(std::process::id()).unwrap();
        assert!(usage.peak_kib > 0, "{usage:?}");
    }

    #[test]
    fn a_process_that_does_not_run_has_no_usage() {
        let lines = read_usage(u32::MAX).unwrap_err().lines();
        assert!(lines[0].contains("/proc/"), "{lines:?}");
    }
}
