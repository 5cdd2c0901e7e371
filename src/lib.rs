//! **sunmill** runs a FluidNC, Grbl or grblHAL machine from any terminal: over SSH on a Raspberry Pi, at the console beside
//! the machine, or both.
//!
//! # The problem
//!
//! A CNC controller is one serial line with several ways to be misunderstood: bytes that act in the middle of a line, lines
//! that wait and then run, answers that do not say what they answer. A person at the far end of an SSH connection must be
//! able to move it, trust it to stop, and never be shown an old number as a new one.
//!
//! # The house
//!
//! ```text
//!  serial / TCP / WebSocket / simulated
//!        │
//!  driver::machine ── events ──▶ hub: fold(event) → Snapshot → watch<Arc<Snapshot>> ──▶ ui: view(&Ui, &Snapshot)
//!   owns the port,               arbitrate(command) → order                             ui: update(&mut Ui, event) → effects
//!   pumps grbl::Session ◀─ bounded queue of orders ─┘   ◀── bounded queue of commands ─────┘
//!        ◀───────────────────── realtime latch: a set of bits, never full ─────────────────┘
//! ```
//!
//! A terminal user interface whose render loop reads a watch-channel snapshot fed by async device tasks; its key bindings
//! send commands through a bounded command queue to the machine's driver.
//!
//! | room | what lives there |
//! |---|---|
//! | [`model`] | plain data that everyone shares: `Snapshot`, `Command`, `Outcome`, axes, time; the handle to the hub |
//! | [`grbl`] | the machine protocol, pure: `Line`, replies, status, tables, the `Session` state machine |
//! | [`inverter`] | Modbus, pure: profiles as data, read plan, decode, poll schedule, write validation and read-back |
//! | [`program`] | G-code programs, pure: reading, modal state, checks, time, tool path, preamble |
//! | [`driver`] | the only device IO: one task per link, transports, pacing, reconnect |
//! | [`hub`] | the owner of the truth: folds events, says what is legal, answers each command once |
//! | [`attach`] | the socket: protocol, server, client |
//! | [`ui`] | the terminal: input, keymap, action table, state, update, view |
//! | [`config`] | `config.toml` into typed, validated values |
//! | [`sim`] | simulated machines that speak the real wire protocols |
//! | [`cli`] | commands that are not the screen, and what joins the rooms |
//!
//! # What is never there
//!
//! - **A pure room never knows** tokio, a clock, the environment or a file: time is an argument.
//! - **No lock around a device**, and no lock held across an await: one task owns the port, all others send it messages.
//! - **No second writer of the truth**: only the hub changes a snapshot.
//! - **No unbounded queue.** A full one refuses at once and says so; a stop goes beside the queues.
//! - **No command without an answer**, and none with two: done, refused, failed, timed out, or voided.
//! - **No value without an age**: fresh, late, stale, lost.
//! - **No unlock, homing, resume or repeat that nobody asked for.**
//!
//! `tests/tidy.rs` reads the sources and holds what can be held by reading.

pub mod attach;
pub mod cli;
pub mod config;
pub mod driver;
pub mod grbl;
pub mod hub;
pub mod inverter;
pub mod model;
pub mod program;
pub mod sim;
pub mod store;
pub mod ui;
