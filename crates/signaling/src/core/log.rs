//! How much is logged, as operators say it. Logs nothing itself.

/// A level of Janus: 0 logs nothing, 4 what a user sees, 7 everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLevel(u8);

impl LogLevel {
    /// Changes that a user sees, warnings and errors: the usual one.
    pub const INFO: Self = Self(4);
    /// Everything.
    pub const ALL: Self = Self(7);

    /// `None` if there is no such level.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        u8::try_from(number).ok().map(Self).filter(|level| *level <= Self::ALL)
    }

    /// The level of this number, or the highest where it is too high.
    #[must_use]
    pub fn at_most(number: u64) -> Self {
        Self::new(number).unwrap_or(Self::ALL)
    }

    /// 0 to 7.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}
