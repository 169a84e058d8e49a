//! The rules of a mask as a tree of the names and elements that lead to them.

use std::collections::BTreeSet;

use crate::job::{MaskRule, MaskStep};

/// What is masked at a value and below it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The rule of the value itself, by its place in the mask; nothing below it has one.
    pub(super) rule: Option<usize>,
    /// The rules below.
    pub(super) below: Vec<usize>,
    names: Vec<(Box<[u8]>, Self)>,
    elements: Vec<(usize, Self)>,
    /// Of the elements that have none of their own.
    every: Option<Box<Self>>,
}

impl Node {
    /// The tree of all rules.
    pub(super) fn of_rules(rules: &[MaskRule]) -> Self {
        let paths: Vec<(usize, Vec<&MaskStep>)> = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| (index, rule.path.steps().collect()))
            .collect();
        let paths: Vec<Path<'_>> = paths
            .iter()
            .map(|(rule, steps)| (*rule, steps.as_slice()))
            .collect();
        Self::of_paths(&paths)
    }

    fn of_paths(paths: &[Path<'_>]) -> Self {
        let mut node = Self {
            below: paths.iter().map(|(rule, _)| *rule).collect(),
            ..Self::default()
        };
        let (mut names, mut indexes, mut has_every) = (BTreeSet::new(), BTreeSet::new(), false);
        for (rule, steps) in paths {
            match steps.first() {
                None => node.rule = Some(*rule),
                Some(MaskStep::Name(name)) => {
                    names.insert(name);
                }
                Some(MaskStep::Index(index)) => {
                    indexes.insert(*index);
                }
                Some(MaskStep::Every) => has_every = true,
            }
        }
        let behind = |leads_there: &dyn Fn(&MaskStep) -> bool| {
            let paths: Vec<Path<'_>> = paths
                .iter()
                .filter_map(|(rule, steps)| {
                    let (first, rest) = steps.split_first()?;
                    leads_there(first).then_some((*rule, rest))
                })
                .collect();
            Self::of_paths(&paths)
        };
        for name in names {
            let child = behind(&|step| matches!(step, MaskStep::Name(other) if other == name));
            node.names.push((name.as_bytes().into(), child));
        }
        for index in indexes {
            let child = behind(&|step| match step {
                MaskStep::Index(other) => *other == index,
                MaskStep::Every => true,
                MaskStep::Name(_) => false,
            });
            node.elements.push((index, child));
        }
        if has_every {
            let child = behind(&|step| *step == MaskStep::Every);
            node.every = Some(Box::new(child));
        }
        node
    }

    /// The node of a member of a map.
    #[inline]
    pub(super) fn member(&self, name: &[u8]) -> Option<&Self> {
        let mut names = self.names.iter();
        names
            .find(|(known, _)| **known == *name)
            .map(|(_, node)| node)
    }

    /// The node of an element of a list.
    pub(super) fn element(&self, index: usize) -> Option<&Self> {
        let mut elements = self.elements.iter();
        let own = elements.find(|(known, _)| *known == index);
        own.map(|(_, node)| node).or(self.every.as_deref())
    }

    /// The rule of every element, which is a set's where the value is one.
    pub(super) fn rule_of_every_element(&self) -> Option<usize> {
        self.every.as_ref()?.rule
    }

    pub(super) const fn has_members(&self) -> bool {
        !self.names.is_empty()
    }

    pub(super) const fn has_elements(&self) -> bool {
        !self.elements.is_empty() || self.every.is_some()
    }
}

/// A rule, and the steps of its path that are left.
type Path<'p> = (usize, &'p [&'p MaskStep]);
