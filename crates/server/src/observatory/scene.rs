//! What is seen at one look: a head and a list of items that have ids; and what is new against the look before. Must not
//! know what any of it means.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Scene {
    names: &'static Names,
    head: Value,
    items: Vec<Value>,
}

/// What the parts are called.
#[derive(Debug)]
struct Names {
    head: &'static str,
    items: &'static str,
    /// The field of an item that no other has the same.
    id: &'static str,
}

const OF_SERVER: Names = Names { head: "server", items: "rooms", id: "room" };
const OF_ROOM: Names = Names { head: "room", items: "participants", id: "id" };

impl Scene {
    /// The server and its rooms.
    pub(super) fn of_server(server: Value, rooms: Vec<Value>) -> Self {
        Self { names: &OF_SERVER, head: server, items: rooms }
    }

    /// A room and its participants, as signaling shows them together.
    pub(super) fn of_room(mut seen: Value) -> Option<Self> {
        let Value::Array(participants) = seen.get_mut(OF_ROOM.items)?.take() else { return None };
        Some(Self { names: &OF_ROOM, head: seen.get_mut(OF_ROOM.head)?.take(), items: participants })
    }

    /// How many items there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.items.len()).unwrap_or(u32::MAX)
    }

    /// All of it as JSON.
    pub(super) fn whole(&self) -> String {
        let mut whole = Map::new();
        whole.insert(self.names.head.to_owned(), self.head.clone());
        whole.insert(self.names.items.to_owned(), self.items.clone().into());
        Value::Object(whole).to_string()
    }

    /// The head if it is another, the items that are new or others, and the ids of those that are gone, as JSON. `None` if
    /// nothing is new.
    pub(super) fn change_since(&self, before: &Self) -> Option<String> {
        let mut old: HashMap<_, _> = before.items.iter().map(|item| (self.id(item).to_string(), item)).collect();
        let mut change = Map::new();
        if self.head != before.head {
            change.insert(self.names.head.to_owned(), self.head.clone());
        }
        let mut news = Vec::new();
        for item in &self.items {
            if old.remove(&self.id(item).to_string()) != Some(item) {
                news.push(item.clone());
            }
        }
        let is_gone = |id: &&Value| old.contains_key(&id.to_string());
        let gone: Vec<_> = before.items.iter().map(|item| self.id(item)).filter(is_gone).cloned().collect();
        if !news.is_empty() {
            change.insert(self.names.items.to_owned(), news.into());
        }
        if !gone.is_empty() {
            change.insert("gone".to_owned(), gone.into());
        }
        (!change.is_empty()).then(|| Value::Object(change).to_string())
    }

    fn id<'a>(&self, item: &'a Value) -> &'a Value {
        &item[self.names.id]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scene(server: u64, rooms: &[(u64, u64)]) -> Scene {
        let rooms = rooms.iter().map(|(room, people)| json!({"room": room, "num_participants": people}));
        Scene::of_server(json!(server), rooms.collect())
    }

    #[test]
    fn only_what_is_new_is_told() {
        let before = scene(1, &[(1, 0), (2, 5), (3, 0)]);
        let after = scene(1, &[(1, 0), (2, 6), (4, 0)]);

        let change: Value = serde_json::from_str(&after.change_since(&before).expect("a change")).expect("JSON");

        let news = json!([{"room": 2, "num_participants": 6}, {"room": 4, "num_participants": 0}]);
        assert_eq!(change, json!({"rooms": news, "gone": [3]}));
        assert_eq!(after.change_since(&after), None);
        assert_eq!(scene(2, &[]).change_since(&scene(1, &[])).as_deref(), Some(r#"{"server":2}"#));
    }

    #[test]
    fn a_room_is_taken_as_signaling_shows_it() {
        let seen = json!({"room": {"room": 7}, "participants": [{"id": 1}]});
        let room = Scene::of_room(seen.clone()).expect("a room");
        assert_eq!((room.whole(), room.len()), (seen.to_string(), 1));
        assert!(Scene::of_room(json!({"room": 7})).is_none());
    }
}
