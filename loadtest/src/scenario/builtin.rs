//! The scenario files that come with the binary.

/// Name and text of each.
const BUILTIN: &[(&str, &str)] = &[
    ("1x50x3", include_str!("../../scenarios/1x50x3.toml")),
    ("1x85x3", include_str!("../../scenarios/1x85x3.toml")),
    ("1x200x3", include_str!("../../scenarios/1x200x3.toml")),
    ("1x1000x3", include_str!("../../scenarios/1x1000x3.toml")),
    ("1x3000x3", include_str!("../../scenarios/1x3000x3.toml")),
    ("18x4x2", include_str!("../../scenarios/18x4x2.toml")),
    ("3x20x20", include_str!("../../scenarios/3x20x20.toml")),
    ("churn", include_str!("../../scenarios/churn.toml")),
    ("garbage", include_str!("../../scenarios/garbage.toml")),
    ("idle-rooms", include_str!("../../scenarios/idle-rooms.toml")),
    ("join-storm", include_str!("../../scenarios/join-storm.toml")),
    ("latency", include_str!("../../scenarios/latency.toml")),
    ("requests", include_str!("../../scenarios/requests.toml")),
];

/// The text of a scenario by its name.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}
