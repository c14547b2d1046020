//! What can be asked for by command: the names that the kinds of file declare, and the flags that follow from their
//! columns.

use clap::{Arg, ArgAction, Command};

use crate::domain::kinds::{
    Kind,
    schema::{Ask, Column},
};

/// Column names that a command fills where nothing is said: who asks, and when.
pub(super) const BY: &str = "requested_by";
pub(super) const ON: &str = "requested_on";

/// Something to ask for: a kind of file, and what its rows do that is asked for under this name.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    pub(super) kind: Kind,
    pub(super) ask: &'static Ask,
}

/// Everything that can be asked for.
pub(super) fn askings() -> impl Iterator<Item = Asking> {
    Kind::ALL.iter().flat_map(|kind| kind.schema().asks.iter().map(|ask| Asking { kind: *kind, ask }))
}

impl Asking {
    pub(super) fn named(name: &str) -> Option<Self> {
        askings().find(|asking| asking.ask.name == name)
    }

    /// The columns that are asked for: not what the name says already, what means nothing to it, and secrets.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static Column> {
        let said = move |column: &Column| self.ask.fixed.iter().any(|(name, _)| *name == column.name);
        let means_nothing = move |column: &Column| self.ask.without.contains(&column.name);
        let columns = self.kind.columns().iter();
        columns.filter(move |column| !column.secret && !said(column) && !means_nothing(column))
    }

    fn needs(self, column: &Column) -> bool {
        let required = column.required && !column.may_be_empty && ![BY, ON].contains(&column.name);
        required || self.ask.needs.contains(&column.name)
    }

    /// What stands in a column of an example row, if anything does.
    fn cell<'a>(self, row: &'a str, name: &str) -> Option<&'a str> {
        let at = self.kind.columns().iter().position(|column| column.name == name)?;
        row.split(',').nth(at).filter(|cell| !cell.is_empty())
    }

    /// The kind's example row that says the same, as flags.
    pub(super) fn example(self) -> String {
        let fits = |row: &&str| self.ask.fixed.iter().all(|(name, said)| self.cell(row, name) == Some(*said));
        let row = self.kind.schema().examples.iter().copied().find(fits).unwrap_or_default();
        let mut flags = Vec::new();
        for column in self.columns().filter(|column| ![BY, ON].contains(&column.name)) {
            if let Some(cell) = self.cell(row, column.name) {
                let quote = if cell.contains(' ') { "'" } else { "" };
                flags.push(format!("--{} {quote}{cell}{quote}", column.name.replace('_', "-")));
            }
        }
        if self.kind.is_secret() {
            flags.push("< key.txt".to_owned());
        }
        flags.join(" ")
    }

    pub(super) fn command(self) -> Command {
        let columns = self.columns().map(|column| {
            let help = match column.of.words() {
                [] => column.help.to_owned(),
                words => format!("{}: {}", column.help, words.join(", ")),
            };
            Arg::new(column.name)
                .long(column.name.replace('_', "-"))
                .required(self.needs(column))
                .value_name("VALUE")
                .help(help)
        });
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        Command::new(self.ask.name)
            .about(self.ask.about)
            .after_help(format!(
                "The flags are the columns of {} files.\n\nExample:\n  benefactor request {} {}",
                self.kind,
                self.ask.name,
                self.example()
            ))
            .args(columns)
            .arg(flag("accept-backdated", "Let in what is dated long before today, which otherwise waits"))
            .arg(flag("dry-run", "Say what would become of it and change nothing"))
    }
}
