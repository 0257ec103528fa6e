//! The limit of a person, over callbacks, and the tokens of invites that are lost on their way.

use ringmaster::sim::local::Loss;

use super::*;

#[tokio::test]
async fn a_person_gets_one_invite_in_seven_days_whatever_is_ordered() {
    let mut ladder = Ladder::begin().await;
    ladder.invite(CONSUMER).await;
    let second = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.sent().len(), 1);
    assert_eq!(ladder.standing(second).await.0, "invite.person_limit");
    ladder.pass(SignedDuration::from_secs(7 * 24 * 3600 - 61)).await;
    assert_eq!(ladder.sent().len(), 1);
    ladder.minute().await;
    assert_eq!(ladder.sent().len(), 2);
}

#[tokio::test]
async fn the_limit_survives_a_restart() {
    let mut ladder = Ladder::begin().await;
    ladder.invite(CONSUMER).await;
    ladder.minute().await;
    let mut ladder = ladder.restart().await;
    let second = ladder.invite(CONSUMER).await;
    ladder.minute().await;
    assert_eq!(ladder.standing(second).await.0, "invite.person_limit");
}

#[tokio::test]
async fn an_invite_whose_answer_was_lost_counts_and_is_not_repeated() {
    for loss in [Loss::AnswerOnly, Loss::WithRequest] {
        let mut ladder = Ladder::begin().await;
        ladder.cloud.lose_next(loss);
        let id = ladder.invite(CONSUMER).await;
        ladder.pass(SignedDuration::from_hours(24)).await;
        // The reports of the message that was sent tell that it was.
        let (sent, waits) = match loss {
            Loss::AnswerOnly => (1, "invite.awaiting_call"),
            Loss::WithRequest => (0, "invite.unknown"),
        };
        assert_eq!(ladder.sent().len(), sent, "{loss:?}");
        assert_eq!(ladder.standing(id).await, (waits.into(), None));
        let second = ladder.invite(CONSUMER).await;
        assert_eq!(ladder.standing(second).await.0, "invite.person_limit");
    }
}
