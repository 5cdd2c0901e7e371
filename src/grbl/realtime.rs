//! Realtime bytes (facts: Grbl 1.1 `doc/markdown/commands.md`, FluidNC `RealtimeCmd.h`, grblHAL `grbl.h`).
