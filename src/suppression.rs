//! The hashes by which suppressed people are found: HMAC-SHA-256 with a key, over the SHA-256 of a name.
//!
//! The inner hash is the one that other programs export, so a list of hashes can be imported. The outer one has a key,
//! because a plain hash of a number can be found out by trying all numbers of a country. What an entry forbids is in
//! `domain::suppression`, and how it is stored in `store`.

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::domain::{Name, Person, Phone, spelling};

/// The hash of a name in an entry.
pub type NameHash = [u8; 32];

/// Hashes names with one key. Cheap to clone.
#[derive(Clone)]
pub struct NameHasher {
    keyed: Hmac<Sha256>,
    mark: [u8; 8],
}

impl fmt::Debug for NameHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameHasher(***)")
    }
}

impl NameHasher {
    /// `key` is of any length; 32 random bytes are a good one.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let keyed = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        let whole = keyed.clone().chain_update(b"mark").finalize().into_bytes();
        let mut mark = [0; 8];
        mark.copy_from_slice(&whole[..8]);
        Self { keyed, mark }
    }

    /// A key for hashes, made of another secret key.
    #[must_use]
    pub fn derived(secret: &[u8; 32]) -> Self {
        let keyed = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        Self::new(&keyed.chain_update(b"suppression").finalize().into_bytes())
    }

    /// Identifies the key, without telling it.
    #[must_use]
    pub const fn mark(&self) -> [u8; 8] {
        self.mark
    }

    /// The hash of an entry whose name is known by its SHA-256 only: that of the number in E.164, with or without its
    /// plus.
    #[must_use]
    pub fn of_digest(&self, sha256: &[u8; 32]) -> NameHash {
        self.keyed.clone().chain_update(sha256).finalize().into_bytes().into()
    }

    /// The hash of an entry for this name.
    #[must_use]
    pub fn of_name(&self, name: &Name) -> NameHash {
        self.of_digest(&digest(name))
    }

    /// Every hash by which an entry for the person may be stored: of each number in each spelling, also those that only
    /// may be the same person's, with and without a plus, and of each user id. `told` is another number of the person.
    #[must_use]
    pub fn of_person(&self, person: &Person, told: Option<Phone>) -> BTreeSet<NameHash> {
        let mut hashes: BTreeSet<NameHash> = BTreeSet::new();
        for number in every_spelling(person.numbers().into_iter().chain(told)) {
            hashes.extend(self.with_and_without_plus(number));
        }
        let users = person.names.iter().filter(|name| name.number().is_none());
        hashes.extend(users.map(|user| self.of_name(user)));
        hashes
    }
}

impl NameHasher {
    /// The hashes of the number in every certain spelling, with and without its plus.
    #[must_use]
    pub fn of_number(&self, number: Phone) -> Vec<NameHash> {
        let mut numbers = spelling::spellings(number);
        if !numbers.contains(&number) {
            numbers.push(number);
        }
        numbers.into_iter().flat_map(|number| self.with_and_without_plus(number)).collect()
    }

    /// The hashes of a number that is not the person's of a tenant's reference, in every certain spelling.
    #[must_use]
    pub fn of_wrong_number(&self, tenant: &str, reference: &str, number: Phone) -> BTreeSet<NameHash> {
        let hash = |number: Phone| {
            let text = format!("wrong\n{tenant}\n{reference}\n{}", number.e164());
            self.of_digest(&Sha256::digest(text).into())
        };
        spelling::spellings(number).into_iter().chain([number]).map(hash).collect()
    }

    fn with_and_without_plus(&self, number: Phone) -> [NameHash; 2] {
        let text = number.e164();
        [text.as_str(), text.trim_start_matches('+')].map(|text| self.of_digest(&Sha256::digest(text).into()))
    }
}

/// Every spelling of these numbers, and of those that may be the same person's.
#[must_use]
pub fn every_spelling(numbers: impl IntoIterator<Item = Phone>) -> BTreeSet<Phone> {
    let mut all = BTreeSet::new();
    for number in numbers {
        all.insert(number);
        all.extend(spelling::spellings(number));
        all.extend(spelling::possibly(number).into_iter().flat_map(spelling::spellings));
    }
    all
}

/// The SHA-256 of a number in E.164 with its plus, or of a user id with its portfolio.
fn digest(name: &Name) -> [u8; 32] {
    match name {
        Name::Number(number) => Sha256::digest(number.e164()).into(),
        Name::User { portfolio, id } => Sha256::digest(format!("wa:{portfolio}:{}", id.as_str())).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PersonId;

    fn number(text: &str) -> Phone {
        Phone::told(text).unwrap()
    }

    fn person(text: &str) -> Person {
        Person::unknown(PersonId::of(number(text)))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Computed with another implementation: `printf %s +5511987654321 | openssl dgst -sha256 -binary | openssl dgst
    /// -sha256 -hmac key`.
    #[test]
    fn an_entry_is_the_keyed_hash_of_the_hash_of_the_number_in_e164() {
        let hash = NameHasher::new(b"key").of_name(&Name::Number(number("+5511987654321")));
        assert_eq!(hex(&hash), "96d11c0c7f355ad8a6f5aee2bdfb1cb180e72a0ad8f2963dc0526f207e2fee73");
    }

    #[test]
    fn another_key_gives_other_hashes_and_another_mark() {
        let (one, two) = (NameHasher::new(b"one"), NameHasher::new(b"two"));
        let name = Name::Number(number("+5511987654321"));
        assert_ne!(one.of_name(&name), two.of_name(&name));
        assert_ne!(one.mark(), two.mark());
        assert_eq!(one.mark(), NameHasher::new(b"one").mark());
        assert_ne!(NameHasher::derived(&[1; 32]).mark(), NameHasher::new(&[1; 32]).mark());
        assert_eq!(format!("{one:?}"), "NameHasher(***)");
    }

    #[test]
    fn a_person_is_found_by_every_spelling_with_and_without_a_plus_and_by_the_user_id() {
        let hasher = NameHasher::new(b"key");
        let mut mexican = person("+525555500142");
        let user = Name::User { portfolio: "default".into(), id: "MX.1".parse().unwrap() };
        mexican.names.insert(user.clone());
        let hashes = hasher.of_person(&mexican, None);
        for text in ["+525555500142", "+5215555500142"] {
            assert!(hashes.contains(&hasher.of_name(&Name::Number(number(text)))), "{text}");
            let bare: [u8; 32] = Sha256::digest(&text[1..]).into();
            assert!(hashes.contains(&hasher.of_digest(&bare)), "{text} without its plus");
        }
        assert!(hashes.contains(&hasher.of_name(&user)));
        let elsewhere = Name::User { portfolio: "other".into(), id: "MX.1".parse().unwrap() };
        assert!(!hashes.contains(&hasher.of_name(&elsewhere)), "an id is of one portfolio");
        assert!(!hashes.contains(&hasher.of_name(&Name::Number(number("+525555500143")))));
    }

    #[test]
    fn a_number_that_may_be_the_same_persons_is_checked_too() {
        let hasher = NameHasher::new(b"key");
        let told = number("+2250112345678");
        let hashes = hasher.of_person(&person("+2250112345678"), Some(told));
        let old = Name::Number(Phone::from_stored(22_512_345_678));
        assert!(hashes.contains(&hasher.of_name(&old)), "an Ivorian number before 2021");
    }
}
