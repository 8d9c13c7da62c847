//! What Linux tells of processes in `/proc`, so that no code here need be unsafe to ask for it.

use std::fs;

use crate::Result;

/// How many ticks the times of `/proc/*/stat` have in a second: USER_HZ, 100 wherever Linux runs today.
const TICKS: f64 = 100.0;

/// User and system time in seconds, of all threads, those that have ended too.
pub(super) fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = read(&format!("/proc/{process}/stat"))?;
    sum_of_ticks(&stat, UTIME).ok_or_else(|| format!("/proc/{process}/stat: not as proc(5) has it: {stat}").into())
}

/// User and system time in seconds of all processes that this one has started and that have ended.
pub(super) fn cpu_seconds_of_children() -> Result<f64> {
    let stat = read("/proc/self/stat")?;
    sum_of_ticks(&stat, CUTIME).ok_or_else(|| format!("/proc/self/stat: not as proc(5) has it: {stat}").into())
}

/// The most memory that a process has had resident, in bytes.
pub(super) fn peak_memory(process: u32) -> Result<f64> {
    memory_of(process, "VmHWM")
}

/// The memory that a process has resident now, in bytes.
pub(super) fn memory(process: u32) -> Result<f64> {
    memory_of(process, "VmRSS")
}

/// Lets the peak of a process' memory begin anew.
pub(super) fn forget_peak(process: u32) -> Result<()> {
    let path = format!("/proc/{process}/clear_refs");
    Ok(fs::write(&path, "5").map_err(|error| format!("{path}: {error}"))?)
}

fn memory_of(process: u32, name: &str) -> Result<f64> {
    let path = format!("/proc/{process}/status");
    let kibibytes =
        kibibytes(&read(&path)?, name).ok_or_else(|| format!("{path}: has no {name}: the process has ended"))?;
    Ok(kibibytes * 1024.0)
}

/// Where `utime` and `cutime` stand among the fields behind the program's name; the system's time follows each.
const UTIME: usize = 11;
const CUTIME: usize = 13;

fn sum_of_ticks(stat: &str, first: usize) -> Option<f64> {
    // The name stands in parentheses and may have spaces and parentheses itself.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(first).take(2).map_while(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() / TICKS)
}

/// The value of a line such as `VmHWM:   1234 kB`.
pub(super) fn kibibytes(text: &str, name: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

pub(super) fn read(path: &str) -> Result<String> {
    Ok(fs::read_to_string(path).map_err(|error| format!("{path}: {error}; the benchmark needs Linux"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "12 (a) (b c) S 1 12 12 0 -1 4194560 5 6 7 8 150 50 1000 500 20 0 9 0 3 4 5";
        assert_eq!(sum_of_ticks(stat, UTIME), Some(2.0));
        assert_eq!(sum_of_ticks(stat, CUTIME), Some(15.0));
        assert_eq!(sum_of_ticks("12 (a) S 1", UTIME), None);
        assert_eq!(sum_of_ticks("", UTIME), None);
    }

    #[test]
    fn memory_is_found_by_its_whole_name() {
        let status = "Name:\tx\nVmHWMs:\t 1 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 3 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(2048.0));
        assert_eq!(kibibytes(status, "VmPeak"), None);
        assert_eq!(kibibytes("VmHWM: many kB", "VmHWM"), None);
    }

    #[test]
    fn this_process_is_told_of() -> Result<()> {
        assert!(cpu_seconds(std::process::id())? >= 0.0);
        assert!(cpu_seconds_of_children()? >= 0.0);
        forget_peak(std::process::id())?;
        assert!(peak_memory(std::process::id())? > 0.0 && memory(std::process::id())? > 0.0);
        Ok(())
    }
}
