//! A service account's key file, and the tokens it signs: no server is asked for one.
//!
//! Sources: <https://google.aip.dev/auth/4111>, <https://google.aip.dev/auth/4112>.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{self, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use crate::Secret;

/// One who may sign.
pub(super) struct Account {
    email: String,
    key_id: Option<String>,
    key: KeyPair,
    /// Where it belongs.
    pub(super) project: Option<String>,
}

/// As downloaded from Google.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    client_email: String,
    private_key: Option<Secret>,
    private_key_id: Option<String>,
    project_id: Option<String>,
}

impl Account {
    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without quoting it.
    pub(super) fn read(json: &str) -> Result<Self, &'static str> {
        let file: File = serde_json::from_str(json).map_err(|_| "must be the JSON of a service account's key")?;
        if file.kind != "service_account" {
            return Err("must be the key of a service account; other kinds of credentials are not known");
        }
        let pem = file.private_key.filter(|_| !file.client_email.is_empty());
        let pem = pem.ok_or("must have client_email and private_key")?;
        let der = der(pem.expose_secret()).ok_or("must have a private_key in PEM form")?;
        let key = KeyPair::from_pkcs8(&der).map_err(|_| "must have an RSA private_key in PKCS #8 form")?;
        Ok(Self { email: file.client_email, key_id: file.private_key_id, key, project: file.project_id })
    }

    /// A token for a service, good from `now`, in seconds since 1970, for [`LIFETIME`] seconds.
    ///
    /// # Errors
    ///
    /// That the key does not sign.
    pub(super) fn sign(&self, audience: &str, now: i64) -> Result<Secret, &'static str> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = &self.key_id {
            header["kid"] = id.as_str().into();
        }
        let claims = json!({"iss": self.email, "sub": self.email, "aud": audience, "iat": now, "exp": now + LIFETIME});
        let encode = |bytes: &[u8]| general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let padding: &'static dyn signature::RsaEncoding = &RSA_PKCS1_SHA256;
        let made = self.key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        made.map_err(|_| "the private key does not sign")?;
        Ok(format!("{signed}.{}", encode(&signature)).into())
    }
}

/// What a PEM text holds.
fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: String = body.split_whitespace().collect();
    general_purpose::STANDARD.decode(body).ok()
}

/// Seconds; exactly this is required.
pub(super) const LIFETIME: i64 = 3_600;

#[cfg(test)]
pub(super) mod tests {
    use aws_lc_rs::{
        encoding::AsDer,
        rsa::KeySize,
        signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
    };
    use serde_json::Value;

    use super::*;

    /// A key file with a key of its own.
    pub(in crate::google) fn key_file() -> (String, KeyPair) {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = key.as_der().unwrap();
        let bytes: &[u8] = der.as_ref();
        let der = general_purpose::STANDARD.encode(bytes);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
        let file = json!({
            "type": "service_account", "project_id": "relay-1", "private_key_id": "abc", "private_key": pem,
            "client_email": "ear@relay-1.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
        });
        (file.to_string(), key)
    }

    #[test]
    fn tokens_say_who_signs_and_verify_with_the_public_key() {
        let (file, key) = key_file();
        let account = Account::read(&file).unwrap();
        assert_eq!(account.project.as_deref(), Some("relay-1"));
        let token = account.sign("https://speech.googleapis.com/", 1_511_900_000).unwrap();
        let parts: Vec<_> = token.expose_secret().split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("three parts") };
        let decode = |part: &str| general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
        assert_eq!(json(header), json!({"alg": "RS256", "typ": "JWT", "kid": "abc"}));
        let email = "ear@relay-1.iam.gserviceaccount.com";
        let audience = "https://speech.googleapis.com/";
        let expected = json!({"iss": email, "sub": email, "aud": audience, "iat": 1_511_900_000, "exp": 1_511_903_600});
        assert_eq!(json(claims), expected);
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key());
        public.verify(format!("{header}.{claims}").as_bytes(), &decode(signature)).unwrap();
    }

    #[test]
    fn other_files_are_refused_without_being_quoted() {
        for (file, why) in [
            ("", "JSON"),
            (r#"{"type":"authorized_user","refresh_token":"very-secret"}"#, "other kinds"),
            (r#"{"type":"service_account","client_email":"a@b"}"#, "private_key"),
            (r#"{"type":"service_account","client_email":"a@b","private_key":"very-secret"}"#, "PEM"),
            (
                r#"{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}"#,
                "RSA",
            ),
        ] {
            let said = Account::read(file).err().unwrap();
            assert!(said.contains(why) && !said.contains("very-secret"), "{said}");
        }
    }
}
