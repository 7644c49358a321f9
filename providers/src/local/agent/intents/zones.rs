//! Time zones of places people ask about, by IANA name.

use jiff::{Zoned, tz::TimeZone};

use super::super::heard::{Word, lead};

/// The clock of a place named at the start of these words: its name, and the time there if the machine knows the zone.
pub(super) fn read(words: &[Word], now: &Zoned) -> Option<(&'static str, Option<Zoned>)> {
    let (name, zone) = PLACES.iter().find(|(name, _)| lead(words, &name.to_lowercase()).is_some())?;
    let there = TimeZone::get(zone).ok().map(|zone| now.with_time_zone(zone));
    Some((name, there))
}

#[rustfmt::skip]
const PLACES: [(&str, &str); 47] = [
    ("New York", "America/New_York"), ("Washington", "America/New_York"), ("Boston", "America/New_York"),
    ("Miami", "America/New_York"), ("Toronto", "America/Toronto"), ("Chicago", "America/Chicago"),
    ("Denver", "America/Denver"), ("Los Angeles", "America/Los_Angeles"), ("San Francisco", "America/Los_Angeles"),
    ("Seattle", "America/Los_Angeles"), ("California", "America/Los_Angeles"), ("Vancouver", "America/Vancouver"),
    ("Honolulu", "Pacific/Honolulu"), ("Hawaii", "Pacific/Honolulu"), ("Mexico City", "America/Mexico_City"),
    ("Sao Paulo", "America/Sao_Paulo"), ("Buenos Aires", "America/Argentina/Buenos_Aires"),
    ("London", "Europe/London"), ("England", "Europe/London"), ("Dublin", "Europe/Dublin"),
    ("Lisbon", "Europe/Lisbon"), ("Paris", "Europe/Paris"), ("France", "Europe/Paris"), ("Berlin", "Europe/Berlin"),
    ("Germany", "Europe/Berlin"), ("Madrid", "Europe/Madrid"), ("Rome", "Europe/Rome"), ("Vienna", "Europe/Vienna"),
    ("Zurich", "Europe/Zurich"), ("Amsterdam", "Europe/Amsterdam"), ("Stockholm", "Europe/Stockholm"),
    ("Athens", "Europe/Athens"), ("Istanbul", "Europe/Istanbul"), ("Moscow", "Europe/Moscow"),
    ("Cairo", "Africa/Cairo"), ("Lagos", "Africa/Lagos"), ("Nairobi", "Africa/Nairobi"), ("Dubai", "Asia/Dubai"),
    ("Mumbai", "Asia/Kolkata"), ("India", "Asia/Kolkata"), ("Singapore", "Asia/Singapore"),
    ("Beijing", "Asia/Shanghai"), ("Hong Kong", "Asia/Hong_Kong"), ("Tokyo", "Asia/Tokyo"), ("Japan", "Asia/Tokyo"),
    ("Sydney", "Australia/Sydney"), ("Auckland", "Pacific/Auckland"),
];
