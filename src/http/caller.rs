//! Who asks: an API token, or a person who signed in. Every check of a token holds for a person too.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::App;
use super::sign_in::SignedIn;
use crate::domain::{
    Agent, AgentTarget, Bounds, Callback, Phone, PoolName, Scope, Tenant, Way, callback::State,
};
use crate::store::{OrderCeiling, Session, Token};

/// Who asks: an API token, or a person with the rights of one.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Asker>);

#[derive(Debug, Clone)]
struct Asker {
    /// Of a person, one that is in no store.
    token: Token,
    person: Option<SignedIn>,
}

impl Caller {
    pub(super) fn of_token(token: Token) -> Self {
        Self(Arc::new(Asker { token, person: None }))
    }

    /// A person with the scopes of the role, bound to the person's senders.
    #[must_use]
    pub fn of_person(person: SignedIn) -> Self {
        let name = person.recorded_name();
        let hash = Sha256::digest(format!("{}\n{name}", person.tenant)).into();
        let token = Token {
            tenant: person.tenant.clone(),
            scopes: person.scopes,
            senders: person.bounds.senders.iter().copied().collect(),
            ..Token::new(name, hash, Timestamp::UNIX_EPOCH)
        };
        Self(Arc::new(Asker { token, person: Some(person) }))
    }

    /// The same without the right to see numbers, so that they are masked in answers.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut asker = (*self.0).clone();
        asker.token.scopes = asker.token.scopes.iter().filter(|scope| *scope != Scope::Reveal).collect();
        Self(Arc::new(asker))
    }

    /// The name in timelines: that of the token, or `person/` and the name of the person.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.token.name
    }

    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.0.token.tenant
    }

    /// The person, if it is one.
    #[must_use]
    pub fn person(&self) -> Option<&SignedIn> {
        self.0.person.as_ref()
    }

    #[must_use]
    pub fn way(&self) -> Way {
        self.person().map_or(Way::Token, |person| person.how)
    }

    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.0.token.scopes.contains(scope)
    }

    #[must_use]
    pub fn may_use_sender(&self, sender: Phone) -> bool {
        self.0.token.senders.is_empty() || self.0.token.senders.contains(&sender)
    }

    /// Whether it may hold callbacks of every tenant and sender back.
    #[must_use]
    pub fn may_pause_all(&self) -> bool {
        *self.tenant() == Tenant::default() && self.0.token.senders.is_empty() && self.bounds().is_all()
    }

    #[must_use]
    pub fn may_use_document(&self, document: &str) -> bool {
        let documents = &self.0.token.documents;
        documents.is_empty() || documents.iter().any(|allowed| allowed == document)
    }

    /// The campaigns, senders and pools that a person is bound to. A token has its senders in another way, and no bounds.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        static NONE: LazyLock<Bounds> = LazyLock::new(Bounds::default);
        self.person().map_or(&NONE, |person| &person.bounds)
    }

    #[must_use]
    pub fn may_use_pool(&self, pool: &PoolName) -> bool {
        self.bounds().has_pool(Some(pool))
    }

    /// Whether a campaign of this id is inside the bounds. Only bounds of campaigns let somebody at a campaign: its callbacks may
    /// use any sender and any pool.
    #[must_use]
    pub fn is_of_campaign(&self, id: &str) -> bool {
        let bounds = self.bounds();
        bounds.is_all() || bounds.campaigns.contains(id)
    }

    /// Whether an order with this campaign, these senders and this pool is inside the bounds.
    #[must_use]
    pub fn is_inside(&self, campaign: Option<&str>, senders: &[Phone], pool: Option<&PoolName>) -> bool {
        let bounds = self.bounds();
        bounds.has_campaign(campaign) && bounds.have_senders(senders) && bounds.has_pool(pool)
    }

    /// Whether the callback is the caller's to see: of its tenant, inside its bounds, and its own if it sees no others.
    #[must_use]
    pub fn may_see(&self, callback: &Callback) -> bool {
        let order = &callback.order;
        callback.tenant == *self.tenant()
            && self.is_inside(order.campaign.as_deref(), &order.senders, order.pool.as_ref())
            && (!self.sees_own_only() || self.is_own(callback))
    }

    /// Whether it sees its own callbacks only, such as an agent.
    #[must_use]
    pub fn sees_own_only(&self) -> bool {
        self.may(Scope::Own) && !self.may(Scope::Read)
    }

    /// Whether the caller ordered it, is its agent, or may take its offer.
    fn is_own(&self, callback: &Callback) -> bool {
        if callback.ordered_by.as_deref() == Some(self.name()) {
            return true;
        }
        let Some(me) = self.person().and_then(|person| Agent::client(&person.name)) else { return false };
        let is_me = |target: &AgentTarget| Agent::of(target).as_ref() == Some(&me);
        let assigned = callback.order.terms.as_ref().and_then(|terms| terms.assigned.as_ref());
        let offer = callback.offer();
        let taken = offer.and_then(|offer| offer.taken.as_ref()).and_then(|taken| taken.agent.as_ref());
        let is_free = matches!(callback.state, State::Waiting(_))
            && offer.is_some_and(|offer| offer.until.is_some() && offer.taken.is_none())
            && assigned.is_none();
        callback.order.agent.as_ref().is_some_and(is_me)
            || assigned.is_some_and(|assigned| is_me(&assigned.agent))
            || taken.is_some_and(is_me)
            || is_free
    }

    /// The owner of idempotency keys: the tokens of one name in one tenant, or a person.
    #[must_use]
    pub fn key_owner(&self) -> String {
        if *self.tenant() == Tenant::default() {
            return self.0.token.name.clone();
        }
        // The name of a token has no slash, and that of a person has one.
        format!("{}/{}", self.tenant(), self.name())
    }

    /// SHA-256 of the token, or of the person's name.
    pub(super) fn token(&self) -> [u8; 32] {
        self.0.token.hash
    }

    /// Whether the token was neither revoked nor has expired, or the person neither was removed nor has signed out nor got
    /// other rights since, and has used the session lately. Unsure is no.
    pub async fn is_still_known(&self, app: &App) -> bool {
        let now = app.clock.now();
        let Some(person) = self.person() else {
            let known = app.store.token_by_hash(self.token()).await.ok().flatten();
            return known.is_some_and(|known| {
                known.scopes == self.0.token.scopes && known.expires_at.is_none_or(|at| at > now)
            });
        };
        if person.how == Way::Loopback {
            return true;
        }
        let member = match person.session {
            Some(hash) => {
                let found = app.store.session(hash).await.ok().flatten();
                let idle = app.sign_in.settings.idle;
                let goes_on = |session: &Session| {
                    session.ends_at > now && now.duration_since(session.last_used_at) < idle
                };
                found.filter(|(session, _)| goes_on(session)).map(|(_, member)| member)
            }
            None => app.store.member(&person.name).await.ok().flatten(),
        };
        member.is_some_and(|member| {
            (member.role, &member.tenant, &member.bounds) == (person.role, &person.tenant, &person.bounds)
        })
    }

    /// The key under which orders are counted, if the token has a daily maximum.
    #[must_use]
    pub fn order_ceiling(&self) -> Option<OrderCeiling> {
        let orders_per_day = self.0.token.limits.orders_per_day?;
        Some(OrderCeiling { token: self.0.token.hash, orders_per_day })
    }
}
