//! Which words are one another with a typing error.

/// Letters that a word has in which a typing error can be told from another word.
const LETTERS: usize = 5;

/// Whether two words differ by one letter that is another, missing, too much, or in the place of its neighbour.
#[must_use]
pub fn is_typing_error(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().min(b.len()) < LETTERS || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = |of: &[char], from: usize| of.get(from..).map(<[char]>::to_vec);
    let (next, after) = (same.saturating_add(1), same.saturating_add(2));
    rest(&a, next) == rest(&b, next)
        || rest(&a, next) == rest(&b, same)
        || rest(&a, same) == rest(&b, next)
        || a.get(same) == b.get(next) && a.get(next) == b.get(same) && rest(&a, after) == rest(&b, after)
}
