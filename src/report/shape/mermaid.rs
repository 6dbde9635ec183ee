//! A graph as a Mermaid flowchart: <https://mermaid.js.org/syntax/flowchart.html>.

use super::super::document::{Graph, Tone};
use super::said::clear;

/// The text of the flowchart. Names are numbers; labels are quoted, and what could end a quote or be
/// taken for HTML is written as an entity, as Mermaid has it (`#quot;`).
pub fn flowchart(of: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut groups: Vec<&str> = Vec::new();
    for node in &of.nodes {
        if let Some(group) = &node.group
            && !groups.contains(&group.as_str())
        {
            groups.push(group);
        }
    }
    let node = |at: usize, indent: &str| {
        let of = &of.nodes[at];
        let more = of.more.as_ref().map_or_else(String::new, |more| format!("<br/>{}", quoted(more)));
        format!("{indent}n{at}[\"{}{more}\"]\n", quoted(&of.label))
    };
    for (number, group) in groups.iter().enumerate() {
        out.push_str(&format!("  subgraph g{number}[\"{}\"]\n", quoted(group)));
        for at in 0..of.nodes.len() {
            if of.nodes[at].group.as_deref() == Some(group) {
                out.push_str(&node(at, "    "));
            }
        }
        out.push_str("  end\n");
    }
    for at in 0..of.nodes.len() {
        if of.nodes[at].group.is_none() {
            out.push_str(&node(at, "  "));
        }
    }
    for edge in of.joined() {
        match &edge.label {
            Some(label) => out.push_str(&format!("  n{} -->|\"{}\"| n{}\n", edge.from, quoted(label), edge.to)),
            None => out.push_str(&format!("  n{} --> n{}\n", edge.from, edge.to)),
        }
    }
    for (tone, class) in
        [(Tone::Bad, "stroke:#c62828,stroke-width:2px"), (Tone::Warn, "stroke:#b26a00,stroke-width:2px")]
    {
        let names: Vec<String> =
            (0..of.nodes.len()).filter(|at| of.nodes[*at].tone == tone).map(|at| format!("n{at}")).collect();
        if !names.is_empty() {
            out.push_str(&format!("  classDef {} {class}\n  class {} {}\n", tone.word(), names.join(","), tone.word()));
        }
    }
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clear(text).chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' => out.push_str("#35;"),
            '`' => out.push_str("#96;"),
            ';' => out.push_str("#59;"),
            '\\' => out.push_str("#92;"),
            c => out.push(c),
        }
    }
    out
}
