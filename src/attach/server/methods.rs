//! The methods as the page of the protocol tells them.

/// One method.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What it takes.
    pub params: &'static [Field],
    /// What it gives.
    pub result: &'static [Field],
    /// Who may call it: a role, or what else it takes.
    pub who: &'static str,
}

/// A param, or a part of a result.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name; with `?` at the end where it may be missing.
    pub name: &'static str,
    /// What kind of JSON it is.
    pub kind: &'static str,
    /// What it means, with its unit.
    pub about: &'static str,
}

const fn field(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, kind, about }
}

const EVERYBODY: &str = "everybody, before hello too, with or without control";
const OBSERVE: &str = "observe";

const fn stop(name: &'static str, about: &'static str) -> Method {
    Method { name, about, params: &[], result: &[], who: EVERYBODY }
}

const COMMAND: Field = field("command", "object or string", "a command: {\"Mdi\": \"G0 X1\"}, \"Unlock\"");
const SENT_AT: Field = field(
    "at_us?",
    "number",
    "us of hub time at which it was sent: a jog that is older than its lease when it comes, or a step older than 1 s, \
     moves nothing",
);
const TICKET: Field = field("ticket", "number", "its number, under which its end is told");
const NOW: Field = field("now_us", "number", "us since the hub was started");
const STATE: Field =
    field("state", "object", "the whole snapshot; lengths in mm, feeds in mm/min, times in us of hub time");

/// All methods, in the order of the page.
pub const METHODS: &[Method] = &[
    Method {
        name: "hello",
        about: "Says who this is. It comes first, within 10 s.",
        params: &[
            field("protocol", "number", "the version that the client speaks"),
            field("client", "string", "its program and version"),
            field("screen?", "boolean", "a person looks at it"),
            field("from?", "string", "its terminal or host, for the others"),
        ],
        result: &[
            field("protocol", "number", "the version that the hub speaks"),
            field("server", "string", "its program and version"),
            field("client", "number", "the client's number"),
            field("role", "string", "what it may do: observe, stop, operate or admin"),
            NOW,
        ],
        who: OBSERVE,
    },
    Method {
        name: "subscribe",
        about: "Gives the whole state; from then on what changed comes as `state`, the latest whenever the client has taken \
                all before it, and log entries as `event`. A later call replaces the rate.",
        params: &[
            field("max_hz?", "number", "states in a second at most: above 0, 10 unless said, 20 at most"),
            field("events?", "boolean", "log entries too"),
            field("wire?", "boolean", "and among them all that goes over the wire"),
        ],
        result: &[STATE],
        who: OBSERVE,
    },
    Method { name: "status", about: "Gives the whole state, once.", params: &[], result: &[STATE], who: OBSERVE },
    Method {
        name: "events.since",
        about: "Gives log entries after a number, oldest first, of the last 2048 (without those of the wire). Numbers rise; \
                some are left out.",
        params: &[
            field("id", "number", "the last number that the client has; 0: none"),
            field("most?", "number", "at most so many: 1 to 500, 500 unless said"),
        ],
        result: &[
            field("entries", "array", "the entries"),
            field(
                "gap",
                "boolean",
                "some that came after that number are lost, or it is of a hub that has ended and all that there is follows",
            ),
            field("last", "number", "ask for this one next time"),
            field("more", "boolean", "there are more by now"),
        ],
        who: OBSERVE,
    },
    Method {
        name: "command",
        about: "Asks for something and is answered when it has ended: every command once, in one of done, refused, failed, \
                timed out, voided. A jog is accepted long before it has moved: it is cancelled when its client leaves.",
        params: &[COMMAND, SENT_AT],
        result: &[
            TICKET,
            field("outcome", "object or string", "how it ended"),
            field("latency_us", "number", "us from the asking to the end"),
        ],
        who: "operate and control for what moves or changes something; [attach] in config.toml gives roles",
    },
    Method {
        name: "submit",
        about: "The same, answered at once; the end comes as an event.",
        params: &[COMMAND, SENT_AT],
        result: &[TICKET],
        who: "as command",
    },
    Method {
        name: "realtime",
        about: "A realtime key: it needs no place in a queue.",
        params: &[field("realtime", "object or string", "\"CycleStart\", {\"FeedOverride\": \"CoarsePlus\"}, …")],
        result: &[],
        who: "everybody for what stops; operate and control for the rest",
    },
    Method {
        name: "ask",
        about: "Asks the house: files, programs, ports, history, the audit. Answers come as `answer`, maybe several.",
        params: &[field(
            "query",
            "object or string",
            "{\"Program\": {\"List\": null}}, {\"Audit\": {\"kind\": \"mdi\", \"count\": 50}}, \"Ports\", …",
        )],
        result: &[],
        who: "observe to look; operate for what opens devices or writes files; admin for the configuration",
    },
    Method {
        name: "control",
        about: "Who is in control: \"acquire\" if nobody is, {\"take\": {\"reason\"}} from whoever is, \"release\".",
        params: &[field("order", "object or string", "what is asked")],
        result: &[TICKET, field("outcome", "object or string", "how it ended"), field("latency_us", "number", "us")],
        who: "operate; everybody may give it back",
    },
    Method {
        name: "ping",
        about: "Says that the client lives: whoever is in control and not heard of for 10 s can be replaced by anybody. \
                It tells the clocks apart.",
        params: &[field("rtt_us?", "number", "us that the last one took, there and back; it is shown to the others")],
        result: &[NOW],
        who: OBSERVE,
    },
    stop("stop", "Brings motion to a stand, by what is going on."),
    stop("hold", "Feed hold."),
    stop("stop_program", "Ends the program at a standstill; the position is kept."),
    stop("jog_cancel", "Ends a jog."),
    stop("door", "Safety door."),
    stop("reset", "Soft reset, at once."),
];

/// What the hub sends unasked: name, members, what it is.
pub const NOTIFICATIONS: &[Method] = &[
    Method {
        name: "state",
        about: "What changed, as a merge patch (RFC 7386).",
        params: &[field("rev", "number", "rises with each state"), field("patch", "object", "what is different")],
        result: &[],
        who: "after subscribe",
    },
    Method {
        name: "event",
        about: "A log entry: what was sent, received, asked; alarms, prompts, outcomes.",
        params: &[field("entry", "object", "{id, at, what}; id rises, at is in us of hub time")],
        result: &[],
        who: "after subscribe with events",
    },
    Method {
        name: "gap",
        about: "Entries were left out because the client was slow; `events.since` has them for a while. It is told before the \
                next entry, or as soon as the client has taken enough.",
        params: &[field("count", "number", "how many")],
        result: &[],
        who: "after subscribe with events",
    },
    Method {
        name: "answer",
        about: "An answer to `ask`.",
        params: &[field("answer", "object", "the answer")],
        result: &[],
        who: "after ask",
    },
    Method {
        name: "part",
        about: "A piece of a message that is longer than a line may be; the pieces, joined, are the message.",
        params: &[field("text", "string", "the piece"), field("last", "boolean", "there are no more")],
        result: &[],
        who: "any",
    },
    Method {
        name: "end",
        about: "The hub ends.",
        params: &[field("why", "string", "in words")],
        result: &[],
        who: "any",
    },
];
