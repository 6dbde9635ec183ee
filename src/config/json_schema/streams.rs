//! The schemas that streams name, read and put beside what the streams declare themselves.

use super::{Read, Schemas, StreamSchema};
use crate::config::{Project, Stream};
use crate::error::codes::config as codes;
use crate::error::{Finding, Findings};
use crate::record::Type;

/// Reads the schema of each stream that names one; its fields become the stream's. What the stream
/// says of a field under `fields` too (its class, above all) is added to what the schema says.
pub fn attach(project: &mut Project, read: Read<'_>, findings: &mut Findings) {
    let mut schemas = Schemas::new(read);
    for connector in project.connectors.values_mut() {
        for stream in connector.streams.values_mut() {
            let Some(file) = stream.schema_file.clone() else { continue };
            if let Some(schema) = schemas.load(&file.value, &file.place, findings) {
                join(stream, &schema, findings);
                stream.schema = Some(schema);
            }
        }
    }
}

fn join(stream: &mut Stream, schema: &StreamSchema, findings: &mut Findings) {
    let own = std::mem::replace(&mut stream.fields, schema.shape.fields.clone());
    stream.closed = schema.shape.closed;
    for field in own {
        match stream.fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => {
                if !field.kind.fits(&known.kind) {
                    let (name, said, there) = (&field.name, &field.kind, &known.kind);
                    let cause = format!("`{name}` is {said} under `fields`, and {there} in the schema");
                    findings.push(
                        Finding::error(&codes::BAD_VALUE, stream.place.clone(), cause)
                            .fix("leave its type to the schema: `fields` beside a schema says classes"),
                    );
                }
                if known.kind == Type::Dyn {
                    known.kind = field.kind;
                }
                known.required |= field.required;
                known.nullable &= field.nullable;
                known.classes = known.classes.union(field.classes);
            }
            None if schema.shape.closed => {
                let cause = format!("`{}` stands under `fields`, and the schema allows no such field", field.name);
                let known = schema.shape.fields.iter().map(|field| field.name.as_str());
                let finding = Finding::error(&codes::BAD_VALUE, stream.place.clone(), cause);
                findings.push(finding.did_you_mean(&field.name, known));
            }
            None => stream.fields.push(field),
        }
    }
}
