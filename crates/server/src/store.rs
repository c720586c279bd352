//! The rooms that outlive the process: one file, `rooms.toml`, written whole and put in place in one step, so that
//! whatever ends the process finds the old file or the new one. Must not know what a room is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use signaling::{RoomChange, RoomId, StoreRequest};
use tokio::sync::mpsc;

use crate::config::{self, ConfigError, Room};

/// Changes that wait for the disk; with more, rooms are not permanent, and their makers are told so.
pub(crate) const WAITING_CHANGES: usize = 4096;

/// The key that sets where the file is.
const KEY: &str = "storage.directory";
const HEAD: &str = "# Written by Plenum: rooms made or changed with permanent = true. They replace rooms of the configuration that have\n\
    # the same id. Edit this file only while no Plenum uses it; a room can be copied to the configuration as it is.\n";

/// The stored rooms, and the right to write them.
#[derive(Debug)]
pub(crate) struct RoomStore {
    path: PathBuf,
    string_ids: bool,
    /// The rooms of the configuration: only of these must be known that they were destroyed.
    configured: BTreeSet<RoomId>,
    entries: BTreeMap<RoomId, Entry>,
    /// Held as long as the file may be written.
    _lock: File,
}

/// What the file says of a room.
#[derive(Debug)]
enum Entry {
    /// Its text in the file: a change costs the text of one room, not of all.
    Room(String),
    /// It is in the configuration and shall not exist.
    Destroyed,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RoomsFile {
    /// Rooms of the configuration that shall not exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    destroyed: Vec<config::RoomId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rooms: Vec<Room>,
}

impl RoomStore {
    /// Opens the store in a directory, which is made if need be; the rooms that exist from the start are those of the
    /// configuration, but for what the store says of them, and those of the store.
    ///
    /// # Errors
    /// A directory that cannot be written or that another server uses, or a file that is wrong: with its line.
    pub(crate) fn open(
        file: Option<&Path>,
        directory: &Path,
        configured: Vec<Room>,
        string_ids: bool,
    ) -> Result<(Self, Vec<Room>), ConfigError> {
        let refuse = |error: &dyn std::fmt::Display| {
            ConfigError::value(file, KEY, &format!("a directory that can be written: {}: {error}", directory.display()))
        };
        fs::create_dir_all(directory).map_err(|error| refuse(&error))?;
        let lock = writable().open(directory.join("rooms.lock")).map_err(|error| refuse(&error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                ConfigError::value(file, KEY, "a directory of this server's own: another one uses it")
            }
            TryLockError::Error(error) => refuse(&error),
        })?;
        let path = directory.join("rooms.toml");
        let RoomsFile { destroyed, rooms } = match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| ConfigError::file(&path, &text, &error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => RoomsFile::default(),
            Err(error) => return Err(ConfigError::unreadable(&path, &error)),
        };
        Room::check(&rooms, string_ids, Some(&path))?;

        let id_of = |room: &Room| room.room.for_signaling(string_ids);
        let destroyed = destroyed.into_iter().filter_map(|id| id.for_signaling(string_ids));
        let mut entries: BTreeMap<_, _> = destroyed.map(|id| (id, Entry::Destroyed)).collect();
        entries.extend(rooms.iter().filter_map(|room| Some((id_of(room)?, Entry::Room(text_of(room).ok()?)))));
        let ids = configured.iter().filter_map(id_of).collect();
        let is_replaced = |room: &Room| id_of(room).is_some_and(|id| entries.contains_key(&id));
        let (replaced, mut all): (Vec<_>, Vec<_>) = configured.into_iter().partition(is_replaced);
        for room in replaced {
            tracing::info!(room = %room.room, file = %path.display(), "this room is not as configured but as stored");
        }
        all.extend(rooms);
        Ok((Self { path, string_ids, configured: ids, entries, _lock: lock }, all))
    }

    /// Stores what is asked for, as much at a time as is waiting, until nobody can ask any more. `configured` brings rooms that
    /// have come into the configuration since.
    pub(crate) async fn run(
        mut self,
        mut requests: mpsc::Receiver<StoreRequest>,
        mut configured: mpsc::UnboundedReceiver<Vec<RoomId>>,
    ) {
        let mut waiting = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(rooms) = configured.recv() => {
                    self.configured.extend(rooms);
                    continue;
                }
                taken = requests.recv_many(&mut waiting, WAITING_CHANGES) => {
                    if taken == 0 {
                        return;
                    }
                }
            }
            let mut before = Vec::new();
            let mut asked = Vec::new();
            for StoreRequest { change, done } in waiting.drain(..) {
                match self.apply(change) {
                    Some(entry) => {
                        before.push(entry);
                        asked.push(done);
                    }
                    None => drop(done.send(false)),
                }
            }
            let written = self.write().await;
            if let Err(error) = &written {
                tracing::error!(file = %self.path.display(), %error, "permanent rooms cannot be stored");
                // Who asked is told that nothing is stored: the next write must not store it behind their back.
                for (id, entry) in before.into_iter().rev() {
                    self.set(id, entry);
                }
            }
            for done in asked {
                let _ = done.send(written.is_ok());
            }
        }
    }

    /// Makes a change; what was there before. `None` if the file could not be read with it.
    fn apply(&mut self, change: RoomChange) -> Option<(RoomId, Option<Entry>)> {
        let (id, entry) = match change {
            RoomChange::Keep(config) => {
                let id = config.id.clone()?;
                let room = Room::of_signaling(*config);
                if let Some((key, right)) = room.problem(self.string_ids) {
                    tracing::warn!(key, right, "a room cannot be permanent");
                    return None;
                }
                (id, Some(Entry::Room(text_of(&room).ok()?)))
            }
            RoomChange::Forget(id) => {
                let entry = self.configured.contains(&id).then_some(Entry::Destroyed);
                (id, entry)
            }
        };
        let before = self.set(id.clone(), entry);
        Some((id, before))
    }

    async fn write(&self) -> io::Result<()> {
        let (path, text) = (self.path.clone(), self.text().map_err(io::Error::other)?);
        tokio::task::spawn_blocking(move || replace(&path, &text)).await?
    }

    fn set(&mut self, id: RoomId, entry: Option<Entry>) -> Option<Entry> {
        match entry {
            Some(entry) => self.entries.insert(id, entry),
            None => self.entries.remove(&id),
        }
    }

    fn text(&self) -> Result<String, toml::ser::Error> {
        let is_destroyed = |(id, entry): (&RoomId, &Entry)| match entry {
            Entry::Destroyed => Some(config::RoomId::of_signaling(id)),
            Entry::Room(_) => None,
        };
        let destroyed = self.entries.iter().filter_map(is_destroyed).collect();
        let mut text = HEAD.to_owned() + &toml::to_string(&RoomsFile { destroyed, rooms: Vec::new() })?;
        for entry in self.entries.values() {
            if let Entry::Room(room) = entry {
                text.push_str(room);
            }
        }
        Ok(text)
    }
}

/// Whether there may be a store in this directory, which need not be there yet.
pub(crate) fn check(file: Option<&Path>, directory: &Path) -> Result<(), ConfigError> {
    if directory.metadata().is_ok_and(|found| !found.is_dir()) {
        let right = format!("a directory that can be written: {} is none", directory.display());
        return Err(ConfigError::value(file, KEY, &right));
    }
    Ok(())
}

/// Puts a file with this text in the place of another, for good.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("toml.new");
    let mut file = writable().truncate(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name is an entry of the directory, which has to reach the disk as well.
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Secrets are in it.
fn writable() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// The text of one room in the file.
fn text_of(room: &Room) -> Result<String, toml::ser::Error> {
    Ok(format!("\n[[rooms]]\n{}", toml::to_string(room)?))
}
