//! The known name that was probably meant.

/// The known name that is reached with the fewest edits, if they are few enough to be a slip.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (edits(&name.to_lowercase(), candidate), *candidate))
        .filter(|(edits, candidate)| *edits <= (candidate.len() / 3).max(1) && *edits < candidate.len())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Letters to put in, take out or change, and neighbours to swap, to make one text of the other (Damerau and Levenshtein).
pub fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                let two_before: &Vec<usize> = &before;
                least = least.min(two_before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distances() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("baud", "baud"), 0);
        assert_eq!((edits("hodl", "hold"), edits("", ""), edits("ab", "")), (1, 0, 2));
        assert_eq!(nearest("prak", &["hold", "park"]), Some("park"));
    }
}
