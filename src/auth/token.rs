//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), good for minutes and no longer than their login.
//!
//! One algorithm and one issuer are taken, whatever a token says of itself (RFC 8725, 3.1). Pure: keys and time are given.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::{
    LoginId, SigningKeyId, UserId,
    signing::{NewKey, SigningKey},
};

/// What an access token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    /// The person.
    pub(super) sub: UserId,
    pub(super) email: String,
    /// What the person might do when it was made; what they may do is looked up.
    pub(super) role: String,
    /// Seconds since 1970, as `exp`.
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) jti: Uuid,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The login it is part of.
    pub(super) sid: LoginId,
}

/// A fresh pair of keys.
pub(super) struct Pair {
    /// PKCS#8.
    pub(super) secret: Vec<u8>,
    /// The 32 bytes.
    pub(super) public: Vec<u8>,
}

impl Pair {
    pub(super) fn make() -> Self {
        let random = "the operating system gives random bytes";
        let pair = Ed25519KeyPair::generate().expect(random);
        let secret = pair.to_pkcs8().expect("a key that was just made can be written down");
        Self { secret: secret.as_ref().to_vec(), public: pair.public_key().as_ref().to_vec() }
    }

    /// As the store takes it.
    pub(super) fn as_new(&self) -> NewKey<'_> {
        NewKey { secret: &self.secret, public: &self.public }
    }
}

/// Whether a credential is a signed token of whatever making, as opposed to a key: keys have no dots.
pub(super) fn is_one(credential: &Secret) -> bool {
    let text = credential.expose_secret();
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Writes and signs a token.
pub(super) fn sign(claims: &Claims, key: &SigningKey) -> Secret {
    let header = Header { kid: Some(key.id.to_string()), ..Header::new(ALGORITHM) };
    let key = EncodingKey::from_ed_der(key.secret.expose_secret());
    jsonwebtoken::encode(&header, claims, &key).expect("keys that we made sign, and claims are plain JSON").into()
}

/// Which key a token says it was signed with.
pub(super) fn key_of(token: &Secret) -> Option<SigningKeyId> {
    let header = jsonwebtoken::decode_header(token.expose_secret()).ok()?;
    (header.alg == ALGORITHM).then_some(header.kid?)?.parse().ok()
}

/// What a token says, if it was signed with this key and is good at `now`.
pub(super) fn read(token: &Secret, public: &[u8], now: Timestamp) -> Option<Claims> {
    let mut validation = Validation::new(ALGORITHM);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    // That would ask the system's clock.
    validation.validate_exp = false;
    let claims: Claims =
        jsonwebtoken::decode(token.expose_secret(), &DecodingKey::from_ed_der(public), &validation).ok()?.claims;
    let now = now.as_second();
    let timely = claims.iat <= now.saturating_add(LEEWAY) && now < claims.exp.saturating_add(LEEWAY);
    (timely && claims.kind == KIND).then_some(claims)
}

/// The one algorithm: short signatures, and whoever only checks them cannot make them.
const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// Who makes them.
pub(super) const ISSUER: &str = "voice-relay";

/// What they are; there is no other kind, but there may be.
pub(super) const KIND: &str = "access";

/// How far the clocks of relays on one database may differ, in seconds.
const LEEWAY: i64 = 5;

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use secrecy::SecretBox;
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key() -> (SigningKey, Vec<u8>) {
        let pair = Pair::make();
        (SigningKey { id: SigningKeyId::new(at(0)), secret: SecretBox::new(pair.secret.into()) }, pair.public)
    }

    fn claims() -> Claims {
        Claims {
            iss: ISSUER.into(),
            sub: UserId::new(at(0)),
            email: "ann@example.org".into(),
            role: "user".into(),
            iat: 1000,
            exp: 1900,
            jti: Uuid::nil(),
            kind: KIND.into(),
            sid: LoginId::new(at(0)),
        }
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let (key, public) = key();
        let token = sign(&claims(), &key);
        assert!(is_one(&token));
        assert_eq!(key_of(&token), Some(key.id));
        assert_eq!(read(&token, &public, at(1000)), Some(claims_of(&token)));
        for (now, good) in [(994, false), (995, true), (1904, true), (1905, false)] {
            assert_eq!(read(&token, &public, at(now)).is_some(), good, "{now}");
        }
    }

    #[test]
    fn another_issuer_or_kind_or_key_is_nothing_to_us() {
        let (key, public) = key();
        for wrong in [Claims { iss: "another".into(), ..claims() }, Claims { kind: "refresh".into(), ..claims() }] {
            assert_eq!(read(&sign(&wrong, &key), &public, at(1000)), None, "{wrong:?}");
        }
        let (_, other) = self::key();
        assert_eq!(read(&sign(&claims(), &key), &other, at(1000)), None);
    }

    #[test]
    fn no_other_algorithm_is_taken_whatever_the_header_says() {
        let (key, public) = key();
        let token = sign(&claims(), &key);
        let [_, body, signature] = parts(&token);
        for algorithm in ["none", "None", "HS256", "RS256", "ES256"] {
            let header = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "kid": key.id}).to_string());
            for signature in ["", &signature] {
                let forged = Secret::from(format!("{header}.{body}.{signature}"));
                assert_eq!((key_of(&forged), read(&forged, &public, at(1000))), (None, None), "{algorithm}");
            }
        }
        // The public key as if it were a shared secret.
        let header = Header { kid: Some(key.id.to_string()), ..Header::new(Algorithm::HS256) };
        let confused = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&public)).unwrap().into();
        assert_eq!((key_of(&confused), read(&confused, &public, at(1000))), (None, None));
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed() {
        let (key, public) = key();
        let token = sign(&claims(), &key);
        let [header, body, signature] = parts(&token);
        let flipped = |part: &str, at: usize| {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
            bytes[at] ^= 1;
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        };
        for at_byte in 0..64 {
            let forged = Secret::from(format!("{header}.{body}.{}", flipped(&signature, at_byte)));
            assert_eq!(read(&forged, &public, at(1000)), None);
            let forged = Secret::from(format!("{header}.{}.{signature}", flipped(&body, at_byte)));
            assert_eq!(read(&forged, &public, at(1000)), None);
        }
    }

    fn parts(token: &Secret) -> [String; 3] {
        let parts: Vec<_> = token.expose_secret().split('.').map(str::to_owned).collect();
        parts.try_into().unwrap()
    }

    fn claims_of(token: &Secret) -> Claims {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&parts(token)[1]).unwrap()).unwrap()
    }
}
