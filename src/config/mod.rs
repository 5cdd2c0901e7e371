//! `config.toml` into typed, validated values.
