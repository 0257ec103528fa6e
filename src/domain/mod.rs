//! The domain types: callbacks, attempts, messages, pairs, call permissions and reasons.
//!
//! There is no I/O, no clock, no async, no serialization, and nothing specific to Twilio or Meta.

pub mod access;
pub mod agent;
pub mod attempt;
pub mod callback;
pub mod ceiling;
pub mod clock;
pub mod country;
pub mod directory;
pub mod error_code;
pub mod event;
pub mod gate;
pub mod hosts;
pub mod hours;
pub mod ids;
pub mod message;
pub mod pair;
pub mod person;
pub mod phone;
pub mod reason;
pub mod resource;
pub mod script;
pub mod sender;
pub mod set_aside;
pub mod sip;
pub mod spelling;
pub mod submission;
pub mod timeline;
pub mod words;
pub mod zones;

pub use access::{Scope, Scopes, Tenant, TokenLimits};
pub use agent::{Agent, Agents};
pub use attempt::{Attempt, AttemptResolution, Bridge, LegOrder, Proof};
pub use callback::{AgentTarget, Callback, Order, Outcome, Priority, Purpose, State};
pub use ceiling::{Budget, TokenName, TokenUse};
pub use clock::{ClockDoubt, ClockMark, Reading};
pub use country::Country;
pub use directory::Directory;
pub use error_code::{ErrorCode, Issuer};
pub use event::{CallProgress, CommandOutcome, Disposition, Event};
pub use gate::{Gate, Place};
pub use hosts::AllowedHosts;
pub use hours::CallingHours;
pub use ids::{AttemptId, CallbackId, CommandId, DeliveryId, MessageId, SetAsideId};
pub use message::{Message, MessagePurpose, MessageResolution};
pub use pair::{CallPermission, Numbers, Pair, PairKey};
pub use person::{Name, Named, Names, Person, PersonId, Portfolio, Refusal, RefusalKind, UserId};
pub use phone::{Phone, PhoneError};
pub use reason::{Note, Reason};
pub use resource::{Holds, InUse, Resource};
pub use script::{Noun, NounKind, Part, Script};
pub use sender::{AccountAlias, CallbackPermission, Sender};
pub use set_aside::{SetAside, SetAsideEnd, SetAsideItem, SetAsideVerdict};
pub use submission::{Answer, Stage, Submission};
pub use words::Words;
