//! What certificates say that rustls does not ask: until when, and who.

use std::{fmt, time::SystemTime};

use lc_core::alloy_primitives::hex;
use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate,
    der::{self, Decode, Encode},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// Most characters of a client's name in logs.
const MAX_NAME_CHARS: usize = 64;

/// Bytes of a fingerprint that logs show: enough to tell a few thousand clients apart.
const SHOWN_BYTES: usize = 8;

/// SHA-256 of a public key (the DER of its SubjectPublicKeyInfo): the same for every certificate of the
/// same key, as `openssl pkey -pubin -outform der | sha256sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(pub [u8; 32]);

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who a client is, by the certificate that it was let in with. Quotas go by the key: the name is
/// whatever the CA let it write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Its key's. Stays through renewals with the same key.
    pub fingerprint: KeyFingerprint,
    /// For logs: the subject's common name, else the first DNS name or URI; printable ASCII, 64 characters
    /// at most; `unnamed` where there is nothing.
    pub name: String,
}

impl fmt::Display for ClientIdentity {
    /// The name and the start of the fingerprint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, hex::encode(&self.fingerprint.0[..SHOWN_BYTES]))
    }
}

impl ClientIdentity {
    /// Reads it from a leaf certificate that was verified.
    pub(super) fn of(certificate: &[u8]) -> Result<Self, der::Error> {
        let certificate = Certificate::from_der(certificate)?;
        let key = certificate.tbs_certificate().subject_public_key_info().to_der()?;
        let fingerprint = KeyFingerprint(Sha256::digest(key).into());
        Ok(Self { fingerprint, name: name(&certificate) })
    }
}

/// From when to when a certificate may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

impl Validity {
    pub(super) fn of(certificate: &[u8]) -> Result<Self, der::Error> {
        let certificate = Certificate::from_der(certificate)?;
        let validity = certificate.tbs_certificate().validity();
        Ok(Self {
            not_before: validity.not_before.to_system_time(),
            not_after: validity.not_after.to_system_time(),
        })
    }
}

/// A time as `2031-05-01T00:00:00Z`, or nothing for years that a certificate cannot hold.
pub(super) fn date(time: SystemTime) -> String {
    der::DateTime::from_system_time(time).map_or_else(|_| String::new(), |date| date.to_string())
}

fn name(certificate: &Certificate) -> String {
    let subject = certificate.tbs_certificate().subject();
    let common = subject.common_name().ok().flatten().map(|name| name.value().into_owned());
    let found = common.filter(|name| !name.trim().is_empty()).or_else(|| alternative(certificate));
    found.map_or_else(|| "unnamed".to_owned(), |name| printable(&name))
}

fn alternative(certificate: &Certificate) -> Option<String> {
    let names = certificate.tbs_certificate().get_extension::<SubjectAltName>().ok()??.1;
    names.0.iter().find_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        _ => None,
    })
}

/// Fit for a line of a log. Pure.
fn printable(name: &str) -> String {
    let plain = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    name.trim().chars().take(MAX_NAME_CHARS).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn certificate(common: Option<&str>, sans: Vec<SanType>, key: &KeyPair) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if let Some(common) = common {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        params.subject_alt_names = sans;
        params.not_before = date_time_ymd(2001, 2, 3);
        params.not_after = date_time_ymd(2051, 4, 5);
        params.self_signed(key).unwrap().der().to_vec()
    }

    fn name_of(common: Option<&str>, sans: Vec<SanType>) -> String {
        let key = KeyPair::generate().unwrap();
        ClientIdentity::of(&certificate(common, sans, &key)).unwrap().name
    }

    #[test]
    fn a_client_is_called_by_its_common_name_or_else_its_first_dns_name_or_uri() {
        let dns = || SanType::DnsName("bridge.example".try_into().unwrap());
        let uri = || SanType::URI("spiffe://example/bridge".try_into().unwrap());
        let mail = || SanType::Rfc822Name("a@b.example".try_into().unwrap());
        assert_eq!(name_of(Some("bridge"), vec![dns()]), "bridge");
        assert_eq!(name_of(None, vec![mail(), dns(), uri()]), "bridge.example");
        assert_eq!(name_of(Some(" "), vec![uri(), dns()]), "spiffe://example/bridge");
        assert_eq!(name_of(None, vec![]), "unnamed");
    }

    #[test]
    fn a_name_cannot_break_out_of_a_line_of_the_log() {
        assert_eq!(name_of(Some("a\nb\x1b[31m\u{e9}"), vec![]), "a?b?[31m?");
        assert_eq!(name_of(Some(&"x".repeat(300)), vec![]).len(), 64);
    }

    #[test]
    fn a_client_is_known_by_its_key_through_renewals() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let of = |name, key| ClientIdentity::of(&certificate(Some(name), vec![], key)).unwrap();
        let (first, renewed) = (of("one", &key), of("two", &key));
        assert_eq!(first.fingerprint, renewed.fingerprint);
        assert_ne!(first.fingerprint, of("one", &other).fingerprint);
        let whole = first.fingerprint.to_string();
        assert_eq!(first.to_string(), format!("one ({})", &whole[..16]));
    }

    #[test]
    fn validity_is_read_to_the_second_on_both_sides_of_2050() {
        let key = KeyPair::generate().unwrap();
        let validity = Validity::of(&certificate(None, vec![], &key)).unwrap();
        assert_eq!(date(validity.not_before), "2001-02-03T00:00:00Z");
        assert_eq!(date(validity.not_after), "2051-04-05T00:00:00Z");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let key = KeyPair::generate().unwrap();
        let whole = certificate(Some("x"), vec![], &key);
        for cut in [0, 1, 10, whole.len() - 1] {
            assert!(ClientIdentity::of(&whole[..cut]).is_err());
            assert!(Validity::of(&whole[..cut]).is_err());
        }
    }
}
