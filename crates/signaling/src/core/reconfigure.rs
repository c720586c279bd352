//! New settings while everything goes on.

use std::time::Instant;

use super::Core;
use super::Output;
use super::config::Config;
use super::media::MediaCommand;

impl Core {
    /// Takes new settings, also for all that is there already. The rooms of `config` are made if there are none of these ids;
    /// others stay as they are. What kind of ids there are, whether rooms are stored and what `info` tells of the media plane
    /// do not change.
    pub fn reconfigure(&mut self, config: Config, now: Instant) {
        let before = &self.config;
        let config = Config {
            string_ids: before.string_ids,
            stores_rooms: before.stores_rooms,
            media: before.media.clone(),
            wall_clock: before.wall_clock,
            ..config
        };
        let thresholds = |config: &Config| (config.no_media_timeout, config.slowlink_threshold);
        if thresholds(before) != thresholds(&config) {
            let (no_media_timeout, slowlink_threshold) = thresholds(&config);
            self.outputs.push_back(Output::Media(MediaCommand::SetThresholds { no_media_timeout, slowlink_threshold }));
        }
        self.tokens.reconfigure(&config, self.started);
        self.requests.set(config.limits.request_rate);
        self.audiobridge.reconfigure(&config, &mut self.ids, self.started);
        self.config = config;
        self.check_if_due(now);
    }
}
