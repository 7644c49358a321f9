//! How often somebody may be wrong.

use std::time::Duration;

use crate::buckets::Limit;

/// Credentials per address: more than any misconfigured client makes before a person looks, and one guess a second is
/// hopeless against the sixteen characters an admin key must have. Some 400 KiB of addresses.
pub(super) const CREDENTIALS: Limit = Limit { burst: 60.0, drain: Duration::from_secs(1), most: 4096 };

/// Passwords per address: an office behind one address on a Monday morning, and then one every ten seconds.
pub(super) const LOGINS: Limit = Limit { burst: 30.0, drain: Duration::from_secs(10), most: 4096 };

/// Passwords per account, from wherever: 3000 guesses a day against the 10^8 that a password must be good for. Its owner
/// waits half a minute at worst once whoever guesses has been stopped.
pub(super) const ACCOUNT: Limit = Limit { burst: 10.0, drain: Duration::from_secs(30), most: 16_384 };

/// Accounts made per address.
pub(super) const REGISTRATIONS: Limit = Limit { burst: 10.0, drain: Duration::from_secs(60), most: 4096 };

/// Passwords per link, from wherever: more in a row than a person mistypes, and then some three thousand a day.
pub(super) const LINK: Limit = Limit { burst: 10.0, drain: Duration::from_secs(30), most: 4096 };
