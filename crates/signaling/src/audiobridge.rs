//! The AudioBridge plugin.
