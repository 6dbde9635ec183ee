//! Codes of the formats: why a stream or one record of it cannot be read or written.

use super::Code;

/// Options that contradict each other.
pub static FORMAT_OPTIONS: Code = Code::new(
    "format-options",
    "options of a format do not go together",
    "An option of the format has a value that cannot work, alone or beside another one: a delimiter that is also the quote, a delimiter outside ASCII, a path with an index for `records`. The text names both; change one of them.",
);
/// A record that is not UTF-8.
pub static FORMAT_ENCODING: Code = Code::new(
    "format-encoding",
    "the bytes are not UTF-8",
    "Text is read as UTF-8. A byte that cannot stand in UTF-8 rejects its record, the other records are read. If the whole file is in another encoding (Excel often writes windows-1252), say so: `encoding: windows-1252` in the stream's options.",
);
/// A record beyond the limit.
pub static FORMAT_RECORD_SIZE: Code = Code::new(
    "format-record-size",
    "a record is larger than the limit",
    "No end of the record was found within `max_record_bytes`. Memory stays bounded because reading stops here. Either the records really are that large (raise `max_record_bytes`) or the file is not what the stream says: another format, another line end, a quote that never closes.",
);
/// A CSV header that cannot name columns.
pub static CSV_HEADER: Code = Code::new(
    "csv-header",
    "the CSV header cannot be used",
    "Two columns have the same name, or the header and the option `columns` differ in number. With `duplicate_headers: number` the second `OrderID` becomes `OrderID_2`; with `columns: [...]` you name them yourself; with `skip_lines: N` lines above the header are passed over.",
);
/// A row with too few or too many fields.
pub static CSV_RAGGED: Code = Code::new(
    "csv-ragged",
    "a row has more or fewer fields than the header",
    "Every row must have as many fields as the header has names; otherwise values would silently stand under the wrong name. The usual causes are a delimiter inside a field that is not quoted, or a row that was cut. `ragged: pad` treats absent last fields as missing.",
);
/// A quote that never closes, or text behind a closing one.
pub static CSV_QUOTE: Code = Code::new(
    "csv-quote",
    "a quote in a CSV file is wrong",
    "A quoted field is not closed before the file ends, or text follows its closing quote. A quote inside a quoted field is written twice (`\"\"`), or with a backslash where `escape: backslash` is set. If quotes mean nothing in this file, set `quote: none`.",
);
/// A field that is not of its declared type.
pub static FIELD_TYPE: Code = Code::new(
    "field-type",
    "a field is not of its declared type",
    "The stream declares a type for the field, and the value in this record is none of that type. The record is rejected. Dates are `YYYY-MM-DD`, timestamps RFC 3339 with an offset, decimals have a point (a comma with `decimal_comma: true`). Declare the field as `string` and convert it in the mapping if the data is mixed.",
);
/// Text that is no JSON.
pub static JSON_SYNTAX: Code = Code::new(
    "json-syntax",
    "the text is not JSON",
    "The record does not follow RFC 8259 at the place named. For NDJSON every record stands on one line; pretty-printed JSON is read with `format: json`.",
);
/// Structures within structures beyond the limit.
pub static JSON_DEPTH: Code = Code::new(
    "json-depth",
    "JSON is nested too deeply",
    "Lists and objects stand within each other more levels deep than `max_depth` allows. Data made by people or programs stays far below; raise `max_depth` if yours does not.",
);
/// A key that stands twice in one object.
pub static JSON_DUPLICATE_KEY: Code = Code::new(
    "json-duplicate-key",
    "a key stands twice in one JSON object",
    "Programs differ in which of two values with the same key they take, so the record is rejected. With `duplicate_keys: last` the last one counts.",
);
/// Half of a UTF-16 pair.
pub static JSON_SURROGATE: Code = Code::new(
    "json-surrogate",
    "half of a surrogate pair in a JSON string",
    "An escape from `\\ud800` to `\\udfff` stands alone: it is half of a character, the text was cut in the middle of it. There is no such text in UTF-8, so the record is rejected.",
);
/// A record that does not have the form its format demands.
pub static FORMAT_RECORD: Code = Code::new(
    "format-record",
    "a record does not have the form of its format",
    "The text can be read, but it is no record: in JSON and NDJSON a record is an object (`{...}`), and a list, a text or a number stands here instead. Where records lie deeper in a JSON document, `records: path.to.array` says where. The record is rejected, the others are read.",
);
/// A JSON document that is broken around its records.
pub static JSON_DOCUMENT: Code = Code::new(
    "json-document",
    "the JSON document around the records is broken",
    "The array of records is not there, not closed, or has something wrong before, between or after its elements. Records read so far stay valid. `records:` names the path of the array; without it the top of the document is an array, or one object that is the record.",
);
/// Text that is no XML.
pub static XML_SYNTAX: Code = Code::new(
    "xml-syntax",
    "the text is not well-formed XML",
    "The text does not follow XML 1.0 at the place named: a tag that closes another element than the open one, an attribute that stands twice, `<` or a bare `&` where it must be escaped, an entity other than the five of XML, a character that XML does not allow. Inside a record the record is rejected; around the records reading ends there.",
);
/// A document type declaration.
pub static XML_DOCTYPE: Code = Code::new(
    "xml-doctype",
    "the XML document has a DOCTYPE",
    "Document type declarations are not read, whatever stands in them: they can make a parser fetch files and addresses, or grow a few bytes into gigabytes. Take the DOCTYPE out; if the document uses entities of its own, have them replaced first (`xmllint --noent --dropdtd in.xml`).",
);
/// A prefix without a namespace.
pub static XML_NAMESPACE: Code = Code::new(
    "xml-namespace",
    "a namespace prefix in an XML document is wrong",
    "A name has a prefix that is not declared on its element or one around it (`xmlns:prefix=\"...\"`), or a declaration is not allowed: an empty namespace for a prefix, another namespace for `xml`. Such a text is XML without namespaces at best, and is rejected.",
);
/// Elements within elements beyond the limit.
pub static XML_DEPTH: Code = Code::new(
    "xml-depth",
    "XML is nested too deeply",
    "Elements stand within each other more levels deep than `max_depth` allows. Data made by people or programs stays far below; raise `max_depth` if yours does not.",
);
/// An element that is there twice and is no list.
pub static XML_REPEATED: Code = Code::new(
    "xml-repeated",
    "an XML element stands more than once",
    "XML does not say which elements are lists, and counting them would make a list of two and a text of one. So an element that may stand more than once is declared: `lists: [lines.line]` in the stream's options, with its path in the record. Then it is always a list. Elements that the mapping does not read may repeat as they like.",
);
/// Text and elements beside each other.
pub static XML_MIXED: Code = Code::new(
    "xml-mixed",
    "text and elements stand beside each other in XML",
    "As a map, an element would lose the order of its text and its elements. Declare it: `mixed: [description]` in the stream's options, with its path in the record. It is then a list of texts and elements in their order, from which the same XML can be written again.",
);
/// A document that is broken around its records.
pub static XML_DOCUMENT: Code = Code::new(
    "xml-document",
    "the XML document around the records is broken",
    "The document ends too early, is empty, or `records` does not lead to its records: the root has another name or namespace, or an element on the way is never there. Records read so far stay valid. Names in `records` without a prefix mean elements without a namespace, unless `namespaces` has an entry `=uri`.",
);
/// A value that has no form in the target's format.
pub static FORMAT_ENCODE: Code = Code::new(
    "format-encode",
    "a value cannot be written in this format",
    "A list or a map in a CSV row, a number that is not finite in JSON, a map whose keys are not text, text with a delimiter where `quote: none` is set. The record is rejected; change what the mapping computes for this field.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &FORMAT_OPTIONS,
    &FORMAT_ENCODING,
    &FORMAT_RECORD_SIZE,
    &CSV_HEADER,
    &CSV_RAGGED,
    &CSV_QUOTE,
    &FIELD_TYPE,
    &JSON_SYNTAX,
    &JSON_DEPTH,
    &JSON_DUPLICATE_KEY,
    &JSON_SURROGATE,
    &FORMAT_RECORD,
    &JSON_DOCUMENT,
    &XML_SYNTAX,
    &XML_DOCTYPE,
    &XML_NAMESPACE,
    &XML_DEPTH,
    &XML_REPEATED,
    &XML_MIXED,
    &XML_DOCUMENT,
    &FORMAT_ENCODE,
];
