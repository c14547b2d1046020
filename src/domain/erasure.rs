//! What stands for somebody who was taken out: a number that nothing of them goes into.

/// What the pseudonym of that number is: `erased-17`.
#[must_use]
pub fn pseudonym(number: i64) -> String {
    format!("erased-{number}")
}

/// Whether a name is of the form of a pseudonym; no file may bring one.
#[must_use]
pub fn is_pseudonym(name: &str) -> bool {
    let Some(numbers) = name.strip_prefix("erased-") else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match numbers.split_once('.') {
        Some((number, nth)) => is_number(number) && is_number(nth),
        None => is_number(numbers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_known_by_its_form() {
        assert!(is_pseudonym(&pseudonym(17)) && is_pseudonym("erased-17.2"));
        for other in ["erased-", "erased-x", "erased-1.", "erased-.1", "erased-1@a.example", "ERASED-1", "1"]
        {
            assert!(!is_pseudonym(other), "{other}");
        }
    }
}
