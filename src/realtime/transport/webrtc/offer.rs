//! A client's offer, and what it is answered: Opus both ways, one channel for events, nothing else.
//!
//! The relay is an ICE-lite agent (RFC 8445, 2.5): it tells all its candidates and learns the client's from its checks, so
//! an offer without any is fine, and nothing needs to be trickled.

use std::time::{Duration, Instant};

use str0m::{
    Candidate, Rtc, RtcConfig,
    change::SdpOffer,
    format::Codec,
    media::{Direction, MediaKind, Mid, Pt},
    net::TcpType,
};

use super::reach::Reach;

/// Longest offer, in bytes. A browser's with audio, video and a channel has 6 KiB.
const LONGEST: usize = 64 << 10;
/// Most media of an offer. A browser has one of each kind.
const MOST_MEDIA: usize = 8;
/// Between looks at what of the reply's sound the client misses.
const STATS: Duration = Duration::from_secs(5);
/// Largest event a client may send over the data channel. Longer sound is to come over RTP.
pub(super) const LARGEST_EVENT: u32 = 256 << 10;

/// Why an offer is refused. The caller answers 400.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It is not SDP.
    #[error("the offer is not SDP (RFC 8866): {0}")]
    Malformed(String),
    /// Nobody needs as much.
    #[error("the offer has {what}; at most {most} are allowed")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        most: usize,
    },
    /// There is no audio in it.
    #[error("the offer has no audio: add a track or a transceiver of kind audio")]
    NoAudio,
    /// There is audio, but no Opus.
    #[error("the offer has no Opus among its audio codecs")]
    NoOpus,
    /// It cannot be answered.
    #[error("the offer cannot be answered: {0}")]
    Unanswerable(String),
}

/// A call that can begin.
pub struct Answered {
    /// Our side of it.
    pub rtc: Rtc,
    /// The answer, to be sent to the client.
    pub sdp: String,
    /// Our ICE user name fragment, by which its datagrams are known.
    pub name: String,
    /// Where its sound is.
    pub audio: Audio,
    /// Whether there will be a channel for events.
    pub events: bool,
}

/// The one audio of a call.
#[derive(Clone, Copy, Debug)]
pub struct Audio {
    /// Which media.
    pub mid: Mid,
    /// Payload type of Opus, as the client numbers it.
    pub opus: Pt,
    /// Whether the client listens.
    pub listens: bool,
}

/// Answers an offer, for a relay that is reached so.
pub fn answer(offer: &str, reach: &Reach, now: Instant) -> Result<Answered, Refused> {
    if offer.len() > LONGEST {
        return Err(Refused::TooMuch { what: "more bytes than an offer needs", most: LONGEST });
    }
    let media = || offer.lines().filter_map(|line| line.strip_prefix("m="));
    if media().count() > MOST_MEDIA {
        return Err(Refused::TooMuch { what: "more media than a call needs", most: MOST_MEDIA });
    }
    let parsed = SdpOffer::from_sdp_string(offer).map_err(|error| Refused::Malformed(error.to_string()))?;
    if !media().any(|line| line.starts_with("audio ")) {
        return Err(Refused::NoAudio);
    }
    let mut rtc = config().build(now);
    for candidate in candidates(reach) {
        rtc.add_local_candidate(candidate);
    }
    let unanswerable = |error: str0m::RtcError| Refused::Unanswerable(error.to_string());
    let sdp = rtc.sdp_api().accept_offer(parsed).map_err(unanswerable)?.to_sdp_string();
    let sdp = with_declined(&sdp, offer);
    if sections(&sdp).len() != media().count() + 1 {
        return Err(Refused::Unanswerable("its media cannot be told apart".to_owned()));
    }
    let audio = audio(&rtc, &sdp).ok_or(Refused::NoOpus)?;
    let name = rtc.direct_api().local_ice_credentials().ufrag;
    let events = media().any(|line| line.starts_with("application "));
    Ok(Answered { rtc, sdp, name, audio, events })
}

fn config() -> RtcConfig {
    // The jitter buffer is ours, so packets are wanted as they come.
    RtcConfig::new()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .set_sctp_max_message_size(LARGEST_EVENT)
        .set_stats_interval(Some(STATS))
}

fn candidates(reach: &Reach) -> impl Iterator<Item = Candidate> {
    let udp = reach.udp.iter().map(|address| Candidate::host(*address, "udp"));
    let tcp =
        reach.tcp.iter().map(|address| Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build());
    udp.chain(tcp).filter_map(Result::ok)
}

/// An answer with a place for every media offered: those of kinds nobody here knows (text, message, image) are declined
/// by port 0 (RFC 3264, section 6), which the library leaves out.
fn with_declined(answer: &str, offer: &str) -> String {
    let mut sections = sections(answer);
    for (place, offered) in self::sections(offer).iter().enumerate().skip(1) {
        let mut line = offered.lines().next().unwrap_or_default().splitn(3, ' ');
        let (Some(kind), Some(_port), Some(rest)) = (line.next(), line.next(), line.next()) else { continue };
        if !["m=audio", "m=video", "m=application"].contains(&kind) {
            let mid = offered.lines().find(|line| line.starts_with("a=mid:")).unwrap_or("a=inactive");
            let declined = format!("{kind} 0 {rest}\r\nc=IN IP4 0.0.0.0\r\n{mid}\r\n");
            sections.insert(place.min(sections.len()), declined);
        }
    }
    sections.concat()
}

/// The session's part of a description, then each media's.
fn sections(sdp: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in sdp.split_inclusive('\n') {
        match sections.last_mut() {
            Some(section) if !line.starts_with("m=") => section.push_str(line),
            _ => sections.push(line.to_owned()),
        }
    }
    sections
}

/// The first audio that was agreed upon.
fn audio(rtc: &Rtc, answer: &str) -> Option<Audio> {
    let mids = answer.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    let media = mids.filter_map(|mid| rtc.media(Mid::from(mid.trim())));
    let opus = |pt: &Pt| {
        let known = rtc.codec_config().params().iter().find(|params| params.pt() == *pt);
        known.is_some_and(|params| params.spec().codec == Codec::Opus)
    };
    media.filter(|media| media.kind() == MediaKind::Audio && !media.disabled()).find_map(|media| {
        let opus = media.remote_pts().iter().copied().find(opus)?;
        let listens = matches!(media.direction(), Direction::SendOnly | Direction::SendRecv);
        Some(Audio { mid: media.mid(), opus, listens })
    })
}
