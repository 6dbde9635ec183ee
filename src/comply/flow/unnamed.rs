//! Fields whose name says that they are sensitive, while nobody said what they are. A flow check never
//! rests on a guess: the finding asks, it does not judge.

use super::scene::{Charge, Scene, Weight};
use crate::comply::names;
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::ClassSet;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    if scene.law.is_none() {
        return;
    }
    for leaf in &scene.route.leaves {
        let Some(source) = leaf.rule.source.as_ref() else { continue };
        // Something is said of it, or it is held apart.
        if !leaf.flow.source.is_empty() || !leaf.flow.classes.is_empty() || !leaf.flow.passages.is_empty() {
            continue;
        }
        let path = leaf.source.as_ref().unwrap_or(&source.value).to_string();
        let guessed: ClassSet = names::classes(&path)
            .iter()
            .filter(|class| class.class().sensitivity > 1 && scene.law.covers(*class))
            .collect();
        let Some(class) = guessed.iter().max_by_key(|class| class.class().sensitivity) else { continue };
        let broken = scene.law.broken("P10", None, guessed);
        let charge = Charge { code: &codes::UNCLASSED, check: "P10", broken, weight: Weight::Gap };
        let cause = format!("`{path}` seems to be `{}` by its name, and nothing says what it is", class.class().name);
        let mut finding = scene.of_leaf(charge, leaf, class, &cause);
        finding.place = Some(source.place.clone());
        findings.push(finding.fix(format!(
            "say it: `class: {}` where it is read, or in the `fields` of `{}`; `consign map check --sample` looks at values",
            class.class().name, scene.source.name
        )));
    }
}
