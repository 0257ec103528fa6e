//! The spellings under which WhatsApp and people know one number, as dated data.
//!
//! Some countries changed their numbers after people had registered them at WhatsApp, so one person is told in
//! several spellings. A rule rewrites another spelling into the *key*, by which numbers are compared. A key is
//! never dialled because of a rule: what is dialled is what was ordered.

use std::sync::LazyLock;

use super::Phone;

/// The date of the table; a new rule changes nothing that is stored.
pub const AS_OF: &str = "2026-11-27";

/// Whether a rule proves that two spellings are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Nobody else can have the other spelling: a grant and a refusal pass.
    Certain,
    /// It may be another person: only a refusal applies.
    Possible,
}

/// One national rule, over all digits of the number with its calling code.
#[derive(Debug)]
pub struct Rule {
    pub id: &'static str,
    /// The other spelling: `d` is any digit, `[...]` one of these, anything else itself.
    other: &'static str,
    /// What makes the key of it, in order of position.
    edits: &'static [Edit],
    pub certainty: Certainty,
    /// When the country changed, and who says so.
    pub source: &'static str,
    /// Another spelling with its key; and a number that is like it and must not be touched.
    pub applies_to: (&'static str, &'static str),
    pub not_to: &'static str,
}

/// Digits of the other spelling that are replaced in the key.
#[derive(Debug)]
struct Edit {
    /// Where the digits begin in the other spelling.
    at: usize,
    drop: &'static str,
    insert: &'static str,
}

const fn edit(at: usize, drop: &'static str, insert: &'static str) -> Edit {
    Edit { at, drop, insert }
}

const BRAZIL: &str = "Anatel, ninth digit by area code, 2012 to 2016";
const MEXICO: &str = "IFT numbering plan, 3 Aug 2019; old form until 3 Aug 2020";
const ARGENTINA: &str =
    "WhatsApp FAQ, international phone number format; Signal's number equivalences (2026)";
const BENIN: &str = "30 Nov 2024; Signal's BeninAlternateFormGenerator (2026)";
const GAMBIA: &str = "4 Sep 2026, both forms until 30 Nov 2026; Signal's GambiaAlternateFormGenerator (2026)";
const IVORY_COAST: &str = "31 Jan 2021, 8 digits off on 31 Mar 2021; the table of operators is unsure";
const GABON: &str = "15 Nov 2019; old form off on 6 Apr 2024";
const CAMEROON: &str = "21 Nov 2014";
const VIETNAM: &str = "15 Sep 2018; libphonenumber, migrator/recipes.csv; old form silent after 30 Jun 2019";
const PALESTINE: &str = "libphonenumber issue 1134; +972 59 is no Israeli number";
const PALESTINE_56: &str = "libphonenumber lists +972 56 as Israeli too";
const KOSOVO: &str = "+383 since 2016 to 2018; +377 44 and +386 43 are numbers of others today";
const ECUADOR: &str = "2012, from memory; the 8-digit form is invalid in libphonenumber 9.0.43";
const MAURITIUS: &str = "2013, from memory";
const SINT_MAARTEN: &str = "2011, from memory; +599 5 is invalid in libphonenumber 9.0.43";

macro_rules! rules {
    ($($certainty:ident $id:literal $other:literal [$($at:literal $drop:literal => $insert:literal),+] $source:ident,
        $told:literal => $key:literal, not $not:literal;)+) => {
        /// Every rule. No number meets two certain ones, and a key meets none.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id,
            other: $other,
            edits: &[$(edit($at, $drop, $insert)),+],
            certainty: Certainty::$certainty,
            source: $source,
            applies_to: ($told, $key),
            not_to: $not,
        }),+];
    };
}

rules! {
    // The ninth digit of Brazilian mobiles. A landline (2 to 5) has none, and new mobiles never had eight digits.
    Certain "BR-9" "55dd[689]ddddddd" [4 "" => "9"] BRAZIL, "553187650144" => "5531987650144", not "553133330144";
    Possible "BR-97" "55dd7ddddddd" [4 "" => "9"] BRAZIL, "553177650144" => "5531977650144", not "553147650144";
    Certain "MX-1" "521[23456789]ddddddddd" [2 "1" => ""] MEXICO, "5215555500142" => "525555500142", not "5211555500142";
    Certain "AR-9" "54[123]ddddddddd" [2 "" => "9"] ARGENTINA, "541155500142" => "5491155500142", not "544155500142";
    Certain "AR-15" "541115dddddddd" [2 "" => "9", 4 "15" => ""] ARGENTINA, "54111555500142" => "5491155500142", not "54111655500142";
    Certain "AR-15" "54[23]dd15ddddddd" [2 "" => "9", 5 "15" => ""] ARGENTINA, "54223155500142" => "5492235500142", not "54223165500142";
    Certain "AR-15" "54[23]ddd15dddddd" [2 "" => "9", 6 "15" => ""] ARGENTINA, "54223415500142" => "5492234500142", not "54223416500142";
    Certain "BJ-01" "229dddddddd" [3 "" => "01"] BENIN, "22991234567" => "2290191234567", not "2290191234567";
    Certain "GM-83" "2203dddddd" [3 "" => "83"] GAMBIA, "2203012345" => "220833012345", not "2208012345";
    Certain "GM-83" "2205[012345789]ddddd" [3 "" => "83"] GAMBIA, "2205012345" => "220835012345", not "2205612345";
    Certain "GM-86" "2206dddddd" [3 "" => "86"] GAMBIA, "2206012345" => "220866012345", not "2201012345";
    Certain "GM-86" "2208[4567]ddddd" [3 "" => "86"] GAMBIA, "2208412345" => "220868412345", not "2208312345";
    Certain "GM-87" "220[27]dddddd" [3 "" => "87"] GAMBIA, "2207012345" => "220877012345", not "2200012345";
    Certain "GM-87" "2204[015]ddddd" [3 "" => "87"] GAMBIA, "2204012345" => "220874012345", not "2204212345";
    Possible "GM-89" "2209dddddd" [3 "" => "89"] GAMBIA, "2209012345" => "220899012345", not "2201012345";
    Possible "CI-01" "225dddddddd" [3 "" => "01"] IVORY_COAST, "22512345678" => "2250112345678", not "2252712345678";
    Possible "CI-05" "225dddddddd" [3 "" => "05"] IVORY_COAST, "22512345678" => "2250512345678", not "2252712345678";
    Possible "CI-07" "225dddddddd" [3 "" => "07"] IVORY_COAST, "22512345678" => "2250712345678", not "2252712345678";
    Certain "GA-2" "2412dddddd" [3 "2" => "62"] GABON, "2412123456" => "24162123456", not "2413123456";
    Certain "GA-02" "24102dddddd" [3 "02" => "62"] GABON, "24102123456" => "24162123456", not "24103123456";
    Certain "GA-5" "2415dddddd" [3 "5" => "65"] GABON, "2415123456" => "24165123456", not "2418123456";
    Certain "GA-05" "24105dddddd" [3 "05" => "65"] GABON, "24105123456" => "24165123456", not "24108123456";
    Certain "GA-6" "2416dddddd" [3 "6" => "66"] GABON, "2416123456" => "24166123456", not "2419123456";
    Certain "GA-06" "24106dddddd" [3 "06" => "66"] GABON, "24106123456" => "24166123456", not "24109123456";
    Certain "GA-4" "2414dddddd" [3 "4" => "74"] GABON, "2414123456" => "24174123456", not "2413123456";
    Certain "GA-04" "24104dddddd" [3 "04" => "74"] GABON, "24104123456" => "24174123456", not "24103123456";
    Certain "GA-7" "2417dddddd" [3 "7" => "77"] GABON, "2417123456" => "24177123456", not "2418123456";
    Certain "GA-07" "24107dddddd" [3 "07" => "77"] GABON, "24107123456" => "24177123456", not "24108123456";
    Certain "GA-1" "2411dddddd" [3 "1" => "11"] GABON, "2411123456" => "24111123456", not "2413123456";
    Certain "GA-01" "24101dddddd" [3 "01" => "11"] GABON, "24101123456" => "24111123456", not "24103123456";
    Certain "CM-6" "237[56789]ddddddd" [3 "" => "6"] CAMEROON, "23777123456" => "237677123456", not "23722123456";
    Certain "VN-120" "84120ddddddd" [2 "120" => "70"] VIETNAM, "841201234567" => "84701234567", not "841301234567";
    Certain "VN-121" "84121ddddddd" [2 "121" => "79"] VIETNAM, "841211234567" => "84791234567", not "841311234567";
    Certain "VN-122" "84122ddddddd" [2 "122" => "77"] VIETNAM, "841221234567" => "84771234567", not "841321234567";
    Certain "VN-126" "84126ddddddd" [2 "126" => "76"] VIETNAM, "841261234567" => "84761234567", not "841361234567";
    Certain "VN-128" "84128ddddddd" [2 "128" => "78"] VIETNAM, "841281234567" => "84781234567", not "841381234567";
    Certain "VN-123" "84123ddddddd" [2 "123" => "83"] VIETNAM, "841231234567" => "84831234567", not "841331234567";
    Certain "VN-124" "84124ddddddd" [2 "124" => "84"] VIETNAM, "841241234567" => "84841234567", not "841341234567";
    Certain "VN-125" "84125ddddddd" [2 "125" => "85"] VIETNAM, "841251234567" => "84851234567", not "841351234567";
    Certain "VN-127" "84127ddddddd" [2 "127" => "81"] VIETNAM, "841271234567" => "84811234567", not "841371234567";
    Certain "VN-129" "84129ddddddd" [2 "129" => "82"] VIETNAM, "841291234567" => "84821234567", not "841391234567";
    Certain "VN-16" "8416[23456789]ddddddd" [2 "16" => "3"] VIETNAM, "841621234567" => "84321234567", not "841611234567";
    Certain "VN-186" "84186ddddddd" [2 "186" => "56"] VIETNAM, "841861234567" => "84561234567", not "841871234567";
    Certain "VN-188" "84188ddddddd" [2 "188" => "58"] VIETNAM, "841881234567" => "84581234567", not "841891234567";
    Certain "VN-199" "84199ddddddd" [2 "199" => "59"] VIETNAM, "841991234567" => "84591234567", not "841981234567";
    Certain "PS-59" "97259ddddddd" [0 "972" => "970"] PALESTINE, "972591234567" => "970591234567", not "972541234567";
    Possible "PS-56" "97256ddddddd" [0 "972" => "970"] PALESTINE_56, "972561234567" => "970561234567", not "972551234567";
    Possible "XK-377" "3774[45]dddddd" [0 "377" => "383"] KOSOVO, "37744123456" => "38344123456", not "37743123456";
    Possible "XK-386" "3864[39]dddddd" [0 "386" => "383"] KOSOVO, "38649123456" => "38349123456", not "38641123456";
    Possible "EC-9" "593[56789]ddddddd" [3 "" => "9"] ECUADOR, "59391234567" => "593991234567", not "59321234567";
    Possible "MU-5" "230ddddddd" [3 "" => "5"] MAURITIUS, "2307012345" => "23057012345", not "23052512345";
    Possible "SX-721" "5995dddddd" [0 "599" => "1721"] SINT_MAARTEN, "5995201234" => "17215201234", not "5996201234";
}

/// The rules by the first two digits of what they may apply to. Most numbers begin with digits of no rule.
static BY_FIRST_DIGITS: LazyLock<[Vec<&'static Rule>; 100]> = LazyLock::new(|| {
    let applies = |first: usize, rule: &&Rule| rule.first_digits().any(|digits| digits == first);
    std::array::from_fn(|first| RULES.iter().filter(|rule| applies(first, rule)).collect())
});

/// The rules that may apply to a number or have made it.
fn near(number: Phone) -> &'static [&'static Rule] {
    let digits = number.digits();
    let first = match digits.checked_ilog10() {
        Some(places @ 1..) => digits / 10_u64.pow(places - 1),
        _ => return &[],
    };
    BY_FIRST_DIGITS.get(first as usize).map_or(&[], Vec::as_slice)
}

impl Rule {
    /// The first two digits of the other spelling and of the key.
    fn first_digits(&self) -> impl Iterator<Item = usize> {
        let key = match self.edits.first() {
            Some(edit) if edit.at == 0 => edit.insert,
            _ => self.other,
        };
        [self.other, key].into_iter().filter_map(|digits| digits.get(..2)?.parse().ok())
    }

    /// The key, if the digits are this rule's other spelling.
    fn key(&self, digits: &str) -> Option<String> {
        if !self.other_is(digits.as_bytes()) {
            return None;
        }
        let mut key = String::with_capacity(15);
        let mut from = 0;
        for edit in self.edits {
            key.push_str(&digits[from..edit.at]);
            key.push_str(edit.insert);
            from = edit.at + edit.drop.len();
        }
        key.push_str(&digits[from..]);
        Some(key)
    }

    /// The other spelling of a key, if the rule can have made it.
    fn other_of(&self, key: &str) -> Option<String> {
        let mut other = String::with_capacity(15);
        let mut rest = key;
        for edit in self.edits {
            let same = edit.at.checked_sub(other.len())?;
            other.push_str(rest.get(..same)?);
            rest = rest.get(same..)?.strip_prefix(edit.insert)?;
            other.push_str(edit.drop);
        }
        other.push_str(rest);
        self.other_is(other.as_bytes()).then_some(other)
    }

    fn other_is(&self, digits: &[u8]) -> bool {
        let mut pattern = self.other.bytes();
        let mut digits = digits.iter().copied();
        while let Some(place) = pattern.next() {
            let Some(digit) = digits.next() else { return false };
            let fits = match place {
                b'd' => true,
                b'[' => {
                    pattern
                        .by_ref()
                        .take_while(|&choice| choice != b']')
                        .filter(|&choice| choice == digit)
                        .count()
                        > 0
                }
                itself => itself == digit,
            };
            if !fits {
                return false;
            }
        }
        digits.next().is_none()
    }
}

fn phone(digits: &str) -> Option<Phone> {
    digits.parse().ok().map(Phone::from_stored)
}

fn of(certainty: Certainty, number: Phone) -> impl Iterator<Item = &'static Rule> {
    near(number).iter().copied().filter(move |rule| rule.certainty == certainty)
}

/// The spelling by which numbers are compared. It need not be one that can be dialled.
#[must_use]
pub fn key(told: Phone) -> Phone {
    if near(told).is_empty() {
        return told;
    }
    let digits = told.digits().to_string();
    of(Certainty::Certain, told)
        .find_map(|rule| rule.key(&digits))
        .and_then(|key| phone(&key))
        .unwrap_or(told)
}

/// All certain spellings of the number, its key first.
#[must_use]
pub fn spellings(told: Phone) -> Vec<Phone> {
    let key = key(told);
    if near(key).is_empty() {
        return vec![key];
    }
    let digits = key.digits().to_string();
    let others = of(Certainty::Certain, key).filter_map(|rule| rule.other_of(&digits));
    std::iter::once(key).chain(others.filter_map(|other| phone(&other))).collect()
}

/// The keys of numbers that may be the same person and may be another one: a refusal passes, a grant does not.
#[must_use]
pub fn possibly(told: Phone) -> Vec<Phone> {
    let own = key(told);
    let mut found: Vec<Phone> = Vec::new();
    for spelling in spellings(told) {
        let mut rules = of(Certainty::Possible, spelling).peekable();
        if rules.peek().is_none() {
            continue;
        }
        let digits = spelling.digits().to_string();
        let numbers = rules.flat_map(|rule| [rule.key(&digits), rule.other_of(&digits)]);
        for other in numbers.flatten().filter_map(|other| phone(&other)).map(key) {
            if other != own && !found.contains(&other) {
                found.push(other);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &str) -> Phone {
        Phone::from_stored(digits.replace([' ', '+'], "").parse().unwrap())
    }

    fn digits(phone: Phone) -> String {
        phone.digits().to_string()
    }

    /// The vectors that were compiled with the table.
    #[test]
    fn the_spellings_of_one_person_have_one_key() {
        for (told, expected) in [
            (&["+55 31 8765 0144", "+55 31 98765 0144"][..], "5531987650144"),
            (&["+55 11 8765 0145", "+55 11 98765 0145"], "5511987650145"),
            (&["+52 1 55 5550 0142", "+52 55 5550 0142"], "525555500142"),
            (&["+54 11 5550 0142", "+54 9 11 5550 0142", "+54 11 15 5550 0142"], "5491155500142"),
            (&["+229 91 23 45 67", "+229 01 91 23 45 67"], "2290191234567"),
            (&["+220 301 2345", "+220 83 301 2345"], "220833012345"),
            (&["+241 07 12 34 56", "+241 7 12 34 56", "+241 77 12 34 56"], "24177123456"),
            (&["+237 77 12 34 56", "+237 677 12 34 56"], "237677123456"),
            (&["+84 162 123 4567", "+84 32 123 4567"], "84321234567"),
            (&["+972 59 123 4567", "+970 59 123 4567"], "970591234567"),
        ] {
            for told in told {
                assert_eq!(digits(key(number(told))), expected, "{told}");
                assert!(spellings(number(expected)).contains(&number(told)), "{told}");
            }
        }
    }

    #[test]
    fn a_landline_has_no_ninth_digit() {
        let (land, mobile) = (number("+55 31 3333 0144"), number("+55 31 93333 0144"));
        assert_eq!((key(land), key(mobile)), (land, mobile));
        assert!(possibly(land).is_empty() && possibly(mobile).is_empty());
        assert_eq!((spellings(land), spellings(mobile)), (vec![land], vec![mobile]));
    }

    #[test]
    fn what_may_be_another_person_has_another_key_and_is_found() {
        for (one, other) in [
            ("+55 31 7765 0144", "+55 31 97765 0144"),
            ("+225 07 12 34 56 78", "+225 12 34 56 78"),
            ("+225 01 12 34 56 78", "+225 12 34 56 78"),
            ("+972 56 123 4567", "+970 56 123 4567"),
            ("+377 44 123 456", "+383 44 123 456"),
        ] {
            let (one, other) = (number(one), number(other));
            assert_ne!(key(one), key(other));
            assert!(possibly(one).contains(&key(other)), "{one:?}");
            assert!(possibly(other).contains(&key(one)), "{other:?}");
        }
        let (moov, orange) = (number("+225 01 12 34 56 78"), number("+225 07 12 34 56 78"));
        assert!(!possibly(moov).contains(&orange), "two people today");
    }

    /// What [`near`] relies on.
    #[test]
    fn every_other_spelling_begins_with_two_digits_that_no_edit_splits() {
        for rule in RULES {
            assert!(rule.other.bytes().take(2).all(|b| b.is_ascii_digit()), "{}", rule.id);
            assert!(rule.edits.iter().all(|edit| edit.at != 1), "{}", rule.id);
        }
    }

    #[test]
    fn every_rule_meets_its_sample_and_passes_over_the_other() {
        for rule in RULES {
            let (told, expected) = rule.applies_to;
            assert_eq!(rule.key(told).as_deref(), Some(expected), "{}", rule.id);
            assert_eq!(rule.other_of(expected).as_deref(), Some(told), "{}", rule.id);
            assert_eq!(rule.key(rule.not_to), None, "{}", rule.id);
            let is_near = |digits: &str| near(number(digits)).iter().any(|near| std::ptr::eq(*near, rule));
            assert!(is_near(told) && is_near(expected), "{}", rule.id);
            assert!(!rule.source.is_empty());
            match rule.certainty {
                Certainty::Certain => assert_eq!(digits(key(number(told))), expected, "{}", rule.id),
                Certainty::Possible => {
                    assert!(possibly(number(told)).contains(&number(expected)), "{}", rule.id);
                }
            }
        }
    }

    #[test]
    fn no_number_meets_two_certain_rules_and_every_key_is_its_own() {
        let mut state = 1_u64;
        let codes =
            ["55", "52", "54", "229", "220", "225", "241", "237", "84", "970", "972", "383", "1721", "49"];
        for round in 0..40_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let code = codes[round % codes.len()];
            let national = format!("{:012}", (state >> 24) % 1_000_000_000_000);
            let digits = format!("{code}{}", &national[..6 + round % 7]);
            let certain = RULES.iter().filter(|rule| rule.certainty == Certainty::Certain);
            let met = certain.filter(|rule| rule.key(&digits).is_some()).count();
            assert!(met <= 1, "{digits}");
            let own = key(number(&digits));
            assert_eq!(key(own), own, "{digits}");
            assert!(spellings(own).contains(&number(&digits)), "{digits}");
            assert!(spellings(own).len() <= 8, "{digits}");
        }
    }
}
