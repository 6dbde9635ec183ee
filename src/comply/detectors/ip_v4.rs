//! IPv4 addresses.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::is_word;
use std::net::Ipv4Addr;

pub(super) static DETECTOR: Detector = Detector {
    name: "ip_v4",
    class: "pii.device.ip",
    about: "IPv4 addresses: four numbers to 255; a name must say so, as versions look alike. Private and documentation ranges weigh less.",
    looks: &[Looks::Quad(check)],
    words: &["ip", "ipv4", "ip address", "ipaddress", "remote addr", "client ip", "host", "adresse ip", "forwarded"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["client ip 81.2.69.160"],
    finds_if_named: &["81.2.69.160", "10.0.0.1"],
    passes: &["256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = std::str::from_utf8(site.word()).ok()?;
    let address: Ipv4Addr = text.parse().ok()?;
    let is_local = address.is_loopback() || address.is_unspecified() || address.is_broadcast();
    if is_local || is_word(site.text, site.start.wrapping_sub(1)) {
        return None;
    }
    let nobody =
        address.is_private() || address.is_link_local() || address.is_documentation() || address.is_multicast();
    site.found(if nobody { Grade::Weak } else { Grade::Possible })
}
