//! Codes: encodings, digests, URLs, and numbers with check digits.

mod base32_decode;
mod base32_encode;
mod base64_decode;
mod base64_encode;
mod base64url_decode;
mod base64url_encode;
mod blake3;
mod format_gtin;
mod format_iban;
mod format_isbn;
mod gtin_digit;
mod hex_decode;
mod hex_encode;
mod is_aba;
mod is_bic;
mod is_gtin;
mod is_iban;
mod is_isbn;
mod is_isin;
mod is_issn;
mod is_lei;
mod is_luhn;
mod is_npi;
mod is_uuid;
mod is_vin;
mod json_decode;
mod json_encode;
mod luhn_digit;
mod md5;
mod sha1;
mod sha256;
mod sha512;
mod totp;
mod url_decode;
mod url_encode;
mod url_parts;
mod url_query;
mod uuid5;

use super::{Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, misuse};
use crate::record::Value;

/// Codes.
pub(super) static GROUP: Group = Group {
    name: "Codes",
    about: "Encodings, digests, URLs, and numbers with check digits.",
    functions: &[
        &base32_decode::BASE32_DECODE,
        &base32_encode::BASE32_ENCODE,
        &base64_decode::BASE64_DECODE,
        &base64_encode::BASE64_ENCODE,
        &base64url_decode::BASE64URL_DECODE,
        &base64url_encode::BASE64URL_ENCODE,
        &blake3::BLAKE3,
        &format_gtin::FORMAT_GTIN,
        &format_iban::FORMAT_IBAN,
        &format_isbn::FORMAT_ISBN,
        &gtin_digit::GTIN_DIGIT,
        &hex_decode::HEX_DECODE,
        &hex_encode::HEX_ENCODE,
        &is_aba::IS_ABA,
        &is_bic::IS_BIC,
        &is_gtin::IS_GTIN,
        &is_iban::IS_IBAN,
        &is_isbn::IS_ISBN,
        &is_isin::IS_ISIN,
        &is_issn::IS_ISSN,
        &is_lei::IS_LEI,
        &is_luhn::IS_LUHN,
        &is_npi::IS_NPI,
        &is_uuid::IS_UUID,
        &is_vin::IS_VIN,
        &json_decode::JSON_DECODE,
        &json_encode::JSON_ENCODE,
        &luhn_digit::LUHN_DIGIT,
        &md5::MD5,
        &sha1::SHA1,
        &sha256::SHA256,
        &sha512::SHA512,
        &totp::TOTP,
        &url_decode::URL_DECODE,
        &url_encode::URL_ENCODE,
        &url_parts::URL_PARTS,
        &url_query::URL_QUERY,
        &uuid5::UUID5,
    ],
};

/// Bytes in hexadecimal.
fn hex<'a>(bytes: &[u8], call: &Call<'_, 'a>) -> Outcome<'a> {
    let mut text = call.text(bytes.len().saturating_mul(2))?;
    data_encoding::HEXLOWER.encode_write(bytes, &mut text).map_err(|_| Failure::limit())?;
    Ok(Value::String(text.into_bump_str()))
}

/// Appends text as a part of a URL.
fn put_url(text: &str, out: &mut bumpalo::collections::String<'_>) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}
