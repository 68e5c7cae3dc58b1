//! The scan itself: words in, options and operands out, one at a time, as glibc's getopt_long hands them to argp.
//!
//! It prints nothing: an error is the text of getopt's message without the program's name.

use super::{Arg, Opt};
use nvidia_simulated_machine::text::{Text, bytes};
use std::collections::VecDeque;

/// What happens to words that are not options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each is handed out in its place.
    InOrder,
    /// They are handed out after all options.
    Permute,
    /// The first one ends the options (POSIXLY_CORRECT).
    Posix,
}

/// What the scan found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<K> {
    /// An option and its value.
    Option(K, Option<Text>),
    /// A word that is not an option.
    Operand(Text),
    /// No word is left.
    End,
}

/// A scan over the words of one level.
#[derive(Debug)]
pub struct Getopt<'a, K> {
    options: &'a [Opt<K>],
    words: VecDeque<Text>,
    operands: VecDeque<Text>,
    cluster: VecDeque<u8>,
    order: Order,
    only_operands: bool,
}

impl<'a, K: Copy + PartialEq> Getopt<'a, K> {
    /// Starts a scan at the first word.
    pub fn new(options: &'a [Opt<K>], words: impl IntoIterator<Item = Text>, order: Order) -> Self {
        Self {
            options,
            words: words.into_iter().collect(),
            operands: VecDeque::new(),
            cluster: VecDeque::new(),
            order,
            only_operands: false,
        }
    }

    /// The words not yet scanned.
    pub fn rest(self) -> Vec<Text> {
        self.words.into()
    }

    /// The next item, or getopt's complaint.
    pub fn next_item(&mut self) -> Result<Item<K>, String> {
        if !self.cluster.is_empty() {
            return self.next_short();
        }
        while !self.only_operands {
            let Some(word) = self.words.pop_front() else { break };
            if word.as_str() == "--" {
                self.only_operands = true;
            } else if let Some(long) = word.strip_prefix("--") {
                return self.long(long);
            } else if word.len() > 1 && word.starts_with('-') {
                self.cluster = bytes(&word).into_iter().skip(1).collect();
                return self.next_short();
            } else {
                match self.order {
                    Order::InOrder => return Ok(Item::Operand(word)),
                    Order::Permute => self.operands.push_back(word),
                    Order::Posix => {
                        self.words.push_front(word);
                        self.only_operands = true;
                    }
                }
            }
        }
        Ok(self.operands.pop_front().or_else(|| self.words.pop_front()).map_or(Item::End, Item::Operand))
    }

    /// One letter of a word like `-cu`; a value is the rest of the word or the next word.
    fn next_short(&mut self) -> Result<Item<K>, String> {
        let Some(letter) = self.cluster.pop_front() else { return Ok(Item::End) };
        let shown = Text::new(&[letter]);
        let known = self.options.iter().find(|o| o.short == Some(letter) && letter != b':' && letter != b';');
        let Some(option) = known else { return Err(format!("invalid option -- '{shown}'")) };
        let attached = (!self.cluster.is_empty()).then(|| Text::new(self.cluster.make_contiguous()));
        let value = match option.arg {
            Arg::No => return Ok(Item::Option(option.key, None)),
            Arg::Optional(_) => attached,
            Arg::Required(_) => match attached.or_else(|| self.words.pop_front()) {
                Some(value) => Some(value),
                None => return Err(format!("option requires an argument -- '{shown}'")),
            },
        };
        self.cluster.clear();
        Ok(Item::Option(option.key, value))
    }

    /// A word like `--name` or `--name=value`, without its dashes.
    fn long(&mut self, word: &str) -> Result<Item<K>, String> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(Text::from(value.to_owned()))),
            None => (word, None),
        };
        let option = self.find_long(name, word)?;
        match (option.arg, attached) {
            (Arg::No, Some(_)) => Err(format!("option '--{}' doesn't allow an argument", option.long)),
            (Arg::Required(_), None) => match self.words.pop_front() {
                Some(value) => Ok(Item::Option(option.key, Some(value))),
                None => Err(format!("option '--{}' requires an argument", option.long)),
            },
            (_, value) => Ok(Item::Option(option.key, value)),
        }
    }

    /// An exact name, else the one option that it abbreviates. Two options that agree in key and value are not
    /// ambiguous.
    fn find_long(&self, name: &str, word: &str) -> Result<&'a Opt<K>, String> {
        if let Some(exact) = self.options.iter().find(|o| o.long == name) {
            return Ok(exact);
        }
        let found: Vec<&Opt<K>> = self.options.iter().filter(|o| o.long.starts_with(name)).collect();
        match found.as_slice() {
            [] => Err(format!("unrecognized option '--{word}'")),
            [first, others @ ..] if others.iter().all(|o| o.key == first.key && o.arg == first.arg) => Ok(first),
            all => {
                let names: String = all.iter().map(|o| format!(" '--{}'", o.long)).collect();
                Err(format!("option '--{word}' is ambiguous; possibilities:{names}"))
            }
        }
    }
}
