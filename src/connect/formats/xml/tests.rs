//! What is well-formed and what is not, what values become of it, and what is written.

use proptest::prelude::*;

use super::super::tests::{cases, check, options, parts, read_with};
use super::*;
use crate::record::{Type, Value};

/// Whether a document is read without a word, cut in several ways. Nothing is asked for.
fn accepted(text: &[u8]) -> bool {
    let verdicts: Vec<bool> =
        [(&[][..], usize::MAX), (&[("records", "d")], usize::MAX), (&[], 5), (&[("records", "d/x/y")], 16)]
            .into_iter()
            .map(|(given, block)| {
                read_with("xml", &options(given), &["@none"], text, block).iter().all(|line| {
                    line.starts_with(|c: char| c.is_ascii_digit())
                        || ["no element `x`", "and `records` begins with"].iter().any(|said| line.contains(said))
                })
            })
            .collect();
    let shown = String::from_utf8_lossy(text);
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{shown}: {verdicts:?}");
    verdicts[0]
}

#[test]
fn well_formed_documents_are_accepted() {
    for good in [
        "<d/>",
        "<d></d>",
        "<d\t/>",
        "<d></d\n>",
        "  \n<d/>\n  ",
        "\u{feff}<d/>",
        "<?xml version=\"1.0\"?><d/>",
        "<?xml version='1.0' encoding='utf-8' standalone = 'yes' ?>\n<d/>",
        "<?xml version=\"1.1\"?><d/>",
        "<!-- c --><?p d?><d/><!----><?q?>",
        "<?xml-stylesheet href='a'?><d/>",
        "<d a='1' b=\"2\"/>",
        "<d a = '1'\n b\t=\n\"2\"/>",
        "<d a='\"' b=\"'\"/>",
        "<d a='>' b=']]>'/>",
        "<d a='&lt;&#x3c;&#60;&amp;'/>",
        "<d>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&#x10FFFF;</d>",
        "<d>]] ]> ></d>",
        "<d>]]&gt;</d>",
        "<d><![CDATA[<&]]]]></d>",
        "<d><![CDATA[]]></d>",
        "<d><x><y><![CDATA[</y></x></d>]]></y></x></d>",
        "<d><x><y><!-- </y> --></y></x></d>",
        "<d><_x-1.2 _='1'/></d>",
        "<d><x><y><?p </y> ?></y></x></d>",
        "<d><x><y><y/><y></y></y></x></d>",
        "<d><!-- - --></d>",
        "<d><!-->--></d>",
        "<d><?p <&>?></d>",
        "<d><x:é xmlns:x='u'/></d>",
        "<d xmlns='a'><x xmlns=''/></d>",
        "<d xmlns:a='u' a:b='1' b='2'/>",
        "<d xml:lang='de' xml:space='preserve'/>",
        "<d xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<d><日本·/></d>",
        "<d>\u{7f}\u{85}\u{fffd}\u{10000}</d>",
        "<d>\r\n\r\t</d>",
    ] {
        assert!(accepted(good.as_bytes()), "{good}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for bad in [
        "",
        " ",
        "text",
        "<d>",
        "<d",
        "<",
        "</d>",
        "<d></e>",
        "<d></D>",
        "<d><x></d></x>",
        "<d><x></d>",
        "<d/><d/>",
        "<d/>text",
        "text<d/>",
        "<d/>&amp;",
        "<d/><![CDATA[]]>",
        "<![CDATA[]]><d/>",
        "< d/>",
        "<d / >",
        "<d/ >",
        "</ d>",
        "<d></ d>",
        "<d></d a='1'>",
        "<1/>",
        "<-/>",
        "<.d/>",
        "<d><x!/></d>",
        "<:d/>",
        "<d:/>",
        "<a:b:c xmlns:a='u'/>",
        "<d><a:1 xmlns:a='u'/></d>",
        "<d a/>",
        "<d a=1/>",
        "<d a='1/>",
        "<d a='1\"/>",
        "<d a=/>",
        "<d a='1'b='2'/>",
        "<d a='1' a='2'/>",
        "<d a='<'/>",
        "<d a='&'/>",
        "<d a='&x;'/>",
        "<d a='&amp'/>",
        "<d 1='1'/>",
        "<d a='1' / b='2'>",
        "<d>&</d>",
        "<d>& amp;</d>",
        "<d>&amp</d>",
        "<d>&;</d>",
        "<d>&nbsp;</d>",
        "<d>&Amp;</d>",
        "<d>&#;</d>",
        "<d>&#x;</d>",
        "<d>&#X41;</d>",
        "<d>&#4a;</d>",
        "<d>&#xg;</d>",
        "<d>&#0;</d>",
        "<d>&#8;</d>",
        "<d>&#x1F;</d>",
        "<d>&#xD800;</d>",
        "<d>&#xFFFE;</d>",
        "<d>&#x110000;</d>",
        "<d>&#99999999999;</d>",
        "<d>&#-1;</d>",
        "<d>&#+65;</d>",
        "<d>]]></d>",
        "<d>a]]>b<![CDATA[]]></d>",
        "<d><![CDATA[]]>]]></d>",
        "<d><![CDATA[</d>",
        "<d><![cdata[]]></d>",
        "<d><! [CDATA[]]></d>",
        "<d><!-- -- --></d>",
        "<d><!-- ---></d>",
        "<d><!--->",
        "<d><!-- </d>",
        "<d><! --></d>",
        "<d><?xml version='1.0'?></d>",
        "<d><?XML?></d>",
        "<d><? p?></d>",
        "<d><?p</d>",
        "<d><?p+?></d>",
        "<d><?a:b c?></d>",
        "<d><?1?></d>",
        " <?xml version='1.0'?><d/>",
        "<!-- --><?xml version='1.0'?><d/>",
        "<d/><?xml version='1.0'?>",
        "<?xml?><d/>",
        "<?xml ?><d/>",
        "<?xml version='1.0'",
        "<?xml version=1.0?><d/>",
        "<?xml version='2.0'?><d/>",
        "<?xml version='1.'?><d/>",
        "<?xml version='1.0\"?><d/>",
        "<?xml encoding='utf-8'?><d/>",
        "<?xml encoding='utf-8' version='1.0'?><d/>",
        "<?xml version='1.0' standalone='yes' encoding='utf-8'?><d/>",
        "<?xml version='1.0' standalone='YES'?><d/>",
        "<?xml version='1.0' encoding='utf 8'?><d/>",
        "<?xml version='1.0' encoding=''?><d/>",
        "<?xml version='1.0'encoding='utf-8'?><d/>",
        "<?xml version='1.0' version='1.0'?><d/>",
        "<?xml version='1.0' other='1'?><d/>",
        "<?Xml version='1.0'?><d/>",
        "<!DOCTYPE d><d/>",
        "<!DOCTYPE d [<!ENTITY a 'b'>]><d>&a;</d>",
        "<d><!DOCTYPE d></d>",
        "<!ELEMENT d ANY><d/>",
        "<a:d/>",
        "<d a:b='1'/>",
        "<d><a:x xmlns:a='u'/><a:y/></d>",
        "<d xmlns:a=''/>",
        "<d xmlns:xml='u'/>",
        "<d xmlns:xmlns='u'/>",
        "<d xmlns:a='http://www.w3.org/XML/1998/namespace'/>",
        "<d xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<d xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>",
        "<d xmlns='a' xmlns='b'/>",
        "<xmlns:d/>",
        "<d>\u{0}</d>",
        "<d>\u{1}</d>",
        "<d>\u{b}</d>",
        "<d>\u{1f}</d>",
        "<d>\u{fffe}</d>",
        "<d>\u{ffff}</d>",
        "<d a='\u{1}'/>",
        "<d><!-- \u{1} --></d>",
        "<d><?p \u{1}?></d>",
        "<d><![CDATA[\u{1}]]></d>",
        "\u{1}<d/>",
        "<d><\u{d7}/></d>",
        "<d><a\u{2190}/></d>",
        "<d><\u{300}/></d>",
    ] {
        assert!(!accepted(bad.as_bytes()), "{bad:?}");
    }
    for bad in
        [&b"<d>\xFF</d>"[..], b"<d>\xC3</d>", b"<d a='\xED\xA0\x80'/>", b"<d><\xC3\x28/></d>", b"\xE9<d/>", b"<d/>\xC3"]
    {
        assert!(!accepted(bad), "{bad:?}");
    }
}

const ITEMS: &str = "<?xml version=\"1.0\"?>\n<items>\n<item id=\"1\" type='A'>\n  <sku>S &amp; T</sku>\n  <price currency=\"EUR\">1.50</price>\n  <stock><qty> 7 </qty></stock>\n  <tags><tag>new</tag><tag n='2'>sale</tag></tags>\n  <desc><![CDATA[<b>]]> x</desc>\n</item>\n<item id=\"2\"><tags/></item>\n</items>\n";

#[test]
fn slots_are_filled_by_path() {
    let given: &[(&str, &str)] = &[("records", "items/item"), ("lists", "tags.tag")];
    check(
        "xml",
        given,
        &["@id", "@type", "sku", "price", "price.@currency", "price.#text", "stock.qty:int", "desc", "none"],
        ITEMS,
        &["3: \"1\" \"A\" \"S & T\" \"1.50\" \"EUR\" \"1.50\" i7 \"<b> x\" -", "10: \"2\" - - - - - - - -"],
    );
    check(
        "xml",
        given,
        &["tags.tag", "tags.tag[0]", "tags.tag[-1]", "tags.tag[*].@n", "tags"],
        ITEMS,
        &[
            "3: [\"new\" {@n=\"2\" #text=\"sale\"}] \"new\" \"sale\" [- \"2\"] {tag=[\"new\" {@n=\"2\" #text=\"sale\"}]}",
            "10: [] - - [] {tag=[]}",
        ],
    );
    check("xml", given, &["tags.tag[*].@n"], ITEMS, &["3: [- \"2\"]", "10: []"]);
    check(
        "xml",
        given,
        &["", "price", "stock"],
        ITEMS,
        &[
            "3: {@id=\"1\" @type=\"A\" sku=\"S & T\" price={@currency=\"EUR\" #text=\"1.50\"} stock={qty=\" 7 \"} tags={tag=[\"new\" {@n=\"2\" #text=\"sale\"}]} desc=\"<b> x\"} \"1.50\" {qty=\" 7 \"}",
            "10: {@id=\"2\" tags={tag=[]}} - -",
        ],
    );
}

#[test]
fn declared_types_pass_over_white_space() {
    let text = "<r><a> 12 </a><b>\n1.50</b><c>2024-02-29</c><d> true</d><e/><f><g/></f></r>";
    check(
        "xml",
        &[("records", "r")],
        &["a:int", "b:decimal", "c:date", "d:bool", "e:map", "f:map"],
        text,
        &["1: i12 1.50 2024-02-29 true {} {g=\"\"}"],
    );
    check(
        "xml",
        &[("records", "r")],
        &["e:int"],
        text,
        &["field-type 2:38 byte 55: the field `e` is not a whole number of 64 bits"],
    );
    check(
        "xml",
        &[("records", "r")],
        &["f:int"],
        text,
        &["field-type 2:42 byte 59: the field `f` is not a whole number of 64 bits"],
    );
    check("xml", &[("records", "r"), ("empty", "null"), ("trim", "true")], &["e:int", "a"], text, &["1: null \"12\""]);
    check("xml", &[], &["x:list<int>"], "<d><r><x>1</x><x> 2</x></r><r/></d>", &["1: [i1 i2]", "1: []"]);
}

#[test]
fn missing_empty_and_nil_are_three_things() {
    let text = "<d xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><r><a/><b></b><c i:nil='true'/><e i:nil='1' x='y'></e><f i:nil='false'/></r></d>";
    check("xml", &[], &["a", "b", "c", "e", "e.@x", "f", "g"], text, &["1: \"\" \"\" null null \"y\" \"\" -"]);
    check("xml", &[], &["c", ""], text, &["1: null {a=\"\" b=\"\" c=null e={@x=\"y\" #text=null} f=\"\"}"]);
    check(
        "xml",
        &[],
        &["a"],
        "<d xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><r><a i:nil='true'>x</a></r></d>",
        &["format-record 1:59 byte 58: an element with `xsi:nil` has something in it"],
    );
}

#[test]
fn lists_are_declared_and_never_counted() {
    let text = "<d>\n<r><a>1</a><a>2</a><b><c/><c/></b></r>\n<r><a>1</a></r></d>";
    check(
        "xml",
        &[],
        &["a"],
        text,
        &[
            "xml-repeated 2:12 byte 15: the element `a` stands more than once: if it is a list, add its path to `lists`",
            "3: \"1\"",
        ],
    );
    check(
        "xml",
        &[],
        &["b"],
        text,
        &[
            "xml-repeated 2:27 byte 30: the element `c` stands more than once: if it is a list, add its path to `lists`",
            "3: -",
        ],
    );
    check("xml", &[("lists", "a,b.c")], &["a", "b"], text, &["2: [\"1\" \"2\"] {c=[\"\" \"\"]}", "3: [\"1\"] -"]);
    // What is not read may repeat.
    check("xml", &[], &["x"], text, &["2: -", "3: -"]);
    check("xml", &[("lists", "a")], &["a[*].x"], "<d><r><a><x>1</x><y/><y/></a><a/></r></d>", &["1: [\"1\" -]"]);
    let said = read_with_error(&[], &["a[0]"], text);
    assert_eq!(said, "format-options: `a[0]` reads a list where none is declared: add `a` to `lists`");
}

fn read_with_error(given: &[(&str, &str)], paths: &[&str], text: &str) -> String {
    use crate::record::Arena;
    struct Nobody;
    impl<'a> crate::connect::Rows<'a> for Nobody {
        fn row(&mut self, _: crate::record::Row<'a>) -> bool {
            true
        }
        fn bad(&mut self, _: crate::connect::RecordError) -> bool {
            true
        }
    }
    let given = options(given);
    let (found, _) = parts(&XML, &given, text.as_bytes(), usize::MAX);
    let arena = Arena::new();
    let projection = super::super::tests::projection(paths);
    let error = XML.decoder(&given).unwrap().decode(&found[0], &projection, &arena, &mut Nobody).unwrap_err();
    format!("{}: {}", error.code().id, error.cause())
}

#[test]
fn mixed_content_is_kept_in_order() {
    let text = "<d><r><p l='x'>Hello <b c='1'>big<i/></b>, <!--c-->&lt;<?q r?></p></r></d>";
    let content = "[\"Hello \" {#name=\"b\" @c=\"1\" #content=[\"big\" {#name=\"i\" #content=[]}]} \", \" {#comment=\"c\"} \"<\" {#instruction=\"q\" #text=\"r\"}]";
    check("xml", &[("mixed", "p")], &["p", "p.@l", "p.#content"], text, &[&format!("1: {content} \"x\" {content}")]);
    check("xml", &[("mixed", "p")], &[""], text, &[&format!("1: {{p={{@l=\"x\" #content={content}}}}}")]);
    check(
        "xml",
        &[],
        &["p"],
        text,
        &[
            "xml-mixed 1:7 byte 6: text and elements stand beside each other in `p`: if that is meant, add its path to `mixed`",
        ],
    );
    check("xml", &[], &["p.b.@c", "p.#text"], text, &["1: \"1\" \"Hello , <\""]);
}

#[test]
fn namespaces_are_told_by_their_uri() {
    let text = "<x:rss xmlns:x='urn:a' xmlns='urn:b'><item x:id='1' id='2'><x:t>1</x:t><t>2</t><t xmlns=''>3</t><u:t xmlns:u='urn:c' u:w='5'>4</u:t></item></x:rss>";
    let given: &[(&str, &str)] = &[("namespaces", "a=urn:a,=urn:b"), ("records", "a:rss/item")];
    check(
        "xml",
        given,
        &["@a:id", "@id", "a:t", "t", "\"{}t\"", "\"{urn:c}t\"", "\"{urn:c}t\".\"@{urn:c}w\""],
        text,
        &["1: \"1\" \"2\" \"1\" \"2\" \"3\" \"4\" \"5\""],
    );
    check(
        "xml",
        given,
        &[""],
        text,
        &["1: {@a:id=\"1\" @id=\"2\" a:t=\"1\" t=\"2\" {}t=\"3\" {urn:c}t={@{urn:c}w=\"5\" #text=\"4\"}}"],
    );
    let (_, outcome) = parts(&XML, &options(&[("records", "rss/item")]), text.as_bytes(), usize::MAX);
    assert_eq!(
        outcome.unwrap_err().cause(),
        "the root element is `{urn:a}rss`, and `records` begins with `rss` of another namespace: declare it, for example `namespaces: [\"=urn:a\"]`"
    );
    assert_eq!(
        read_with_error(given, &["z:t"], text),
        "format-options: the prefix of `z:t` is not declared: add `z=uri` to `namespaces`"
    );
    // One prefix for two versions of a namespace.
    let versions: &[(&str, &str)] = &[("namespaces", "=urn:v1,=urn:v2"), ("records", "d/r")];
    for uri in ["urn:v1", "urn:v2"] {
        check("xml", versions, &["a"], format!("<d xmlns='{uri}'><r><a>1</a></r></d>"), &["1: \"1\""]);
    }
}

#[test]
fn broken_records_are_told_and_passed() {
    let text = "<d>\n<r><a>1</a></r>\n<r><a>2</b></r>\n<r><a>&x;</a></r>\n<r><a b='1' b='2'/></r>\n<r x><a/></r>\n<r><r><a/></r>\n<a>3</a></r>\n</d>";
    check(
        "xml",
        &[],
        &["a"],
        text,
        &[
            "2: \"1\"",
            "xml-syntax 3:8 byte 27: `</b>` stands where `</a>` is due",
            "xml-syntax 4:7 byte 42: an unknown entity is referred to: there are `lt`, `gt`, `amp`, `quot`, `apos` and no others",
            "xml-syntax 5:13 byte 66: the attribute `b` stands twice",
            "xml-syntax 6:5 byte 82: an attribute has no value: `=` is missing",
            "7: \"3\"",
        ],
    );
    check(
        "xml",
        &[],
        &["a"],
        b"<d><r><a>\xFC</a></r><r><a>2</a></r></d>".as_slice(),
        &[
            "format-encoding 1:10 byte 9: a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`",
            "1: \"2\"",
        ],
    );
    check(
        "xml",
        &[("max_depth", "2")],
        &["a"],
        "<d><r><a><b/></a></r><r><a/></r><r><x><y/></x></r></d>",
        &[
            "xml-depth 1:10 byte 9: elements stand within each other more than `max_depth` levels deep",
            "1: \"\"",
            "xml-depth 1:39 byte 38: elements stand within each other more than `max_depth` levels deep",
        ],
    );
}

#[test]
fn documents_that_break_around_their_records() {
    let broken = |given: &[(&str, &str)], text: &str, code: &str, place: &str, cause: &str| {
        for block in [1, 3, 1000] {
            let (_, outcome) = parts(&XML, &options(given), text.as_bytes(), block);
            let error = outcome.expect_err(text);
            let facts: Vec<String> = error.facts().iter().map(|(name, value)| format!("{name} {value}")).collect();
            let found = (error.code().id, facts.join(" "), error.cause().to_string());
            assert_eq!(found, (code, place.into(), cause.into()), "{text} in blocks of {block}");
        }
    };
    let document = "xml-document";
    broken(&[], "", document, "line 1 column 1 byte 0", "the document is empty: no element stands in it");
    broken(&[], "<d>\n<r/>", document, "line 2 column 5 byte 8", "the document ends before `</d>`");
    broken(&[], "<d>\n<r>", document, "line 2 column 1 byte 4", "the document ends inside of `r`, which begins here");
    broken(&[], "<d></e>", "xml-syntax", "line 1 column 4 byte 3", "`</e>` stands where `</d>` is due");
    broken(&[], "<d/>\n<e/>", "xml-syntax", "line 2 column 1 byte 5", "a second root element begins");
    broken(&[], "<!DOCTYPE d><d/>", "xml-doctype", "line 1 column 1 byte 0", "a DOCTYPE stands in the document");
    broken(
        &[("records", "a/b")],
        "<c/>",
        document,
        "line 1 column 1 byte 0",
        "the root element is `c`, and `records` begins with `a`",
    );
    broken(
        &[("records", "a/b/c")],
        "<a><x/></a>",
        document,
        "line 1 column 12 byte 11",
        "no element `b` stands where `records` looks for it, in `a`",
    );
}

#[test]
fn options_that_cannot_work_are_refused() {
    let said = |given: &[(&str, &str)]| XML.decoder(&options(given)).err().unwrap().cause().to_string();
    assert_eq!(said(&[("records", "a//b")]), "the option `records` is no path of elements: `` is no name of XML");
    assert_eq!(said(&[("namespaces", "urn:x")]), "the option `namespaces` `urn:x` is no `prefix=uri`");
    assert_eq!(said(&[("lists", "a[0]")]), "the option `lists` names `a[0]`: an index cannot stand in it");
    assert_eq!(said(&[("mixed", "@a")]), "the option `mixed` names `@a`: `@a` is no element");
}

fn written(given: &[(&str, &str)], columns: &[&str], rows: &[&[Value<'_>]]) -> String {
    let given = options(given);
    let columns: Vec<Column> = columns
        .iter()
        .map(|path| Column { path: Path::parse(path).unwrap(), kind: Type::Dyn, required: false })
        .collect();
    let mut encoder = match XML.encoder(&given, &columns) {
        Ok(encoder) => encoder,
        Err(error) => return error.cause().to_string(),
    };
    let frame = XML.frame(&given, &columns).unwrap();
    let mut out = frame.before.clone();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(&frame.between);
        }
        let start = out.len();
        if let Err(error) = encoder.encode(row, &mut out) {
            assert_eq!(out.len(), start);
            return format!("column {}: {}", error.column, error.cause);
        }
    }
    out.extend_from_slice(&frame.after);
    String::from_utf8(out).unwrap()
}

const S: fn(&'static str) -> Value<'static> = Value::String;

#[test]
fn records_are_written() {
    let rows: &[&[Value<'_>]] = &[
        &[S("1"), S("a<b"), S("EUR"), Value::Number("1.50"), Value::List(&[S("x"), S("y")]), S("q\"\n")],
        &[S("2"), Value::Null, Value::Missing, Value::Missing, Value::List(&[]), Value::Missing],
    ];
    let columns = ["@id", "name", "price.@currency", "price", "tags.tag", "a.b.@c"];
    assert_eq!(
        written(&[("records", "items/item")], &columns, rows),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<items xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
         <item id=\"1\"><name>a&lt;b</name><price currency=\"EUR\">1.50</price><tags><tag>x</tag><tag>y</tag></tags><a><b c=\"q&quot;&#10;\"/></a></item>\n\
         <item id=\"2\"><name xsi:nil=\"true\"/></item>\n</items>\n"
    );
    assert_eq!(
        written(
            &[("records", "p:x/y/z"), ("namespaces", "p=urn:a&b"), ("pretty", "true"), ("nulls", "omit")],
            &columns,
            rows
        ),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<p:x xmlns:p=\"urn:a&amp;b\">\n  <y>\n    <z id=\"1\">\n      <name>a&lt;b</name>\n      <price currency=\"EUR\">1.50</price>\n      <tags>\n        <tag>x</tag>\n        <tag>y</tag>\n      </tags>\n      <a>\n        <b c=\"q&quot;&#10;\"/>\n      </a>\n    </z>\n    <z id=\"2\"/>\n  </y>\n</p:x>\n"
    );
    let none = written(&[], &["a"], &[]);
    assert!(
        none.ends_with("<records xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\n</records>\n"),
        "{none}"
    );
    let map = [
        ("@k", S("1")),
        ("x", Value::Int(1)),
        ("l", Value::List(&[Value::Bool(true), Value::Missing])),
        ("gone", Value::Missing),
    ];
    let one = |value: Value<'_>| {
        let text = written(&[], &["v"], &[&[value]]);
        match text.split_once("<record>").and_then(|(_, rest)| rest.split_once("</record>")) {
            Some((inner, _)) => inner.to_string(),
            None => text,
        }
    };
    assert_eq!(one(Value::Map(&map)), "<v k=\"1\"><x>1</x><l>true</l><l xsi:nil=\"true\"/></v>");
    assert_eq!(one(Value::Map(&[("#text", S("t")), ("@k", Value::Int(1))])), "<v k=\"1\">t</v>");
    assert_eq!(one(Value::Map(&[])), "<v/>");
    assert_eq!(one(S("]]>\r\t\n\"")), "<v>]]&gt;&#13;\t\n\"</v>");
    assert_eq!(one(Value::Bytes(b"hi")), "<v>aGk=</v>");
    assert_eq!(one(S("\u{1}")), "column 0: the value holds a control character that XML does not allow");
    assert_eq!(one(S("a\u{fffe}")), "column 0: the value holds a character that XML does not allow (U+FFFE or U+FFFF)");
    assert_eq!(one(Value::List(&[Value::List(&[])])), "column 0: the value is a list in a list");
    assert_eq!(one(Value::Map(&[("1a", S("x"))])), "column 0: the value `1a` is no name of XML");
    assert_eq!(
        written(&[], &["@a"], &[&[Value::Null]]),
        "column 0: the value is null, which an attribute cannot be: `nulls: omit` leaves it out"
    );
    assert_eq!(written(&[], &["a b"], &[]), "the target column `a b` has no name in XML: `a b` is no name of XML");
    assert_eq!(
        written(&[], &["a", "a.b"], &[]),
        "the target column `a` is text, and other columns put elements beside it"
    );
    assert_eq!(written(&[], &["a[0]"], &[]), "the target column `a[0]` is not a path of names");
}

/// A value that an element can have, as it is read back.
fn tree() -> impl Strategy<Value = Value<'static>> {
    let text = prop_oneof!["[ -~]{0,8}", "[<>&\"'\\]\r\n\t é\u{1F600}]{0,8}", "\\PC{1,6}"]
        .prop_filter("no characters that XML lacks", |text| text.chars().all(super::chars::is_char))
        .prop_map(|text| Value::String(text.leak()));
    let leaf = prop_oneof![4 => text.clone(), 1 => Just(Value::Null)];
    let attributes = prop::collection::btree_map("@[a-c]", text, 0..3);
    leaf.prop_recursive(3, 20, 4, move |inner| {
        (attributes.clone(), prop::collection::btree_map("[d-i]", inner, 0..4)).prop_map(|(attributes, children)| {
            let plain = attributes.is_empty() && children.is_empty();
            let text = (children.is_empty()).then(|| ("#text".to_string(), Value::String("")));
            let entries: Vec<(&'static str, Value<'static>)> =
                attributes.into_iter().chain(children).chain(text).map(|(key, value)| (&*key.leak(), value)).collect();
            if plain { Value::String("") } else { Value::Map(entries.leak()) }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(one in tree(), list in prop::collection::vec(tree(), 1..4), pretty: bool, block in 1_usize..60) {
        let entries = [("one", one), ("list", Value::List(&list))];
        let value = Value::Map(&entries);
        let given = [("lists", "v.list"), ("pretty", if pretty { "true" } else { "false" })];
        let text = written(&given, &["v"], &[&[value], &[value]]);
        let said = read_with("xml", &options(&given), &["v", "none"], text.as_bytes(), block);
        prop_assert_eq!(said.len(), 2, "{}", &text);
        let wanted = format!("{} -", super::super::tests::show(&value));
        for line in said {
            prop_assert_eq!(line.split_once(": ").unwrap().1, &wanted, "{}", &text);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(text in "(<|</|/>|>|r|d|a| a='1'|=|'|\"|&|&amp;|;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|xmlns:p='u'|p:| |\n|é|<d>|<r>|</r>|</d>|<r/>){0,24}", tail in prop::collection::vec(any::<u8>(), 0..4), block in 1_usize..30) {
        let mut bytes = format!("<d>{text}").into_bytes();
        bytes.extend(tail);
        bytes.extend(b"<r/></d>");
        for given in [&[][..], &[("records", "d/r"), ("lists", "a"), ("mixed", "d")]] {
            let whole = read_with("xml", &options(given), &["", "a", "@a", "d"], &bytes, usize::MAX);
            let cut = read_with("xml", &options(given), &["", "a", "@a", "d"], &bytes, block);
            if whole.iter().all(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
                let mut oracle = quick_xml::Reader::from_reader(bytes.as_slice());
                while !matches!(oracle.read_event().map_err(|e| TestCaseError::fail(e.to_string()))?, quick_xml::events::Event::Eof) {}
            }
            let rows = |said: &[String]| -> Vec<String> { said.iter().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).cloned().collect() };
            // The whole buffer at once is refused at once where its end is broken.
            let broken = whole.iter().any(|line| line.starts_with("failed"));
            prop_assert!(broken || rows(&whole) == rows(&cut), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
