//! Reading given files: whole ones, torn ones, and any bytes at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use nvidia_simulated_given::{Broken, Given, TAIL_LENGTH, Value, at_call, at_last, pieces, tail};
use proptest::prelude::*;

const WHOLE: &str = "fake-nvidia given 1\ndriver 570.1\ncuda 12080\n\
    gpu\nuuid GPU-a\nname Tesla T4\nmig\nuuid MIG-a\nprocess\npid 7\n\
    gpu\nuuid GPU-b\nprocess\npid 8\nend\n";

fn uuid(file: &str) -> Vec<String> {
    Given::read(file.as_bytes()).unwrap().gpus().map(|gpu| gpu.text("uuid").unwrap().to_owned()).collect()
}

#[test]
fn a_section_has_its_own_facts_only() {
    let given = Given::read(WHOLE.as_bytes()).unwrap();
    assert_eq!(uuid(WHOLE), ["GPU-a", "GPU-b"]);
    assert_eq!((given.machine().text("driver"), given.machine().text("uuid")), (Some("570.1"), None));
    let gpus: Vec<_> = given.gpus().collect();
    assert_eq!((gpus[0].text("name"), gpus[1].text("name")), (Some("Tesla T4"), None));
    assert_eq!(gpus[0].sections("mig").map(|mig| mig.text("uuid")).collect::<Vec<_>>(), [Some("MIG-a")]);
    assert_eq!(gpus[1].sections("mig").count(), 0);
    let pids = |at: usize| gpus[at].sections("process").map(|p| p.id("pid").unwrap()).collect::<Vec<_>>();
    assert_eq!((pids(0), pids(1)), (vec![7], vec![8]));
}

#[test]
fn every_shorter_file_is_torn() {
    for length in 0..WHOLE.len() {
        assert_eq!(Given::read(&WHOLE.as_bytes()[..length]).unwrap_err(), Broken::Torn, "{length}");
    }
}

#[test]
fn another_version_is_refused() {
    let other = WHOLE.replacen("given 1", "given 2", 1);
    assert_eq!(Given::read(other.as_bytes()).unwrap_err(), Broken::Version);
    assert_eq!(Given::read(b"fake-nvidia given 1\nthe end\n").unwrap_err(), Broken::Torn);
    assert_eq!(uuid("fake-nvidia given 1\nend\n"), [""; 0]);
}

#[test]
fn values_follow_the_clock_and_nothing_else() {
    let at = |text: &str, now: u64| Value::read(text).map(|value| value.at("temperature.gpu", now));
    assert_eq!((at("37", 5), at("0x25", 5), at("-8", 5)), (Some(37_000), Some(37_000), Some(-8_000)));
    assert_eq!((at("41.25", 5), at("-0.5", 5), at("1.23456", 5)), (Some(41_250), Some(-500), Some(1_234)));
    for text in ["", "3 7", "N/A", "1.x", ".5", "--1", "+1", "99999999999999999999", "0x", "ramp:1..2", "ramp:1..2:0"] {
        assert_eq!(at(text, 5), None, "{text}");
    }
    let ramp = |now| at("ramp:10..20:10", now).unwrap();
    assert_eq!((ramp(0), ramp(5_000), ramp(9_999), ramp(10_000)), (10_000, 15_000, 19_000, 10_000));
    let once = |now| at("ramp:20..10:10@1000000", now).unwrap();
    assert_eq!((once(0), once(1_005_000), once(9_000_000)), (20_000, 15_000, 10_000));
    let noise = |now| at("noise:7..5:1", now).unwrap();
    let all: std::collections::BTreeSet<i64> = (0..100).map(|second| noise(second * 1000)).collect();
    assert_eq!(all, [5_000, 6_000, 7_000].into());
    assert_eq!(noise(1_000), noise(1_999));
    assert_ne!(at("noise:0..1000000:1", 0), at("noise:0..1000000:2", 0));
}

#[test]
fn a_value_steps_at_a_call_and_so_does_whatever_reads_it() {
    let file =
        "fake-nvidia given 1\ngpu\nlost call:false..true:3\nxid call:0..call:31..79:9:3\nmig\nsm call:1..2:2\nend\n";
    let gpu = |call| Given::read(file.as_bytes()).unwrap().at_call(call).gpus().next().unwrap();
    let told = |call| (gpu(call).text("lost").unwrap(), gpu(call).id("xid").unwrap());
    assert_eq!((told(1), told(3), told(9)), (("false", 0), ("true", 31), ("true", 79)));
    let part = |call| gpu(call).sections("mig").next().unwrap().id("sm");
    assert_eq!((part(1), part(2), part(u64::MAX)), (Some(1), Some(2), Some(2)));
    for text in ["", "call", "call:", "call:1..2", "call:1..2:", "call:1..2:-1", "call:..", "xcall:1..2:3"] {
        assert_eq!(at_call(text, 5), text);
    }
    assert_eq!((at_call("call:..:1", 0), at_call("call:a..ramp:1..2:3:4", 4)), ("", "ramp:1..2:3"));
}

#[test]
fn a_tail_says_where_its_file_begins() {
    let last = format!("{:016x} fake-nvidia tail\n", 100);
    assert_eq!(last.len(), TAIL_LENGTH);
    assert_eq!(tail(1000, last.as_bytes()), Some((1000 - last.len() as u64 - 100, 100)));
    assert_eq!(tail(100, last.as_bytes()), None);
    assert_eq!(tail(1 << 40, format!("{:016x} fake-nvidia tail\n", u64::MAX).as_bytes()), None);
}

#[test]
fn pieces_are_those_of_split() {
    for text in ["", "a", "a,b", ",a,,b,", "ä,ö"] {
        assert_eq!(at_last(text, b','), text.rsplit_once(','));
        assert_eq!(pieces(text, ',').collect::<Vec<_>>(), text.split(',').collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, now: u64) {
        if let Ok(given) = Given::read(&bytes) {
            given.gpus().for_each(|gpu| assert!(gpu.thousandths("uuid", now) < Some(i64::MAX)));
        }
        let _ = tail(now, &bytes);
    }

    #[test]
    fn no_body_panics(body in "(gpu\n|mig\n|[a-z]{1,3} (call:[0-9]{0,2}..)?((ramp|noise|call):)?[0-9]{0,22}(..[0-9]{0,22}:[0-9]{0,22}(@[0-9]{0,22})?)?\n){0,9}", now: u64, call: u64) {
        let file = format!("fake-nvidia given 1\n{body}end\n");
        for gpu in Given::read(file.as_bytes()).unwrap().at_call(call).gpus() {
            gpu.facts().for_each(|(key, _)| assert!(gpu.thousandths(key, now) < Some(i64::MAX)));
            let _ = gpu.sections("mig").count();
        }
    }
}
