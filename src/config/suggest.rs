//! Which name was meant.
//!
//! In: a name that no option has. Out: the option's name that is nearest, when one is near enough to be a
//! slip of the fingers. Promised: the work is bounded by the length of the longest option name.

use super::option::{self, Applies};

/// Longest name that is compared, in bytes; option names have at most 68.
const LONGEST: usize = 100;

/// The option that a wrong name is most like: at most two letters off, or one in five of a long name.
pub(super) fn closest(wrong: &str, place: Applies) -> Option<&'static str> {
    let options = option::all().filter(|option| option.applies.meets(place) && !option.is_family());
    among(wrong, options.map(|option| option.name))
}

/// The name that a wrong one is most like.
pub(super) fn among<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, name)| *distance <= near(name))
        .min()
        .map(|(_, name)| name)
}

/// Whether one name is a likely slip for the other.
pub(super) fn alike(wrong: &str, name: &str) -> bool {
    distance(wrong, name) <= near(name)
}

fn near(name: &str) -> usize {
    (name.len() / 8).clamp(1, 3)
}

/// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut two_back: Vec<usize> = Vec::new();
    let mut back: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut least = at(&back, j) + usize::from(from != to);
            least = least.min(at(&back, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                least = least.min(at(&two_back, j - 1) + 1);
            }
            row.push(least);
        }
        two_back = std::mem::replace(&mut back, row);
    }
    back.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_names_left_alone() {
        let check = |wrong: &str, expected: Option<&str>| {
            assert_eq!(closest(wrong, Applies::MYSQL), expected, "{wrong}");
        };
        check("database.hostnam", Some("database.hostname"));
        check("databse.hostname", Some("database.hostname"));
        check("tabel.include.list", Some("table.include.list"));
        check("table.include.lists", Some("table.include.list"));
        check("decimal.handling.mod", Some("decimal.handling.mode"));
        check("snapshot.mode.", Some("snapshot.mode"));
        check("completely.other", None);
        check("nam", Some("name"));
    }

    #[test]
    fn distances() {
        let check = |a: &str, b: &str, expected: usize| assert_eq!(distance(a, b), expected, "{a} {b}");
        check("", "", 0);
        check("a", "", 1);
        check("abc", "acb", 1);
        check("kitten", "sitting", 3);
        check("ABC", "abc", 0);
    }
}
