//! The action table.

use super::kind::Action;
use super::row::Row;
use super::rows::AREAS;

/// The table: all areas, one after the other.
pub const TABLE: &[Row] = &JOINED;

const JOINED: [Row; count()] = {
    let mut joined = [AREAS[0][0]; count()];
    let (mut area, mut filled) = (0, 0);
    while area < AREAS.len() {
        let mut i = 0;
        while i < AREAS[area].len() {
            joined[filled] = AREAS[area][i];
            (i, filled) = (i + 1, filled + 1);
        }
        area += 1;
    }
    joined
};

const fn count() -> usize {
    let (mut area, mut count) = (0, 0);
    while area < AREAS.len() {
        count += AREAS[area].len();
        area += 1;
    }
    count
}

/// The row of an action.
pub fn find(action: Action) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.action == action)
}
