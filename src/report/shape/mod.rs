//! The shapes of a report, one file each. All of them say the same; none of them knows which report
//! it is. Whatever a value holds, it stays a value: it is escaped by each shape in its own way, and
//! what would steer a terminal or turn the direction of a line is shown instead ([`clear`]).

mod csv;
mod html;
mod json;
mod markdown;
mod mermaid;
mod picture;
mod said;
mod text;

pub use csv::{line as csv_line, table as csv_table};
pub use json::{document, facts as facts_json};
pub use mermaid::flowchart;
pub use said::{cell, clear, counted, moment, when};

use super::document::Report;

/// A shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For a terminal: 100 columns.
    Text {
        /// With colours (ANSI); words say the same.
        colour: bool,
    },
    /// One JSON document.
    Json,
    /// Every value in a line of its own, named by section, part and row.
    Csv,
    /// For a ticket or a wiki: GitHub's Markdown, with Mermaid where there is a graph.
    Markdown,
    /// One page without scripts and without network.
    Html,
}

/// The report in that shape.
pub fn render(report: &Report, shape: Shape) -> String {
    match shape {
        Shape::Text { colour } => text::page(report, colour),
        Shape::Json => format!("{:#}\n", document(report)),
        Shape::Csv => csv::lines(report),
        Shape::Markdown => markdown::page(report),
        Shape::Html => html::page(report),
    }
}

#[cfg(test)]
mod tests;
