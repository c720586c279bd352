//! Offers as browsers write them.
