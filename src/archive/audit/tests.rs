//! Judgements of archives whose content was read.
