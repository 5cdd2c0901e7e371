//! The session's own questions: who are you, what are your offsets and settings. One at a time, asked
//! only where every firmware answers at once (Idle, Alarm): FluidNC would hold them until a motion ends and run
//! them even after a reset (facts: grbl-protocol §5).

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;
use crate::model::machine::Firmware;

/// An unanswered question is given up after this long (a FluidNC in critical alarm never answers).
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// `$I`.
    BuildInfo,
    /// `$RI=`: have FluidNC push reports. Per channel, lost at each reconnect.
    AutoReport,
    /// `$G`.
    Modal,
    /// `$#`.
    Offsets,
    /// `$$`.
    Settings,
    /// The setting that was just written. The session knows its line.
    ReadBack,
    /// `$N`: start-up lines of Grbl and grblHAL.
    Startup,
    /// `$EG` of grblHAL.
    SettingGroups,
    /// `$ES` of grblHAL.
    SettingDetails,
    /// `$ESH` of grblHAL.
    SettingDescriptions,
    /// `$S` of FluidNC.
    NamedSettings,
    /// `$CD` of FluidNC.
    Configuration,
    /// `$SS`: FluidNC's boot log, the only place where it tells the ends of its axes in one listing.
    StartupLog,
}

impl Query {
    /// The line to send.
    pub(super) fn text(self, report_interval: Duration) -> String {
        match self {
            Self::BuildInfo => "$I".into(),
            Self::AutoReport => format!("$RI={}", report_interval.as_millis().clamp(50, 10_000)),
            Self::Modal => "$G".into(),
            Self::Offsets => "$#".into(),
            Self::Settings | Self::ReadBack => "$$".into(),
            Self::Startup => "$N".into(),
            Self::SettingGroups => "$EG".into(),
            Self::SettingDetails => "$ES".into(),
            Self::SettingDescriptions => "$ESH".into(),
            Self::NamedSettings => "$S".into(),
            Self::Configuration => "$CD".into(),
            Self::StartupLog => "$SS".into(),
        }
    }

    /// Part of a full listing of settings, asked only when a person wants to see them.
    pub(super) const fn is_listing(self) -> bool {
        matches!(
            self,
            Self::Startup
                | Self::SettingGroups
                | Self::SettingDetails
                | Self::SettingDescriptions
                | Self::NamedSettings
                | Self::Configuration
        )
    }
}

/// Questions waiting, and the one in flight.
#[derive(Debug, Default)]
pub(super) struct Queries {
    waiting: VecDeque<Query>,
    /// The one that was sent (or waits in the window), and when it is given up.
    asked: Option<(Query, Time)>,
    /// After a failure, nothing is asked before this.
    not_before: Time,
}

impl Queries {
    /// Adds a question unless it waits already.
    pub(super) fn want(&mut self, query: Query) {
        if !self.waiting.contains(&query) {
            self.waiting.push_back(query);
        }
    }

    /// Adds a question before all others.
    pub(super) fn want_first(&mut self, query: Query) {
        self.waiting.retain(|waiting| *waiting != query);
        self.waiting.push_front(query);
    }

    /// A part of a listing waits or is under way.
    pub(super) fn has_listing(&self) -> bool {
        let asked = self.asked.as_ref().map(|(query, _)| query);
        self.waiting.iter().chain(asked).any(|query| query.is_listing())
    }

    /// A line of the answer came: a long listing on a slow wire is not overdue.
    pub(super) fn heard(&mut self, now: Time) {
        if let Some((_, until)) = &mut self.asked {
            *until = (*until).max(now + TIMEOUT);
        }
    }

    /// Listings and the read-back are not asked any more.
    pub(super) fn drop_settings(&mut self) {
        let is_kept = |query: &Query| !query.is_listing() && *query != Query::ReadBack;
        self.waiting.retain(is_kept);
        self.asked.take_if(|(query, _)| !is_kept(query));
    }

    /// Everything, beginning with who it is.
    pub(super) fn want_identity(&mut self) {
        self.waiting.clear();
        self.asked = None;
        self.want(Query::BuildInfo);
    }

    /// What is asked once it is known who answers.
    pub(super) fn want_details(&mut self, firmware: Firmware) {
        if firmware == Firmware::FluidNc {
            self.want(Query::AutoReport);
        }
        self.want(Query::Settings);
        self.want(Query::Modal);
        self.want(Query::Offsets);
        if firmware == Firmware::FluidNc {
            self.want(Query::StartupLog);
        }
    }

    /// The next to send, if none is under way.
    pub(super) fn next(&self, now: Time) -> Option<Query> {
        if self.asked.is_some() || now < self.not_before {
            return None;
        }
        self.waiting.front().copied()
    }

    /// It was handed to the window.
    pub(super) fn sent(&mut self, now: Time) {
        if let Some(query) = self.waiting.pop_front() {
            self.asked = Some((query, now + TIMEOUT));
        }
    }

    /// It was answered with `ok` or `error`.
    pub(super) fn answered(&mut self, query: Query) {
        if self.asked.is_some_and(|(asked, _)| asked == query) {
            self.asked = None;
        }
    }

    /// Asks the same again after a pause.
    pub(super) fn retry(&mut self, query: Query, at: Time) {
        self.answered(query);
        self.waiting.retain(|waiting| *waiting != query);
        self.waiting.push_front(query);
        self.not_before = at;
    }

    /// The one under way, if it has taken too long.
    pub(super) fn overdue(&self, now: Time) -> Option<Query> {
        self.asked.and_then(|(query, until)| (now >= until).then_some(query))
    }

    /// Forgets the one under way (its line was wiped out).
    pub(super) fn voided(&mut self) {
        if let Some((query, _)) = self.asked.take() {
            self.waiting.push_front(query);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// When something is due.
    pub(super) fn due(&self) -> Option<Time> {
        match self.asked {
            Some((_, until)) => Some(until),
            None => (!self.waiting.is_empty()).then_some(self.not_before),
        }
    }
}
