//! The tables hold together.

use super::*;
use crate::twilio::words::error_code;

fn rows() -> impl Iterator<Item = (Issuer, &'static Row)> {
    Issuer::ALL
        .into_iter()
        .flat_map(|issuer| tables(issuer).iter().copied().flatten().map(move |row| (issuer, row)))
}

#[test]
fn a_code_stands_in_one_row_of_its_issuer() {
    for issuer in Issuer::ALL {
        let mut spans: Vec<Span> =
            rows().filter(|(other, _)| *other == issuer).flat_map(|(_, row)| row.codes).copied().collect();
        spans.sort_by_key(|span| span.first);
        assert!(spans.iter().all(|span| span.first <= span.last));
        for pair in spans.windows(2) {
            assert!(pair[0].last < pair[1].first, "{} names {} twice", issuer.as_str(), pair[1].first);
        }
    }
    assert!(SIP_TABLE.windows(2).all(|rows| rows[0].0 < rows[1].0));
}

#[test]
fn each_row_has_its_source_its_date_and_two_texts() {
    let oldest = jiff::civil::date(2025, 1, 1);
    for (issuer, row) in rows() {
        let name = format!("{} {}", issuer.as_str(), row.codes[0].first);
        let vendor = if issuer == Issuer::Twilio { "Twilio, " } else { "Meta, " };
        assert!(row.source.title.starts_with(vendor) && row.source.as_of >= oldest, "{name}");
        assert!(!row.meaning.is_empty() && !row.meaning.ends_with('.'), "{name}: a part of a sentence");
        assert!(row.advice.ends_with('.') && row.advice.len() > 10, "{name}: a sentence");
    }
}

#[test]
fn an_unknown_code_is_repeated_once_and_means_nothing() {
    for code in [99_999, 37_002, 37_010, 63_048, 138_008, 138_010, 138_011, 138_016, u32::MAX] {
        assert_eq!(reaction_to_code(error_code(code)), Reaction::Unknown, "{code}");
        assert_eq!((meaning(error_code(code)), is_for_operator(error_code(code))), (None, false));
    }
}

#[test]
fn a_refusal_without_a_code_is_unknown_and_a_failure_without_one_is_not() {
    let submission = |stage| Submission { stage, ..Submission::intent(jiff::Timestamp::UNIX_EPOCH) };
    assert_eq!(reaction(&submission(Stage::Rejected)), Reaction::Unknown);
    assert_eq!(reaction(&submission(Stage::Accepted)), Reaction::TryAgain);
    assert_eq!(reaction(&submission(Stage::Throttled)), Reaction::TryAgain);
}

#[test]
fn the_first_and_last_code_of_a_span_are_in_it_and_their_neighbours_are_not() {
    let known = |code| find(ErrorCode::of_twilio(code)).is_some();
    assert_eq!([21_220, 21_221, 21_229, 21_230].map(known), [true, true, true, false]);
    assert_eq!([20_150, 20_151, 20_160, 20_161].map(known), [false, true, true, false]);
}

#[test]
fn what_can_never_be_done_is_told_to_somebody() {
    let silent: Vec<_> = rows()
        .filter(|(_, row)| row.reaction == Reaction::Never && row.tell == Tell::Nobody)
        .map(|(_, row)| row.codes[0].first)
        // Nobody can do anything about a carrier that did not answer.
        .filter(|code| *code != 30_410)
        .collect();
    assert_eq!(silent, Vec::<u32>::new());
    let for_operator = |code| is_for_operator(error_code(code));
    assert!(!for_operator(37_000) && for_operator(138_014) && for_operator(20_003));
}

#[test]
fn an_opt_out_is_an_opt_out_by_every_name() {
    for code in [21_610, 30_630, 63_014, 63_033, 131_050] {
        assert_eq!(reaction_to_code(error_code(code)), Reaction::OptedOut, "{code}");
        assert!(!is_for_operator(error_code(code)));
    }
}

#[test]
fn faults_of_configuration_are_the_operators_and_tried_once() {
    for code in [63_007, 21_408, 21_216, 13_227, 21_215, 37_008] {
        assert_eq!(reaction_to_code(error_code(code)), Reaction::Never, "{code}");
        assert!(is_for_operator(error_code(code)), "{code}");
        assert!(matches!(find(error_code(code)).unwrap().fault, Fault::Account | Fault::Sender), "{code}");
    }
}

#[test]
fn the_twins_of_twilio_and_meta_mean_the_same() {
    for (twilio, meta) in [
        (37_000, 138_006),
        (37_003, 138_003),
        (37_004, 138_005),
        (37_006, 138_012),
        (37_007, 138_013),
        (63_016, 131_047),
        (63_024, 131_026),
        (63_032, 130_472),
        (63_033, 131_050),
        (63_041, 132_015),
        (63_042, 132_016),
        (63_049, 131_049),
        (63_051, 131_031),
    ] {
        assert_eq!(
            find(ErrorCode::of_twilio(twilio)).unwrap().reaction,
            find(ErrorCode::new(Issuer::Meta, meta)).unwrap().reaction,
            "{twilio}"
        );
    }
}

#[test]
fn what_is_wrong_with_content_pauses_the_content_and_not_its_sender() {
    for (hours, codes) in [(6, &[63_041, 132_015][..]), (24, &[63_040, 63_042, 132_001, 132_007, 132_016])] {
        for code in codes {
            let pause = Reaction::PauseContent(SignedDuration::from_hours(hours));
            assert_eq!(reaction_to_code(error_code(*code)), pause, "{code}");
        }
    }
}

#[test]
fn a_small_number_of_metas_is_not_taken_for_twilios() {
    assert!(find(ErrorCode::new(Issuer::Meta, 190)).is_some() && find(error_code(190)).is_none());
    assert_eq!(find(error_code(138_006)), find(ErrorCode::new(Issuer::Meta, 138_006)));
    assert!(find(error_code(138_006)).is_some());
}
