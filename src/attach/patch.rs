//! What changed between two JSON documents: a merge patch (RFC 7386). Pure.
//!
//! A merge patch takes a member away where it says `null`, so a document with `null` in it comes back without that
//! member. Who reads snapshots takes a missing member for `None`, so that is the same.

use serde_json::{Map, Value};

/// What turns `old` into `new`. `None`: nothing changed.
pub(super) fn diff(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) => {
                if let Some(change) = diff(before, value) {
                    patch.insert(key.clone(), change);
                }
            }
            None if value.is_null() => {}
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Turns `document` into what the patch was made for (RFC 7386, 2).
pub(super) fn apply(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(members) = document else { return };
    for (key, value) in patch {
        if value.is_null() {
            members.remove(key);
        } else {
            apply(members.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A document without members that are `null`, as a reader of snapshots sees it.
    fn bare(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let kept = members.iter().filter(|(_, value)| !value.is_null());
                Value::Object(kept.map(|(key, value)| (key.clone(), bare(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        let inner = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(0..3, 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        });
        prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_patch_makes_the_new_of_the_old(old in documents(), new in documents()) {
            let mut document = bare(&old);
            if let Some(patch) = diff(&old, &new) {
                apply(&mut document, &patch);
            }
            prop_assert_eq!(bare(&document), bare(&new));
        }
    }

    #[test]
    fn only_what_changed_is_said() {
        let old = json!({"rev": 1, "machine": {"x": 1.0, "state": "Idle"}, "list": [1, 2], "gone": 5});
        let new = json!({"rev": 2, "machine": {"x": 2.0, "state": "Idle"}, "list": [1, 2]});
        assert_eq!(diff(&old, &new), Some(json!({"rev": 2, "machine": {"x": 2.0}, "gone": null})));
        assert_eq!(diff(&old, &old), None);
    }
}
