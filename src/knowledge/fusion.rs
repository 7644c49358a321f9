//! Two rankings as one, and how sure a find is.
//!
//! Ranks are fused by reciprocal rank (Cormack et al. 2009): what both searches find goes before what one finds, and no scale
//! of theirs matters. How sure a find is does not depend on its rank, nor on what else was found: it is told by the angle
//! between question and passage, or by how many of the question's words the passage has.

use std::collections::BTreeMap;

/// The finds of all rankings, the best first; of equals the lower one.
pub(super) fn fused<T: Ord + Copy>(rankings: &[Vec<T>]) -> Vec<T> {
    let mut sums: BTreeMap<T, f64> = BTreeMap::new();
    for ranking in rankings {
        for (rank, find) in (1_u32..).zip(ranking) {
            *sums.entry(*find).or_default() += 1.0 / (DAMPING + f64::from(rank));
        }
    }
    let mut finds: Vec<_> = sums.into_iter().collect();
    finds.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    finds.into_iter().map(|(find, _)| find).collect()
}

/// How sure a find is, 0 to 100, by the cosine between question and passage, where that is known, and by the share of the
/// question's words that the passage has, 0 to 1, each by its weight.
pub(super) fn score(cosine: Option<f32>, share: f32) -> f32 {
    let meant = cosine.map_or(0.0, |cosine| 100.0 / (1.0 + (-(cosine - LIKELY) * STEEPNESS).exp()));
    meant.max(WORDS * share * share)
}

/// The usual constant: what is first in one ranking and absent in the other ties with what is about 60th in both.
const DAMPING: f64 = 60.0;

/// The cosine at which a passage is as likely to answer as not, and how soon it becomes sure beyond. With all-MiniLM-L6-v2 and
/// the questions of the tests the passage that answers is at 0.48, the best of another document at 0.36, one in a hundred of
/// all others above that.
const LIKELY: f32 = 0.38;
const STEEPNESS: f32 = 12.0;

/// The score of a passage that has all words of a question, whatever it means.
const WORDS: f32 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_find_goes_first_and_nothing_is_lost() {
        assert_eq!(fused(&[vec!['a', 'b', 'c'], vec!['d', 'b', 'a']]), ['a', 'b', 'd', 'c']);
        assert_eq!(fused(&[vec!['a'], vec![]]), ['a']);
        assert!(fused::<char>(&[]).is_empty());
    }

    #[test]
    fn a_score_grows_with_nearness_and_with_words() {
        let scores: Vec<_> = [-1.0, 0.0, 0.2, 0.38, 0.5, 0.7, 1.0].map(|cosine| score(Some(cosine), 0.0)).into();
        assert!(scores.is_sorted() && scores[1] < 5.0 && scores[6] > 99.0, "{scores:?}");
        assert_eq!(
            (score(None, 0.0), score(None, 0.5), score(None, 1.0), score(Some(0.0), 1.0)),
            (0.0, 15.0, 60.0, 60.0)
        );
        assert!((score(Some(0.38), 0.0) - 50.0).abs() < 0.01);
    }
}
