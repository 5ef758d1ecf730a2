//! The only file that names every room. Their order is the order in which they fold.

use baton_desk::Room;

pub(crate) fn rooms() -> Vec<Room> {
    vec![baton_desk::accounts::room(), baton_registry::room(), baton_screening::room(), baton_custody::room(), baton_laboratory::room()]
}
