//! A recording of a call, as attempts show it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Recording;

/// A recording of a call. The sound is at the platform only.
#[derive(Serialize, ToSchema)]
#[schema(as = Recording)]
pub(super) struct RecordingView<'a> {
    /// The platform's SID of it.
    sid: &'a str,
    /// Where it is at the platform, for those who may sign in there. Absent if the platform has no such address, or the
    /// person is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    /// `kept` (the platform has it), `absent` (the platform says that there is nothing in it), `deleted`, or `refused`: the
    /// platform did not delete it in all tries, and somebody has to.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    /// How the person learns of it: `spoken` (the document says it), `agent` (the agent says it), `none`, or `unstated`: the
    /// configuration does not tell.
    notice: &'static str,
    /// When it was first heard of.
    #[schema(value_type = String, format = DateTime)]
    told_at: Timestamp,
    /// By when it is deleted; absent if it is kept until somebody deletes it at the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    delete_at: Option<Timestamp>,
    /// When the platform had it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
}

impl<'a> RecordingView<'a> {
    pub(super) fn of(recording: &'a Recording) -> Self {
        Self {
            sid: &recording.sid,
            link: recording.link.as_deref(),
            state: recording.state.as_str(),
            duration_s: recording.duration_s,
            notice: recording.notice.as_str(),
            told_at: recording.told_at,
            delete_at: recording.delete_at,
            deleted_at: recording.deleted_at,
        }
    }
}
