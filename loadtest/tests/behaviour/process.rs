//! What Linux tells of a process is read right.

use std::time::Duration;

use loadtest::process::{Process, parse_cpu, parse_field, parse_open_files};

#[test]
fn cpu_time_is_user_and_system_whatever_the_name_holds() {
    let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 123 77 5 6 20 0 3 0 100 1000 200";
    assert_eq!(parse_cpu(stat), Some(Duration::from_millis(2000)));
    assert_eq!(parse_cpu("42 (short) S 1"), None);
}

#[test]
fn a_field_is_found_by_its_whole_name() {
    let status = "Name:\tjanus\nVmRSS:\t   28200 kB\nThreads:\t25\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";
    assert_eq!(parse_field(status, "VmRSS"), Some(28_200));
    assert_eq!(parse_field(status, "voluntary_ctxt_switches"), Some(12));
    assert_eq!(parse_field(status, "Vm"), None);
}

#[test]
fn the_limit_of_open_files_is_the_soft_one() {
    let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
        Max open files            1024                 524288               files\n";
    assert_eq!(parse_open_files(limits), Some(1024));
    assert_eq!(parse_open_files("Max open files            unlimited            unlimited            files"), None);
}

#[test]
fn this_process_exists_and_another_does_not() {
    let usage = Process::own().usage().unwrap();
    assert!(usage.resident_kb > 100 && usage.threads >= 1);
    assert!(Process::open(u32::MAX).is_err());
}
