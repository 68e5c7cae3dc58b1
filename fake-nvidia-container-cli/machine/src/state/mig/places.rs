//! Where the instances of a GPU go: the place and the number that the driver gives to a new one, and how many more fit.
//!
//! Must not know drivers' versions, nor compute instances.

use super::{Family, Instance, Order, Profile};

impl Family {
    /// How many memory slices the GPU has.
    fn slots(&self) -> u32 {
        self.profiles.iter().map(|profile| profile.size).max().unwrap_or(8)
    }

    /// The number of an instance by its start and size: the GPU is halved repeatedly, and the halves are numbered.
    fn number(&self, start: u32, size: u32) -> u32 {
        let halves = self.slots() / size.max(1);
        let place = start / size.max(1);
        let first = halves.saturating_sub(1);
        match self.order {
            Order::Lower => first + place,
            Order::Upper => first + (place ^ (halves / 2)),
        }
    }

    /// Whether the smallest profile leaves the last slice unused.
    fn leaves_the_last(&self) -> bool {
        let smallest = self.profiles.iter().min_by_key(|profile| profile.size);
        smallest.is_some_and(|profile| !profile.starts.contains(&(self.slots() - profile.size)))
    }

    /// The number and the start that a new instance would get: the first free place in the order of the numbers. If
    /// none of the smallest instances can begin in the last slice, a half of the GPU goes to the end, to leave them
    /// room.
    #[must_use]
    pub fn room(&self, profile: &Profile, there: &[Instance]) -> Option<(u32, u32)> {
        let free = |start: &&u32| is_free(**start, profile.size, there);
        let taken = |gi: u32| there.iter().any(|i| i.gi == gi);
        let single = profile.is_single() && there.iter().any(|i| i.profile.contains("+me"));
        let mut places: Vec<(u32, u32)> =
            profile.starts.iter().filter(free).map(|s| (self.number(*s, profile.size), *s)).collect();
        let from_the_end = profile.size * 2 == self.slots() && self.leaves_the_last();
        places.sort_unstable_by_key(|(gi, start)| if from_the_end { self.slots() - start } else { *gi });
        let (gi, start) = places.into_iter().next().filter(|_| !single)?;
        let gi = if taken(gi) { (0..).find(|gi| !taken(*gi))? } else { gi };
        Some((gi, start))
    }

    /// The number that a new instance would get, in this place or in the driver's choice of it; none if it has no room.
    pub fn next(&self, profile: &Profile, start: Option<u32>, there: &[Instance]) -> Option<u32> {
        let Some(start) = start else { return self.room(profile, there).map(|(gi, _)| gi) };
        let gi = self.number(start, profile.size);
        there.iter().all(|other| other.gi != gi).then_some(gi)
    }

    /// How many more of a profile would fit.
    #[must_use]
    pub fn free(&self, profile: &Profile, there: &[Instance]) -> u32 {
        let mut there = there.to_vec();
        let mut count = 0;
        while let Some((gi, start)) = self.room(profile, &there).filter(|_| count < profile.total) {
            let name = profile.name.clone();
            there.push(Instance { gi, profile: name, start, size: profile.size, computes: Vec::new() });
            count += 1;
        }
        count
    }

    /// Where an instance begins if a topology states only its number: where the driver would give it that number, or
    /// where there is room.
    pub(super) fn start(&self, gi: u32, profile: &Profile, there: &[Instance]) -> u32 {
        let numbered = |start: &&u32| self.number(**start, profile.size) == gi && is_free(**start, profile.size, there);
        let free = || self.room(profile, there).map(|(_, start)| start);
        profile.starts.iter().find(numbered).copied().or_else(free).unwrap_or_default()
    }
}

/// Whether `size` memory slices are free from `start` on.
fn is_free(start: u32, size: u32, there: &[Instance]) -> bool {
    there.iter().all(|other| start + size <= other.start || other.start + other.size <= start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::mig::{family, instances};
    use crate::topology::{self, Syntax};

    fn split(model: &str, parts: &str) -> (&'static Family, Vec<Instance>) {
        let text = format!("[[gpus]]\nmodel = \"{model}\"\nmig = [{parts}]\n");
        let machine = topology::parse(&text, Syntax::Toml, "x", "x").unwrap();
        (family(&machine.gpus[0]).unwrap().unwrap(), instances(&machine.gpus[0]).unwrap())
    }

    #[test]
    fn instances_get_the_numbers_that_drivers_gave() {
        let (family, _) = split("A100", "");
        let mut there = Vec::new();
        let mut make = |name: &str| {
            let profile = family.named(name).unwrap();
            let (gi, start) = family.room(profile, &there).unwrap();
            there.push(Instance { gi, profile: name.to_owned(), start, size: profile.size, computes: Vec::new() });
            (gi, start)
        };
        let made = ["3g.20gb", "1g.5gb", "2g.10gb", "1g.5gb"].map(&mut make);
        assert_eq!(made, [(1, 4), (11, 0), (6, 2), (12, 1)]);
        let left = ["1g.5gb", "3g.20gb", "7g.40gb"].map(|name| family.free(family.named(name).unwrap(), &there));
        assert_eq!(left, [0, 0, 0]);
    }

    #[test]
    fn an_empty_gpu_has_room_for_as_many_as_its_profiles_say() {
        for model in ["A100", "A100-80GB", "H100", "H200", "B200", "GB200"] {
            let (family, _) = split(model, "");
            for profile in &family.profiles {
                assert_eq!(family.free(profile, &[]), profile.total, "{model} {}", profile.name);
            }
        }
    }

    #[test]
    fn parts_of_a_topology_do_not_overlap() {
        let (_, all) = split("H100", "{ profile = \"3g.40gb\", gi = 2 }, \"2g.20gb\", \"1g.10gb\", \"1g.10gb\"");
        for (at, one) in all.iter().enumerate() {
            assert!(is_free(one.start, one.size, &[&all[..at], &all[at + 1..]].concat()), "{all:?}");
        }
        let (_, all) =
            split("A100", "{ profile = \"1c.3g.20gb\", gi = 1 }, { profile = \"2c.3g.20gb\", gi = 1, ci = 1 }");
        assert_eq!((all.len(), all[0].computes.len(), all[0].start), (1, 2, 4));
    }

    /// As an H100 and an A100 number what they are told to create, and where; no built-in machine is split otherwise.
    #[test]
    fn parts_without_numbers_get_those_of_the_driver_and_none_overlaps() {
        let places = |all: &[Instance]| all.iter().map(|i| (i.gi, i.start)).collect::<Vec<_>>();
        let (_, all) = split("H100", "\"3g.40gb\", \"2g.20gb\", \"1g.10gb\", \"1g.10gb\"");
        assert_eq!(places(&all), [(2, 4), (3, 0), (9, 2), (10, 3)]);
        let (_, all) = split("H100", "\"3g.40gb\", \"3g.40gb\"");
        assert_eq!(places(&all), [(2, 4), (1, 0)]);
        let (_, all) = split("A100", "\"3g.20gb\", \"3g.20gb\"");
        assert_eq!(places(&all), [(1, 4), (2, 0)]);
        let (_, all) = split("H100", "{ profile = \"3g.40gb\", start = 0 }, \"3g.40gb\"");
        assert_eq!(places(&all), [(1, 0), (2, 4)]);
        let mut split_gpus = 0;
        for (name, _) in crate::topology::builtin::ALL {
            let machine = topology::load(Some(name)).unwrap();
            for gpu in machine.gpus.iter().filter(|gpu| !gpu.mig.is_empty()) {
                let all = instances(gpu).unwrap();
                let family = family(gpu).unwrap().unwrap();
                split_gpus += 1;
                for (at, one) in all.iter().enumerate() {
                    let others = [&all[..at], &all[at + 1..]].concat();
                    assert!(is_free(one.start, one.size, &others), "{name}: {all:?}");
                    assert!(family.named(&one.profile).unwrap().starts.contains(&one.start), "{name}: {one:?}");
                }
            }
        }
        assert_eq!(split_gpus, 4);
    }
}
