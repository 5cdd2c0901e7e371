//! Addresses. `core::net` has no sockets, so this is plain data.

use core::net::IpAddr;

/// Only programs on this computer reach it there, in either version of IP.
pub const fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_127_is_here_however_it_is_written() {
        let is = |text: &str| is_loopback(text.parse().unwrap());
        assert!(is("127.0.0.1") && is("127.8.9.1") && is("::1") && is("::ffff:127.0.0.1"));
        assert!(!is("10.0.0.1") && !is("0.0.0.0") && !is("::") && !is("::ffff:10.0.0.1"));
    }
}
