//! The chain while it is put into another order.

/// The chain with `id` moved by so many places; `None` when it cannot go there.
pub fn moved(ids: &[String], id: &str, step: isize) -> Option<Vec<String>> {
    let from = ids.iter().position(|have| have == id)?;
    let to = from.checked_add_signed(step).filter(|to| *to < ids.len() && *to != from)?;
    let mut order = ids.to_vec();
    let own = order.remove(from);
    order.insert(to, own);
    Some(order)
}

/// The chain with `id` put before or after `target`; `None` when that changes nothing.
pub fn dropped(ids: &[String], id: &str, target: &str, after: bool) -> Option<Vec<String>> {
    let mut order: Vec<String> = ids.iter().filter(|have| *have != id).cloned().collect();
    if order.len() == ids.len() {
        return None;
    }
    let at = order.iter().position(|have| have == target)? + usize::from(after);
    order.insert(at, id.to_owned());
    (order != ids).then_some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn one_step_stays_within_the_chain() {
        let chain = ids("a b c");
        assert_eq!(moved(&chain, "b", -1), Some(ids("b a c")));
        assert_eq!(moved(&chain, "b", 1), Some(ids("a c b")));
        assert_eq!((moved(&chain, "a", -1), moved(&chain, "c", 1), moved(&chain, "x", 1)), (None, None, None));
    }

    #[test]
    fn a_drop_lands_on_the_side_that_was_shown() {
        let chain = ids("a b c");
        assert_eq!(dropped(&chain, "a", "c", true), Some(ids("b c a")));
        assert_eq!(dropped(&chain, "c", "a", false), Some(ids("c a b")));
        assert_eq!(dropped(&chain, "a", "b", false), None, "where it was");
        assert_eq!(dropped(&chain, "a", "a", true), None, "on itself");
        assert_eq!(dropped(&chain, "x", "a", true), None, "not of this chain");
    }
}
