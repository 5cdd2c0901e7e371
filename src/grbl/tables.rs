//! Alarm and error tables, chosen by firmware.
