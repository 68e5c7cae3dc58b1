//! The device selection on any list: it never panics, returns each device once, and finds every device by all its
//! names.

use nvidia_simulated_machine::select::{all_or_nothing, channels, devices};
use nvidia_simulated_machine::topology::{Topology, load};
use proptest::prelude::*;

fn machine() -> Topology {
    load(Some("a100-mig")).unwrap()
}

fn list() -> impl Strategy<Value = String> {
    let machine = machine();
    let gpu = &machine.gpus[1];
    let names = vec![
        "0".to_owned(),
        "+1".to_owned(),
        " 2".to_owned(),
        "003".to_owned(),
        "all".to_owned(),
        gpu.uuid.to_uppercase(),
        gpu.busid.clone(),
        gpu.mig[0].uuid.clone(),
        "0:1".to_owned(),
        "1:1junk".to_owned(),
        String::new(),
    ];
    prop::collection::vec(prop::sample::select(names), 0..8).prop_map(|items| items.join(","))
}

proptest! {
    #[test]
    fn no_list_panics(list: String) {
        let machine = machine();
        let _ = (devices(&list, &machine.gpus), all_or_nothing(&list), channels(&list));
    }

    #[test]
    fn each_device_is_given_once_and_parts_come_with_their_gpu(list in list()) {
        let machine = machine();
        let got = devices(&list, &machine.gpus).unwrap();
        for (at, gpu) in got.gpus.iter().enumerate() {
            prop_assert!(!got.gpus[at + 1..].contains(gpu));
        }
        for (at, part) in got.migs.iter().enumerate() {
            prop_assert!(!got.migs[at + 1..].contains(part));
            prop_assert!(got.gpus.contains(&part.0));
        }
        prop_assert_eq!(got.all, list.split(',').any(|item| item == "all"));
    }

    #[test]
    fn saying_a_list_twice_changes_nothing(list in list()) {
        let machine = machine();
        let twice = format!("{list},{list}");
        prop_assert_eq!(devices(&list, &machine.gpus), devices(&twice, &machine.gpus));
    }

    #[test]
    fn every_channel_in_range_is_taken(channel in 0_u32..1 << 20) {
        let word = channel.to_string();
        prop_assert_eq!(channels(&word), Ok(vec![channel]));
    }
}

#[test]
fn every_device_answers_to_all_its_names() {
    let machine = machine();
    for (at, gpu) in machine.gpus.iter().enumerate() {
        let (domain, rest) = gpu.busid.split_once(':').unwrap();
        let short = format!("{:x}:{rest}", u32::from_str_radix(domain, 16).unwrap());
        let names = [at.to_string(), gpu.uuid.clone(), gpu.uuid.to_lowercase(), gpu.busid.to_uppercase(), short];
        for name in names {
            assert_eq!(devices(&name, &machine.gpus).unwrap().gpus, [at], "{name}");
        }
        for (part, mig) in gpu.mig.iter().enumerate() {
            for name in [format!("{at}:{part}"), mig.uuid.clone(), mig.uuid.to_uppercase()] {
                assert_eq!(devices(&name, &machine.gpus).unwrap().migs, [(at, part)], "{name}");
            }
        }
    }
}

#[test]
fn a_bus_is_read_as_scanf_reads_it() {
    let machine = machine();
    assert_eq!(machine.gpus[1].busid, "00000000:13:00.0");
    for name in [
        "0:13:0",
        "0000:13:00.0",
        "0:13:00.7",
        "0:13:0zzz",
        "0:13:001",
        " 0:13:00",
        "0x0:13:0",
        "+0: 13:0",
        "0:13:0x0",
        "0:13:0x1",
        "100000000:13:0",
        "-0:13:0",
    ] {
        assert_eq!(devices(name, &machine.gpus).unwrap().gpus, [1], "{name}");
    }
    for name in ["0:013:0", "-1:13:0", "fffffffffffffffff:13:0", "1:13:0", "0:13", "0:13:", ":13:0", "13:0", "0:13:1"] {
        assert!(devices(name, &machine.gpus).is_err(), "{name}");
    }
}

#[test]
fn of_negative_places_only_zero_names_a_part() {
    let machine = machine();
    assert_eq!(devices("-0:1", &machine.gpus).unwrap().migs, [(0, 1)]);
    assert_eq!(devices("0:-0", &machine.gpus).unwrap().migs, [(0, 0)]);
    for name in ["-1:1", "1:-1"] {
        assert_eq!(devices(name, &machine.gpus), Err(name));
    }
}

#[test]
fn the_first_unknown_item_is_named() {
    let machine = machine();
    for (list, item) in
        [("x,y", "x"), ("0,void", "void"), ("4", "4"), ("0x1", "0x1"), ("1 ", "1 "), ("0:7", "0:7"), ("GPU-1", "GPU-1")]
    {
        assert_eq!(devices(list, &machine.gpus), Err(item));
    }
    assert_eq!(devices("all,junk", &machine.gpus).unwrap().migs.len(), 11);
    for (list, item) in [("-1", "-1"), ("0,1048576", "1048576"), ("all", "all"), ("0x1", "0x1")] {
        assert_eq!(channels(list), Err(item));
    }
    assert_eq!(all_or_nothing("ALL,zz"), Ok(true));
    assert_eq!(all_or_nothing(",0"), Err("0"));
    assert_eq!(all_or_nothing(",,"), Ok(false));
}
