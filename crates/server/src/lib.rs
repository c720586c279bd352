//! Plenum itself.
pub mod config;
