//! What a policy does to the value of a rule, compiled as its last step.

use super::fit::fits;
use super::names::Role;
use super::rule::Making;
use super::{Compiler, codes};
use crate::config::{Expression, FieldRule};
use crate::error::codes::comply;
use crate::error::{Finding, Place};
use crate::expr::{Effect, Program};
use crate::map::protect::{Finish, How, Protected, Remedy};
use crate::map::route::Passage;
use crate::record::{ClassId, ClassSet, Path, Type};

impl Compiler<'_> {
    /// Whether anything is done to values of such classes.
    pub(super) fn protects_any(&self, classes: ClassSet) -> bool {
        classes.iter().any(|class| self.protects.remedy(class).is_some())
    }

    /// Compiles what is done to a value of type `kind` for the sake of its classes, and takes it into the
    /// flow. Gives the type that it has then.
    pub(super) fn finish(
        &mut self,
        rule: &FieldRule,
        making: &mut Making,
        kind: Type,
        declared: &Type,
        target: &Path,
    ) -> Option<(Finish, Type, Vec<Protected>)> {
        let (mut kind, mut programs, mut done, mut tried) = (kind, Vec::new(), Vec::new(), ClassSet::NONE);
        let is_key = self.key.contains(&target);
        loop {
            let left = making.own.classes.without(tried);
            let asked = left.iter().filter_map(|class| Some((class, self.protects.remedy(class)?)));
            let Some((class, remedy)) = asked.max_by_key(|(_, remedy)| remedy.strength) else { break };
            tried = tried.union(ClassSet::one(class));
            let told = |expression: Option<String>| Protected {
                class,
                action: remedy.action,
                expression,
                place: remedy.place.clone(),
            };
            match &remedy.how {
                How::Unfit { cause, fix } => {
                    self.unfit(&remedy, format!("`{target}` carries `{}`: {cause}", class.class().name), fix.clone());
                    return None;
                }
                How::Block => {
                    let cause = format!("`{target}` would carry `{}`, which nothing may move", class.class().name);
                    let place = rule.source.as_ref().map_or(&rule.target.place, |source| &source.place).clone();
                    self.findings.push(
                        Finding::error(&comply::BLOCKED, place, cause)
                            .fix("leave the field out, or protect its value in the transform"),
                    );
                    return None;
                }
                How::Park | How::Drop => {
                    let drops = matches!(remedy.how, How::Drop);
                    if drops && (rule.required || is_key) {
                        let cause = format!(
                            "`{target}` must be there, and is left out for the sake of `{}`",
                            class.class().name
                        );
                        self.unfit(&remedy, cause, "protect it in another way, or do not require it".into());
                        return None;
                    }
                    done.push(told(None));
                    self.passes(making, remedy.action, class, ClassSet::NONE, Effect::Declassifies);
                    let finish = match drops {
                        true => Finish::Drop,
                        false => Finish::Park(format!(
                            "it holds a value of `{}`, and `protect` says that such records are set aside",
                            class.class().name
                        )),
                    };
                    return Some((finish, kind, done));
                }
                How::Expression { joinable: false, .. } if is_key => {
                    let cause = format!(
                        "`{target}` is a part of the key, and what is protected with `{}` cannot be told apart by it",
                        remedy.action
                    );
                    self.unfit(
                        &remedy,
                        cause,
                        "use `tokenize`, `pseudonymize`, `encrypt_siv` or `fpe`, which keep equal values equal".into(),
                    );
                    return None;
                }
                How::Expression { text, .. } => {
                    let (text, program) = self.protection(text, &remedy, &kind, making.own.classes, class, target)?;
                    kind = program.kind().clone();
                    done.push(told(Some(text)));
                    making
                        .own
                        .passages
                        .extend(self.passages(&program).into_iter().filter(|step| step.effect != Effect::Reads));
                    making.own.classes = program.classes();
                    making.own.control = making.own.control.union(program.control_classes());
                    programs.push(program);
                }
            }
        }
        if !fits(&kind, declared) {
            let cause = format!(
                "protected, `{target}` is of type {kind}, but `{}` declares it as {declared}",
                self.target.name
            );
            let place = done.first().map_or_else(|| rule.place.clone(), |first| first.place.clone());
            self.findings.push(
                Finding::error(&codes::TARGET_TYPE, place, cause)
                    .fix("declare the field of the target as text, or protect it so that its type stays"),
            );
            return None;
        }
        Some((Finish::Make(programs), kind, done))
    }

    /// Compiles the expression of a protection. What asks for text gets other values as their text.
    fn protection(
        &mut self,
        text: &str,
        remedy: &Remedy,
        kind: &Type,
        classes: ClassSet,
        class: ClassId,
        target: &Path,
    ) -> Option<(String, Program)> {
        let known = self.findings.len();
        for text in [text.to_owned(), text.replacen("value", "string(value)", 1)] {
            let written = Expression { text: text.clone(), place: remedy.place.clone(), runs: Vec::new() };
            if let Some(program) = self.program(&written, Some((kind.clone(), classes)), Role::Rule, 0) {
                self.findings.truncate(known);
                return Some((text, program));
            }
            // Of keys the reason is their own.
            let keys = self.findings[known..].iter().any(|finding| finding.code.id.contains("key"));
            if keys {
                return None;
            }
            self.findings.truncate(known);
        }
        let cause = format!(
            "`{target}` is of type {kind} and carries `{}`: `{}` does not protect that",
            class.class().name,
            remedy.action
        );
        self.unfit(remedy, cause, "map its fields one by one, or choose `drop`, `park` or another action".into());
        None
    }

    fn unfit(&mut self, remedy: &Remedy, cause: String, fix: String) {
        let place: Place = remedy.place.clone();
        self.findings.push(Finding::error(&comply::UNPROTECTED, place, cause).fix(fix));
    }

    fn passes(&self, making: &mut Making, action: &str, class: ClassId, after: ClassSet, effect: Effect) {
        let _ = class;
        let before = making.own.classes;
        making.own.passages.push(Passage { through: action.to_owned(), effect, before, after });
        making.own.classes = after;
    }
}
