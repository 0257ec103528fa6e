//! The domain types: callbacks, attempts, messages, pairs, call permissions and reasons.
//!
//! There is no I/O, no clock, no async, no serialization, and nothing specific to Twilio or Meta.

pub mod access;
pub mod agent;
pub mod agent_target;
pub mod attempt;
pub mod breaker;
pub mod calendar;
pub mod callback;
pub mod campaign;
pub mod campaign_changes;
pub mod campaign_pace;
pub mod campaigns;
pub mod ceiling;
pub mod channel;
pub mod clock;
pub mod consent;
pub mod content;
pub mod country;
pub mod day_part;
pub mod directory;
pub mod erasure;
pub mod error_code;
pub mod event;
pub mod follow_up;
pub mod gate;
pub mod held;
pub mod hosts;
pub mod hours;
pub mod ids;
pub mod invited;
pub mod lane;
pub mod lease;
pub mod lineage;
pub mod loads;
pub mod message;
pub mod number_zones;
mod offers;
pub mod origin;
pub mod pair;
pub mod pause;
pub mod pauses;
pub mod person;
pub mod phone;
pub mod pool;
pub mod reason;
pub mod recording;
mod register;
pub mod reporting;
pub mod resource;
pub mod road;
mod role;
pub mod script;
pub mod seats;
pub mod sender;
pub mod set_aside;
pub mod shared;
pub mod sip;
pub mod spelling;
pub mod submission;
pub mod suppression;
pub mod terms;
pub mod timeline;
mod trace_parent;
pub mod words;
pub mod wrap_up;
pub mod zones;

pub use access::{Scope, Scopes, Tenant, TokenLimits};
pub use agent::{Agent, Agents};
pub use agent_target::AgentTarget;
pub use attempt::{Attempt, AttemptResolution, Bridge, LegOrder, Proof};
pub use breaker::{Breaker, BreakerChange, Bucket, CallCounts, CampaignCalls};
pub use calendar::{CalendarName, Calendars};
pub use callback::{Callback, MissedWindow, Order, OrderKind, Outcome, Priority, Purpose, State};
pub use campaign::{Campaign, CampaignAct, CampaignCommand, CampaignState};
pub use campaign_changes::FieldChange;
pub use campaign_pace::CampaignPaces;
pub use campaigns::Campaigns;
pub use ceiling::{Budget, TokenName, TokenUse};
pub use channel::Channel;
pub use clock::{ClockDoubt, ClockMark, Reading};
pub use consent::Consent;
pub use content::{ContentRef, ContentRefError};
pub use country::Country;
pub use day_part::DayPart;
pub use directory::Directory;
pub use erasure::{Erasure, ErasureCounts, ErasureState, HeldKind, HeldState, is_pseudonym};
pub use error_code::{ErrorCode, Issuer};
pub use event::{CallProgress, CommandOutcome, Disposition, Event};
pub use follow_up::FollowUp;
pub use gate::{Gate, Place};
pub use held::Held;
pub use hosts::AllowedHosts;
pub use hours::{CallingHours, WrittenHours};
pub use ids::{
    AttemptId, BulkId, CallbackId, CampaignId, CommandId, DeliveryId, ErasureId, ImportId, InviteId,
    MessageId, PauseId, SetAsideId,
};
pub use invited::{
    Contact, ContactKey, LinkGiven, Restricted, Restriction, RoadFailure, RoadName, SenderPart,
};
pub use lane::Lane;
pub use lease::{GroupName, LeaderRecord, Lease, LeaseEnd, LeaseTerm, Node, RunId};
pub use lineage::{
    AccountListed, Lineage, LineageCause, LineageReleased, Position, StoreIdentity, StoreSelf, Unrecorded,
    UnrecordedKind, Witnessed,
};
pub use loads::{AccountView, Load, Loads, Rest};
pub use message::{Message, MessagePurpose, MessageResolution};
pub use offers::Offers;
pub use origin::{Moved, Replication, Server, ServerOrigin, ServerSettings, Standbys, moved};
pub use pair::{CallPermission, Grant, Numbers, Pair, PairKey};
pub use pause::{Pause, PauseKind, PauseScope};
pub use pauses::Pauses;
pub use person::{Name, Named, Names, Person, PersonId, Portfolio, Refusal, RefusalKind, UserId};
pub use phone::{Phone, PhoneError};
pub use pool::{Figure, Pool, PoolAct, PoolCommand, PoolKey, PoolName, Pools};
pub use reason::{Note, Reason};
pub use recording::{
    Notice, Recording, RecordingReport, RecordingRules, RecordingState, RecordingTerms, Recordings,
};
pub use register::Register;
pub use resource::{Holds, InUse, Resource};
pub use road::{InviteToken, Psid, Road, RoadKind, deep_link};
pub use role::{BoundError, Bounds, Role, Way, is_name_of_person};
pub use script::{Noun, NounKind, Part, Script};
pub use seats::{PoolLoad, Seat, Seats, WrapUpSeat};
pub use sender::{AccountAlias, CallbackPermission, RequestRoad, Sender};
pub use set_aside::{SetAside, SetAsideEnd, SetAsideItem, SetAsideVerdict};
pub use shared::Shared;
pub use submission::{Answer, Stage, Submission};
pub use suppression::{ListName, ListTerm, Suppression, SuppressionScope};
pub use terms::{Assigned, Handling, Offer, Origin, Preview, PreviewElse, Taken, Terms};
pub use trace_parent::{NoTraceParent, TraceParent};
pub use words::Words;
pub use wrap_up::{DeclaredDisposition, EffectKind, WrapUp, WrapUpEffect, WrapUpRecord};
