//! Dense numbers for things that come and go: an index is reused, its generation tells the users apart.

/// A table whose keys are `(index, generation)`.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// How many are taken.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(crate) fn insert(&mut self, value: T) -> (u32, u32) {
        if let Some(index) = self.free.pop() {
            let entry = &mut self.entries[index as usize];
            entry.value = Some(value);
            (index, entry.generation)
        } else {
            let index = u32::try_from(self.entries.len()).expect("memory ends long before 2^32 slots");
            self.entries.push(Entry { generation: 0, value: Some(value) });
            (index, 0)
        }
    }

    pub(crate) fn get(&self, index: u32, generation: u32) -> Option<&T> {
        self.entries.get(index as usize).filter(|entry| entry.generation == generation)?.value.as_ref()
    }

    pub(crate) fn remove(&mut self, index: u32, generation: u32) -> Option<T> {
        let entry = self.entries.get_mut(index as usize).filter(|entry| entry.generation == generation)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(index);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn a_reused_index_is_not_its_former_user() {
        let mut slots = Slots::default();
        let (index, generation) = slots.insert("a");
        assert_eq!(slots.remove(index, generation), Some("a"));
        let (again, next) = slots.insert("b");
        assert_eq!(again, index);
        assert_eq!(slots.get(index, generation), None);
        assert_eq!(slots.get(again, next), Some(&"b"));
        assert_eq!(slots.len(), 1);
    }
}
