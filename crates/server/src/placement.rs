//! Where a room is mixed and where a peer is served: on the thread that has the least to do.

/// The index of the least loaded thread; the first among equals.
///
/// # Panics
/// When there is no thread.
pub(crate) fn least_loaded(loads: impl IntoIterator<Item = usize>) -> usize {
    loads
        .into_iter()
        .enumerate()
        .min_by_key(|(_, load)| *load)
        .map(|(index, _)| index)
        .expect("there is at least one thread of each kind")
}

#[cfg(test)]
mod tests {
    use super::least_loaded;

    #[test]
    fn the_first_of_the_least_loaded_is_taken() {
        assert_eq!(least_loaded([3, 1, 2, 1]), 1);
    }
}
